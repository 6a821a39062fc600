/** The live connection: server-sent events in, the state of the home out, at once. */

import { discovery, health, LIVE_URL } from "./api";
import { type HomeState, type LiveEvent, NOTHING, reduce } from "./state";

export type Connection = "connecting" | "live" | "lost";

const QUIET_MS = 30_000;
const PROBE_MS = 5_000;
const BACKOFF_MS = [1_000, 2_000, 5_000, 10_000];
const EVENTS = ["snapshot", "meter", "new_devices", "health", "discovery"] as const;

export class Live {
  state = $state.raw<HomeState>(NOTHING);
  connection = $state<Connection>("connecting");
  /** When the connection was lost; null while it stands. */
  lostMs = $state<number | null>(null);
  /** Counts snapshots after the first, so that views know to load again. */
  reconnects = $state(0);

  #source: EventSource | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #heardMs = 0;
  #snapshots = 0;

  start(): () => void {
    this.#open();
    const watch = setInterval(() => void this.#probeWhenQuiet(), QUIET_MS / 2);
    const wake = (): void => {
      if (document.visibilityState === "visible") void this.#probeWhenQuiet();
    };
    document.addEventListener("visibilitychange", wake);
    window.addEventListener("online", this.#open);
    return () => {
      clearInterval(watch);
      clearTimeout(this.#retry);
      document.removeEventListener("visibilitychange", wake);
      window.removeEventListener("online", this.#open);
      this.#source?.close();
    };
  }

  apply(event: LiveEvent): void {
    this.state = reduce(this.state, event);
  }

  #open = (): void => {
    clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource(LIVE_URL);
    this.#source = source;
    this.#heardMs = Date.now();
    for (const type of EVENTS) {
      source.addEventListener(type, (message: MessageEvent<string>) => {
        this.#heard(type);
        this.apply({ type, data: JSON.parse(message.data) as never } as LiveEvent);
      });
    }
    source.onerror = () => {
      this.#lose();
    };
  };

  #heard(type: (typeof EVENTS)[number]): void {
    this.#heardMs = Date.now();
    this.#attempts = 0;
    this.connection = "live";
    this.lostMs = null;
    if (type === "snapshot") {
      this.#snapshots += 1;
      this.reconnects = this.#snapshots - 1;
      void this.#askHealth();
      void this.#askDiscovery();
    }
  }

  #lose(): void {
    this.#source?.close();
    if (this.connection !== "lost") this.lostMs = Date.now();
    this.connection = "lost";
    clearTimeout(this.#retry);
    const wait = BACKOFF_MS[Math.min(this.#attempts, BACKOFF_MS.length - 1)];
    this.#attempts += 1;
    this.#retry = setTimeout(this.#open, wait);
  }

  /** A snapshot says nothing of health, and `health` comes only when it changes. */
  async #askHealth(): Promise<void> {
    try {
      this.apply({ type: "health", data: await health(AbortSignal.timeout(PROBE_MS)) });
    } catch {
      this.#lose();
    }
  }

  /** A snapshot says nothing of a search for devices that runs already. */
  async #askDiscovery(): Promise<void> {
    try {
      this.apply({ type: "discovery", data: await discovery(AbortSignal.timeout(PROBE_MS)) });
    } catch {
      // Whoever opens the panel asks again, and is told.
    }
  }

  /** A connection that died without a word (a phone that slept) is found by asking. */
  async #probeWhenQuiet(): Promise<void> {
    if (this.connection === "live" && Date.now() - this.#heardMs > QUIET_MS) await this.#askHealth();
  }
}
