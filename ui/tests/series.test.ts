import { describe, expect, test } from "vitest";

import {
  appended,
  countKnown,
  decimated,
  isolated,
  LIVE_GAP_MS,
  nearestRow,
  onGrid,
  peakRow,
  summed,
  trimmed,
  withLive,
} from "../src/lib/chart/series";
import { axisLabels } from "../src/lib/chart/options";
import { hoursOf } from "../src/lib/day.svelte";
import { HOUR_MS, MINUTE_MS } from "../src/lib/time";
import type { Readings } from "../src/lib/types";

function readings(powers: Record<number, number>): Readings {
  const minutes = Object.keys(powers).map(Number);
  const powerW = minutes.map((minute) => powers[minute] ?? 0);
  return {
    meter: "a",
    resolution: "1m",
    time_ms: minutes.map((minute) => minute * MINUTE_MS),
    power_w: powerW,
    min_w: powerW.map((power) => power - 5),
    max_w: powerW.map((power) => power + 5),
    measured_s: powerW.map(() => 60),
  };
}

const grid = (powers: Record<number, number>, minutes: number) =>
  onGrid(readings(powers), 0, minutes * MINUTE_MS);

describe("a day's curve", () => {
  test("keeps a minute that is missing as a gap", () => {
    expect(grid({ 0: 100, 2: 120 }, 4).powerW).toEqual([100, null, 120, null]);
  });

  test("leaves out what lies outside the day", () => {
    expect(countKnown(onGrid(readings({ 0: 1, 5: 2 }), MINUTE_MS, 3 * MINUTE_MS))).toBe(0);
  });

  test("ends with the last minute that is known", () => {
    expect(trimmed(grid({ 0: 100, 2: 120 }, 9)).timeMs).toEqual([0, MINUTE_MS, 2 * MINUTE_MS]);
    expect(trimmed(grid({}, 9)).timeMs).toEqual([]);
  });

  test("goes on with live points that are newer than it", () => {
    const settled = trimmed(grid({ 0: 100, 1: 110 }, 9));
    const live = [
      { timeMs: MINUTE_MS, powerW: 1 },
      { timeMs: MINUTE_MS + 10_000, powerW: 115 },
    ];
    expect(withLive(settled, live).powerW).toEqual([100, 110, 115]);
  });

  test("never bridges a pause before or between live points", () => {
    const settled = trimmed(grid({ 0: 100 }, 9));
    const live = [
      { timeMs: 10 * MINUTE_MS, powerW: 80 },
      { timeMs: 10 * MINUTE_MS + LIVE_GAP_MS + 1, powerW: 90 },
    ];
    const series = withLive(settled, live);
    expect(series.powerW).toEqual([100, null, 80, null, 90]);
    expect([...series.timeMs].sort((a, b) => a - b)).toEqual(series.timeMs);
  });

  test("takes the same or an older live point once", () => {
    const one = appended([], { timeMs: 5, powerW: 1 });
    expect(appended(one, { timeMs: 5, powerW: 2 })).toBe(one);
    expect(appended(one, { timeMs: 4, powerW: 2 })).toBe(one);
  });
});

describe("the sum of meters", () => {
  test("is unknown where one of them is", () => {
    expect(summed([grid({ 0: 10, 1: 20 }, 2), grid({ 0: 1 }, 2)]).powerW).toEqual([11, null]);
  });

  test("does without a meter that has no data that day", () => {
    expect(summed([grid({ 0: 10 }, 1), grid({}, 1)]).powerW).toEqual([10]);
  });
});

test("a picture takes means and leaves what was mostly unmeasured out", () => {
  expect(decimated([1, 3, null, 5, null, null], 3)).toEqual([2, 5, null]);
  expect(decimated([1, null], 5)).toEqual([1, null]);
});

test("a minute alone between gaps is found, so that it can be drawn as a dot", () => {
  expect(isolated([1, null, 2, 3, null, 4])).toEqual([0, 5]);
});

test("the peak and the nearest minute are found", () => {
  const series = grid({ 0: 10, 1: 50, 2: 20 }, 3);
  expect(peakRow(series)).toBe(1);
  expect([-5, 20_000, 40_000, 9e9].map((timeMs) => nearestRow(series, timeMs))).toEqual([0, 0, 1, 2]);
});

test("an axis names one unit, once", () => {
  expect(axisLabels([0, 500, 1000], "en-GB")).toEqual(["0.0", "0.5", "1.0 kW"]);
  expect(axisLabels([0, 50, 100], "en-GB")).toEqual(["0", "50", "100 W"]);
});

test("an hour without measurement is unknown, and the running hour is whole so far", () => {
  const hour = (start: number, energyWh: number, measuredS: number) => ({
    start: new Date(start * HOUR_MS).toISOString(),
    end: new Date((start + 1) * HOUR_MS).toISOString(),
    energy_wh: energyWh,
    measured_s: measuredS,
    coverage: measuredS / 3600,
    max_w: null,
  });
  const hours = hoursOf([[hour(0, 100, 3600), hour(1, 40, 1800), hour(2, 0, 0)]], 1.5 * HOUR_MS);
  expect(hours.map(({ energyWh }) => energyWh)).toEqual([100, 40, null]);
  expect(hours.map(({ coverage }) => coverage)).toEqual([1, 1, 0]);
});
