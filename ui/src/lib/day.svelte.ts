/** One local day of one meter, or of several added up: loaded, then kept fresh. */

import { energy, readings } from "./api";
import {
  appended,
  type LivePoint,
  NO_SERIES,
  onGrid,
  type Series,
  summed,
  trimmed,
  withLive,
} from "./chart/series";
import type { EnergyBucket } from "./types";

export interface Span {
  startMs: number;
  endMs: number;
}

/** An hour's energy; `energyWh` is null where nothing was measured. */
export interface Hour extends Span {
  energyWh: number | null;
  coverage: number;
}

/** What the hours of several meters were together; the running hour is whole when all of it so far is. */
export function hoursOf(answers: readonly EnergyBucket[][], nowMs: number): Hour[] {
  return (answers[0] ?? []).map((bucket, row) => {
    const same = answers.map((buckets) => buckets[row]).filter((other) => other !== undefined);
    const known = same.filter((other) => other.measured_s > 0 || other.energy_wh !== 0);
    const startMs = Date.parse(bucket.start);
    const endMs = Date.parse(bucket.end);
    const passedMs = Math.max(1, Math.min(endMs, nowMs) - startMs);
    const measuredMs = Math.min(...same.map((other) => other.measured_s)) * 1000;
    return {
      startMs,
      endMs,
      energyWh: known.length > 0 ? known.reduce((a, other) => a + other.energy_wh, 0) : null,
      coverage: Math.min(1, measuredMs / passedMs),
    };
  });
}

export class Day {
  status = $state<"loading" | "ready" | "failed">("loading");
  error = $state("");
  hours = $state.raw<readonly Hour[]>([]);
  #settled = $state.raw<Series>(NO_SERIES);
  #live = $state.raw<readonly LivePoint[]>([]);
  readonly series = $derived(withLive(this.#settled, this.#live));

  readonly #abort = new AbortController();

  constructor(
    readonly slugs: readonly string[],
    readonly span: Span,
  ) {}

  /** Loads the day; live points of minutes that are now in it give way. `nowMs` is only for coverage. */
  async load(nowMs: number): Promise<void> {
    const { startMs, endMs } = this.span;
    const signal = this.#abort.signal;
    try {
      const [curves, energies] = await Promise.all([
        Promise.all(this.slugs.map((slug) => readings(slug, startMs, endMs, "1m", signal))),
        Promise.all(this.slugs.map((slug) => energy(slug, startMs, endMs, "hour", signal))),
      ]);
      this.#settled = trimmed(summed(curves.map((curve) => onGrid(curve, startMs, endMs))));
      const lastMs = this.#settled.timeMs.at(-1) ?? startMs;
      this.#live = this.#live.filter((point) => point.timeMs > lastMs);
      this.hours = hoursOf(
        energies.map((answer) => answer.buckets),
        nowMs,
      );
      this.status = "ready";
    } catch (error) {
      if (signal.aborted) return;
      this.error = error instanceof Error ? error.message : String(error);
      // What is on the screen stays true; only a day that never came is a failure.
      if (this.status === "loading") this.status = "failed";
    }
  }

  append(point: LivePoint): void {
    if (point.timeMs >= this.span.startMs && point.timeMs < this.span.endMs) {
      this.#live = appended(this.#live, point);
    }
  }

  close(): void {
    this.#abort.abort();
  }
}
