import { describe, expect, test } from "vitest";

import { doing } from "../src/lib/doing";
import type { Meter, Outlook, Run } from "../src/lib/types";

const zone = "Europe/Rome";
const nowMs = Date.parse("2026-03-10T12:00:00+01:00");
const run: Run = { start: "2026-03-10T11:20:00+01:00", end: null, energy_wh: 400, expected: null };
const expected: Outlook = {
  programme: null,
  runs: 3,
  end: {
    median: "2026-03-10T12:48:00+01:00",
    low: "2026-03-10T12:40:00+01:00",
    high: "2026-03-10T13:00:00+01:00",
  },
  energy_wh: { median: 990, low: 950, high: 1010 },
  cost: null,
};

function meter(more: Partial<Meter>): Meter {
  return {
    slug: "washer",
    name: "Washer",
    appliance: "washing_machine",
    parent: null,
    state: "active",
    run,
    power_w: 2000,
    at: "2026-03-10T12:00:00+01:00",
    today_wh: 400,
    today_coverage: 1,
    silent: false,
    ...more,
  };
}

describe("what an appliance does", () => {
  test("a run says since when, until it is known until when", () => {
    expect(doing(meter({}), nowMs, zone)).toMatch(/^Running since 11:20/);
    expect(doing(meter({ run: { ...run, expected } }), nowMs, zone)).toMatch(/^Running until about 12:48/);
    const named = { ...run, expected: { ...expected, programme: "Cotton 60" } };
    expect(doing(meter({ run: named }), nowMs, zone)).toMatch(/^Cotton 60, until about 12:48/);
  });

  test("a run that ends tomorrow says the day", () => {
    const end = { ...expected.end, median: "2026-03-11T00:30:00+01:00" };
    expect(doing(meter({ run: { ...run, expected: { ...expected, end } } }), nowMs, zone)).toContain("11");
  });

  test("a run that has ended says so, and rest says nothing", () => {
    expect(doing(meter({ state: "finished", run: null }), nowMs, zone)).toBe("Finished");
    for (const state of ["off", "standby", null] as const)
      expect(doing(meter({ state, run: null }), nowMs, zone)).toBeNull();
  });

  test("a silent meter does not say what it does, as nobody knows", () => {
    expect(doing(meter({ silent: true }), nowMs, zone)).toBeNull();
  });
});
