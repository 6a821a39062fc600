import { describe, expect, test } from "vitest";

import {
  type HomeState,
  mainsOf,
  NOTHING,
  orderByPower,
  reduce,
  shareOf,
  todayWh,
  totalOf,
  unmeteredW,
} from "../src/lib/state";
import type { Discovery, Finding, Meter, MetersDocument } from "../src/lib/types";

function meter(slug: string, powerW: number | null, more: Partial<Meter> = {}): Meter {
  return {
    slug,
    name: slug,
    appliance: null,
    parent: null,
    state: null,
    run: null,
    power_w: powerW,
    at: "2025-07-01T10:00:00Z",
    today_wh: 1000,
    today_coverage: 1,
    silent: false,
    ...more,
  };
}

const mains = meter("mains", 2000);
const fridge = meter("fridge", 90, { parent: "mains" });
const kettle = meter("kettle", 1800, { parent: "mains" });
const device = { source: "ecms_udp", address: "5c:cf", power_w: null, current_a: 1, at: "", hint: null };
const snapshot: MetersDocument = {
  home: { name: "Home", timezone: "Europe/Rome", currency: "EUR", demo: false },
  meters: [mains, fridge],
  new_devices: [device],
};

function finding(source: string, ...addresses: string[]): Finding {
  const channels = addresses.map((address) => ({ address, meter: null }));
  return { source, name: null, model: null, where: "", note: null, channels, adoptable: true, config: "" };
}

const search: Discovery = {
  running: false,
  started: "2025-07-01T10:00:00Z",
  finished: "2025-07-01T10:00:05Z",
  waiting: [],
  found: [finding("shelly", "s1/0", "s1/1"), finding("kasa", "s1/1")],
  failed: [],
};

function after(...events: Parameters<typeof reduce>[1][]): HomeState {
  return events.reduce(reduce, NOTHING);
}

describe("a live event", () => {
  test("changes its own meter and no other", () => {
    const before = after({ type: "snapshot", data: snapshot });
    const state = reduce(before, { type: "meter", data: { ...fridge, power_w: 120 } });
    expect(state.meters[1]?.power_w).toBe(120);
    expect(state.meters[0]).toBe(before.meters[0]);
  });

  test("brings a meter that was not there", () => {
    const state = after({ type: "snapshot", data: snapshot }, { type: "meter", data: kettle });
    expect(state.meters.map(({ slug }) => slug)).toEqual(["mains", "fridge", "kettle"]);
  });

  test("of a search takes the place of the one before, and a snapshot leaves it", () => {
    const state = after({ type: "discovery", data: search }, { type: "snapshot", data: snapshot });
    expect(state.discovery).toEqual(search);
    const next = { ...search, running: true, found: [] };
    expect(reduce(state, { type: "discovery", data: next }).discovery).toEqual(next);
  });

  test("of an adoption shows in what was found which channel has a meter now", () => {
    const adopted = { meter: kettle, source: "shelly", address: "s1/1" };
    const state = after({ type: "discovery", data: search }, { type: "adopted", data: adopted });
    expect(state.discovery?.found.map(({ channels }) => channels.map(({ meter }) => meter))).toEqual([
      [null, "kettle"],
      [null],
    ]);
  });

  test("of an adoption moves the device from the new ones to the meters", () => {
    const adopted = { meter: kettle, source: device.source, address: device.address };
    const state = after({ type: "snapshot", data: snapshot }, { type: "adopted", data: adopted });
    expect(state.newDevices).toEqual([]);
    expect(state.meters.at(-1)).toEqual(kettle);
  });

  test("of a new connection replaces what was known, except health", () => {
    const health = { status: "ok", version: "1", store: { trouble: null }, sources: [] } as const;
    const state = after(
      { type: "snapshot", data: snapshot },
      { type: "health", data: { ...health, sources: [] } },
      { type: "snapshot", data: { ...snapshot, meters: [mains], new_devices: [] } },
    );
    expect(state.meters).toEqual([mains]);
    expect(state.health?.status).toBe("ok");
  });
});

describe("the total", () => {
  test("is the mains, the one root that others are part of", () => {
    expect(mainsOf([fridge, mains])).toBe(mains);
    expect(totalOf([fridge, mains, meter("solar", 300)]).powerW).toBe(2000);
  });

  test("is the sum of the roots where there is no mains", () => {
    const total = totalOf([meter("a", 100), meter("b", 50)]);
    expect([total.mains, total.powerW, total.known]).toEqual([null, 150, 2]);
  });

  test("leaves out what is silent and says how many are known", () => {
    const total = totalOf([meter("a", 100), meter("b", 50, { silent: true })]);
    expect([total.powerW, total.known, total.parts.length]).toEqual([100, 1, 2]);
  });

  test("is unknown, not zero, when nothing is known", () => {
    expect(totalOf([meter("a", 100, { silent: true })]).powerW).toBeNull();
    expect(totalOf([]).powerW).toBeNull();
  });
});

test("what has no meter of its own is the mains less its parts, if all are known", () => {
  expect(unmeteredW([mains, fridge, kettle], mains)).toBe(110);
  expect(unmeteredW([mains, fridge, { ...kettle, silent: true }], mains)).toBeNull();
  expect(unmeteredW([mains, fridge, { ...kettle, power_w: 1950 }], mains)).toBeNull();
});

test("meters stand by what uses most now, the silent ones last", () => {
  const silent = meter("old", 5000, { silent: true });
  expect(orderByPower([silent, fridge, kettle])).toEqual(["kettle", "fridge", "old"]);
});

test("a day of which nothing was measured has no energy figure", () => {
  expect(todayWh(meter("a", null, { today_wh: 0, today_coverage: 0 }))).toBeNull();
  expect(todayWh(meter("a", null, { today_wh: 0, today_coverage: 0.5 }))).toBe(0);
  expect(todayWh(meter("a", null, { today_wh: 40, today_coverage: 0 }))).toBe(40);
});

test("a share is unknown without a total and never beyond the whole", () => {
  expect(shareOf(50, null)).toBeNull();
  expect(shareOf(null, 100)).toBeNull();
  expect(shareOf(150, 100)).toBe(1);
});
