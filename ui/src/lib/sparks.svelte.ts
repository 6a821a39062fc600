/** The small pictures of today in the list: one cheap question a meter, asked now and then. */

import { readings } from "./api";
import { decimated, onGrid } from "./chart/series";
import { MINUTE_MS } from "./time";

const QUARTER_MS = 15 * MINUTE_MS;
/** Points in the picture of a whole day. */
export const SPARK_SLOTS = 48;

/** By slug. */
export type Pictures = Readonly<Record<string, readonly (number | null)[]>>;

export class Sparks {
  values = $state.raw<Pictures>({});

  async load(slugs: readonly string[], startMs: number, endMs: number, nowMs: number): Promise<void> {
    const untilMs = Math.min(Math.ceil(nowMs / QUARTER_MS) * QUARTER_MS, endMs);
    const slots = Math.max(1, Math.round((SPARK_SLOTS * (untilMs - startMs)) / (endMs - startMs)));
    const pictures = await Promise.allSettled(
      slugs.map(async (slug) => {
        const answer = await readings(slug, startMs, untilMs, "15m");
        const { powerW } = onGrid(answer, startMs, untilMs, QUARTER_MS);
        return [slug, decimated(powerW, slots)] as const;
      }),
    );
    // A picture that could not be had is left out: it is an ornament, the figures stand beside it.
    this.values = Object.fromEntries(
      pictures.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])),
    );
  }
}
