/** A day's power curve as columns for the chart. Pure; `null` is not measured. */

import { MINUTE_MS } from "../time";
import type { Readings } from "../types";

type Column = (number | null)[];

/** Times in UTC ms, ascending; mean, least and greatest power in watts. */
export interface Series {
  timeMs: number[];
  powerW: Column;
  minW: Column;
  maxW: Column;
}

export interface LivePoint {
  timeMs: number;
  powerW: number;
}

/** Two live points further apart than this are not joined by a line. */
export const LIVE_GAP_MS = 90_000;

export const NO_SERIES: Series = { timeMs: [], powerW: [], minW: [], maxW: [] };

function grid(startMs: number, endMs: number, stepMs: number): Series {
  const length = Math.max(0, Math.ceil((endMs - startMs) / stepMs));
  const empty = (): Column => new Array<number | null>(length).fill(null);
  const timeMs = Array.from({ length }, (_, index) => startMs + index * stepMs);
  return { timeMs, powerW: empty(), minW: empty(), maxW: empty() };
}

/** Without the rows at the end that are not measured, or not yet. */
export function trimmed(series: Series): Series {
  const length = series.powerW.findLastIndex((power) => power !== null) + 1;
  const cut = <T>(column: T[]): T[] => column.slice(0, length);
  return {
    timeMs: cut(series.timeMs),
    powerW: cut(series.powerW),
    minW: cut(series.minW),
    maxW: cut(series.maxW),
  };
}

/** Readings on an even grid from `startMs` until before `endMs`: what is missing becomes null. */
export function onGrid(readings: Readings, startMs: number, endMs: number, stepMs = MINUTE_MS): Series {
  const series = grid(startMs, endMs, stepMs);
  readings.time_ms.forEach((timeMs, row) => {
    const at = Math.floor((timeMs - startMs) / stepMs);
    const powerW = readings.power_w[row] ?? null;
    if (at < 0 || at >= series.timeMs.length || powerW === null) return;
    series.powerW[at] = powerW;
    series.minW[at] = readings.min_w[row] ?? powerW;
    series.maxW[at] = readings.max_w[row] ?? powerW;
  });
  return series;
}

/**
 * The sum of meters on the same grid. Where one that has data that day is unknown, the sum is
 * unknown: a sum of the rest would look like a dip that never was. The band is left out, as
 * least and greatest of different meters do not happen at once.
 */
export function summed(parts: readonly Series[]): Series {
  const used = parts.filter((part) => part.powerW.some((power) => power !== null));
  const first = used[0] ?? parts[0];
  if (!first) return NO_SERIES;
  if (used.length <= 1) return first;
  const powerW = first.timeMs.map((_, row) => {
    let total = 0;
    for (const part of used) {
      const power = part.powerW[row];
      if (power === null || power === undefined) return null;
      total += power;
    }
    return total;
  });
  return { timeMs: first.timeMs, powerW, minW: powerW, maxW: powerW };
}

/** `settled` minutes followed by the live points after them; a pause between stays a gap. */
export function withLive(settled: Series, live: readonly LivePoint[]): Series {
  const lastMs = settled.timeMs.at(-1) ?? -Infinity;
  const fresh = live.filter((point) => point.timeMs > lastMs);
  if (fresh.length === 0) return settled;
  const timeMs = [...settled.timeMs];
  const powerW = [...settled.powerW];
  const minW = [...settled.minW];
  const maxW = [...settled.maxW];
  let previousMs = lastMs;
  for (const point of fresh) {
    if (point.timeMs - previousMs > LIVE_GAP_MS) {
      timeMs.push(Math.max(previousMs, point.timeMs - LIVE_GAP_MS) + 1);
      for (const column of [powerW, minW, maxW]) column.push(null);
    }
    timeMs.push(point.timeMs);
    for (const column of [powerW, minW, maxW]) column.push(point.powerW);
    previousMs = point.timeMs;
  }
  return { timeMs, powerW, minW, maxW };
}

/** Live points with one more; the same or an older time is not a new point. */
export function appended(live: readonly LivePoint[], point: LivePoint): readonly LivePoint[] {
  const last = live.at(-1);
  return last && last.timeMs >= point.timeMs ? live : [...live, point];
}

/**
 * At most `slots` points, for a small picture: means over equal spans. A span that was
 * mostly unmeasured stays null.
 */
export function decimated(values: readonly (number | null)[], slots: number): Column {
  if (values.length <= slots) return [...values];
  return Array.from({ length: slots }, (_, slot) => {
    const from = Math.floor((slot * values.length) / slots);
    const to = Math.floor(((slot + 1) * values.length) / slots);
    const known = values.slice(from, to).filter((value) => value !== null);
    if (known.length * 2 < to - from) return null;
    return known.reduce((a, b) => a + b, 0) / known.length;
  });
}

/** Rows that stand alone between gaps: a line cannot show them, a dot can. */
export function isolated(values: readonly (number | null | undefined)[]): number[] {
  const rows: number[] = [];
  values.forEach((value, row) => {
    const alone = (values[row - 1] ?? null) === null && (values[row + 1] ?? null) === null;
    if (value !== null && value !== undefined && alone) rows.push(row);
  });
  return rows;
}

export function countKnown(series: Series): number {
  return series.powerW.filter((power) => power !== null).length;
}

/** The row of the greatest power, or null when nothing is known. */
export function peakRow(series: Series): number | null {
  let peak: number | null = null;
  series.maxW.forEach((max, row) => {
    if (max !== null && (peak === null || max > (series.maxW[peak] ?? -Infinity))) peak = row;
  });
  return peak;
}

/** The row whose time is nearest to `timeMs`, or null when there is none. */
export function nearestRow(series: Series, timeMs: number): number | null {
  const times = series.timeMs;
  if (times.length === 0) return null;
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  const before = times[low - 1];
  const at = times[low];
  return before !== undefined && at !== undefined && timeMs - before < at - timeMs ? low - 1 : low;
}
