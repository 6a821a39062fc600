/** The panel that looks for devices: whether it is open, and what came of asking. */

import { tick } from "svelte";

import { lookForDevices } from "./api";
import { strings } from "./strings";

const USUAL_S = 5;
const LONG_S = 20;

export class Finder {
  open = $state(false);
  /** The search was asked for, and the service has not answered yet. */
  asking = $state(false);
  failed = $state("");

  async look(long = false): Promise<void> {
    this.failed = "";
    this.asking = true;
    if (!this.open) {
      this.open = true;
      await tick();
      document.getElementById("discovery-title")?.focus();
    }
    try {
      await lookForDevices(long ? LONG_S : USUAL_S);
    } catch (error) {
      this.failed = error instanceof Error && error.message !== "" ? error.message : strings.discovery.failed;
    } finally {
      this.asking = false;
    }
  }

  async close(): Promise<void> {
    this.open = false;
    await tick();
    document.querySelector<HTMLElement>("[data-look]")?.focus();
  }
}
