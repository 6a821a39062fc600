import { describe, expect, test } from "vitest";

import { correctedOn, readingsOf } from "../src/lib/aside";

const ZONE = "Europe/Rome";
const START_MS = Date.parse("2026-03-10T00:00:00+01:00");
const END_MS = Date.parse("2026-03-11T00:00:00+01:00");

describe("what is set aside of a day", () => {
  test("a reading of which two things were set aside is listed once, with both", () => {
    const at = "2026-03-10T12:00:05+01:00";
    const readings = readingsOf(
      [
        { at, cause: "jump", energy_wh: 60_000, register_wh: 101_200 },
        { at, cause: "power", energy_wh: 0, power_w: 812_345 },
        { at: "2026-03-10T12:00:06+01:00", cause: "jump", energy_wh: 4_200, charge_as: 77 },
      ],
      ZONE,
    );
    expect(readings.map((reading) => reading.whats.length)).toEqual([2, 1]);
    expect(readings[0]?.time).toContain("12:00:05");
    expect(readings[0]?.whats[0]).toContain("101.2");
    expect(readings[0]?.whats[1]).toContain("812.3");
  });

  test("a correction is listed on each day that it reaches into, and on no other", () => {
    const over = (from: string, to: string): number =>
      correctedOn([{ id: 1, action: "discard", from, to, made: from, note: null }], START_MS, END_MS, ZONE)
        .length;
    expect(over("2026-03-09T22:00:00+01:00", "2026-03-10T00:00:00+01:00")).toBe(0);
    expect(over("2026-03-09T22:00:00+01:00", "2026-03-10T00:00:01+01:00")).toBe(1);
    expect(over("2026-03-10T23:59:59+01:00", "2026-03-12T00:00:00+01:00")).toBe(1);
    expect(over("2026-03-11T00:00:00+01:00", "2026-03-12T00:00:00+01:00")).toBe(0);
  });
});
