/** What the page knows, and how each live event changes it. Pure. */

import type { Discovery, Health, Home, Meter, MetersDocument, NewDevice } from "./types";

export interface HomeState {
  home: Home | null;
  meters: readonly Meter[];
  newDevices: readonly NewDevice[];
  health: Health | null;
  discovery: Discovery | null;
}

export type LiveEvent =
  | { type: "snapshot"; data: MetersDocument }
  | { type: "meter"; data: Meter }
  | { type: "new_devices"; data: { new_devices: NewDevice[] } }
  | { type: "health"; data: Health }
  | { type: "discovery"; data: Discovery }
  | { type: "adopted"; data: { meter: Meter; source: string; address: string } };

export const NOTHING: HomeState = { home: null, meters: [], newDevices: [], health: null, discovery: null };

function put(meters: readonly Meter[], meter: Meter): Meter[] {
  const index = meters.findIndex((known) => known.slug === meter.slug);
  return index < 0 ? [...meters, meter] : meters.with(index, meter);
}

/** What was found, after the device was made the meter `slug`. */
function bound(discovery: Discovery, source: string, address: string, slug: string): Discovery {
  const found = discovery.found.map((finding) => ({
    ...finding,
    channels: finding.channels.map((channel) =>
      finding.source === source && channel.address === address ? { ...channel, meter: slug } : channel,
    ),
  }));
  return { ...discovery, found };
}

export function reduce(state: HomeState, event: LiveEvent): HomeState {
  switch (event.type) {
    case "snapshot": {
      const { home, meters, new_devices: newDevices } = event.data;
      return { ...state, home, meters, newDevices };
    }
    case "meter":
      return { ...state, meters: put(state.meters, event.data) };
    case "new_devices":
      return { ...state, newDevices: event.data.new_devices };
    case "health":
      return { ...state, health: event.data };
    case "discovery":
      return { ...state, discovery: event.data };
    case "adopted": {
      const { meter, source, address } = event.data;
      const others = state.newDevices.filter(
        (device) => device.source !== source || device.address !== address,
      );
      const discovery = state.discovery && bound(state.discovery, source, address, meter.slug);
      return { ...state, meters: put(state.meters, meter), newDevices: others, discovery };
    }
  }
}

/** The power that is true now: a silent meter's last value is not. */
export function powerNow(meter: Meter): number | null {
  return meter.silent ? null : meter.power_w;
}

/** Today's energy; null when nothing of the day is known, which is not the same as zero. */
export function todayWh(meter: Meter): number | null {
  return meter.today_coverage === 0 && meter.today_wh === 0 ? null : meter.today_wh;
}

/** The meter of the whole home: no parent itself, and the parent of others. */
export function mainsOf(meters: readonly Meter[]): Meter | null {
  const parents = new Set(meters.map((meter) => meter.parent));
  const candidates = meters.filter((meter) => meter.parent === null && parents.has(meter.slug));
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

export interface Total {
  /** The meters whose sum is the whole home: the mains alone, or all without a parent. */
  parts: readonly Meter[];
  mains: Meter | null;
  powerW: number | null;
  /** How many of `parts` have a power now. */
  known: number;
  todayWh: number | null;
  coverage: number;
  atMs: number | null;
}

function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((a, b) => a + b, 0) : null;
}

export function totalOf(meters: readonly Meter[]): Total {
  const mains = mainsOf(meters);
  const parts = mains ? [mains] : meters.filter((meter) => meter.parent === null);
  const powers = parts.map(powerNow);
  const times = parts.flatMap((meter) => (meter.at === null ? [] : [Date.parse(meter.at)]));
  return {
    parts,
    mains,
    powerW: sum(powers),
    known: powers.filter((power) => power !== null).length,
    todayWh: sum(parts.map(todayWh)),
    coverage: Math.min(...parts.map((meter) => meter.today_coverage)),
    atMs: times.length > 0 ? Math.max(...times) : null,
  };
}

/** What the mains carries beyond its own sub-meters; null when any of them is unknown. */
export function unmeteredW(meters: readonly Meter[], mains: Meter): number | null {
  const whole = powerNow(mains);
  const parts = meters.filter((meter) => meter.parent === mains.slug).map(powerNow);
  if (whole === null || parts.length === 0 || parts.includes(null)) return null;
  const rest = whole - (sum(parts) ?? 0);
  return rest >= 0 ? rest : null;
}

/** Meters by what uses most now; unknown last, then by name. Returns slugs. */
export function orderByPower(meters: readonly Meter[]): string[] {
  const rank = (meter: Meter): number => powerNow(meter) ?? -Infinity;
  return [...meters]
    .sort((a, b) => (rank(a) === rank(b) ? a.name.localeCompare(b.name) : rank(b) - rank(a)))
    .map((meter) => meter.slug);
}

/** A meter's part of the whole, 0..1; null when either is unknown. */
export function shareOf(powerW: number | null, totalW: number | null): number | null {
  if (powerW === null || totalW === null || totalW <= 0) return null;
  return Math.min(Math.max(powerW / totalW, 0), 1);
}
