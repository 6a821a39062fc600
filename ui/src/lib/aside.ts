/** What of a day was set aside or corrected, ready to be listed. Pure. */

import { energy, joined, power } from "./format";
import { strings } from "./strings";
import { clockSeconds, moment } from "./time";
import type { Correction, Suspect } from "./types";

/** A reading of which something was set aside; `whats` says of each part what it said. */
export interface AsideReading {
  at: string;
  time: string;
  whats: string[];
}

/** A correction in words. */
export interface Corrected {
  id: number;
  what: string;
  note: string | null;
}

function whatOf(suspect: Suspect): string {
  const jump = joined(energy(suspect.energy_wh));
  if (suspect.power_w !== undefined) return strings.aside.power(joined(power(suspect.power_w)));
  if (suspect.register_wh !== undefined)
    return strings.aside.register(joined(energy(suspect.register_wh)), jump);
  return strings.aside.charge(jump);
}

/** The readings of suspects in ascending time, each once. */
export function readingsOf(suspects: readonly Suspect[], zone: string): AsideReading[] {
  const found = new Map<string, AsideReading>();
  for (const suspect of suspects) {
    const known = found.get(suspect.at);
    if (known) known.whats.push(whatOf(suspect));
    else {
      const time = clockSeconds(Date.parse(suspect.at), zone);
      found.set(suspect.at, { at: suspect.at, time, whats: [whatOf(suspect)] });
    }
  }
  return [...found.values()];
}

/** Those corrections that reach into the day from `startMs` until before `endMs`. */
export function correctedOn(
  corrections: readonly Correction[],
  startMs: number,
  endMs: number,
  zone: string,
): Corrected[] {
  return corrections
    .filter((each) => Date.parse(each.from) < endMs && Date.parse(each.to) > startMs)
    .map((each) => {
      const [fromMs, toMs] = [Date.parse(each.from), Date.parse(each.to)];
      const [from, to] = [fromMs, toMs].map((timeMs) => moment(timeMs, startMs, zone));
      const exact = toMs - fromMs <= 1000 ? clockSeconds(fromMs, zone) : `${from ?? ""} – ${to ?? ""}`;
      const what =
        each.action === "restore"
          ? strings.aside.restored(exact)
          : strings.aside.discarded(from ?? "", to ?? "");
      return { id: each.id, what, note: each.note };
    });
}
