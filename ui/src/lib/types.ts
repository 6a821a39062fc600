/** The shapes of the API; units stand last in a name, as in the service. */

export interface Home {
  name: string;
  timezone: string;
  currency: string;
  demo: boolean;
}

/** What an appliance does. */
export type State = "off" | "standby" | "active" | "finished";

/** What is usual: the middle, and below and above what one in ten lies. */
export interface Spread<Kind> {
  median: Kind;
  low: Kind;
  high: Kind;
}

/** What a run that goes on will come to, as past ones did that began like it. */
export interface Outlook {
  programme: string | null;
  runs: number;
  end: Spread<string>;
  energy_wh: Spread<number>;
  cost: Spread<string> | null;
}

/** One use of an appliance, as far as the page shows it. */
export interface Run {
  start: string;
  end: string | null;
  energy_wh: number;
  expected: Outlook | null;
}

export interface Meter {
  slug: string;
  name: string;
  appliance: string | null;
  /** The slug of the meter that this one's power is part of. */
  parent: string | null;
  state: State | null;
  /** The use that it is in, null while it is in none. */
  run: Run | null;
  power_w: number | null;
  /** RFC 3339 time of the newest reading. */
  at: string | null;
  today_wh: number;
  /** 0..1: the share of today so far that was measured. */
  today_coverage: number;
  silent: boolean;
}

export interface NewDevice {
  source: string;
  address: string;
  power_w: number | null;
  current_a: number | null;
  at: string;
  hint: string | null;
}

/** A metered channel of a device that was found; `meter` is the slug of the meter that it measures for. */
export interface Channel {
  address: string;
  meter: string | null;
}

export interface Finding {
  source: string;
  name: string | null;
  model: string | null;
  /** How it is reached: an IP address, a topic, a serial port. */
  where: string;
  /** What a person must know or do first. */
  note: string | null;
  channels: Channel[];
  /** Its source runs and reads it, so that it can become a meter at once. */
  adoptable: boolean;
  /** The lines that the config file needs otherwise. */
  config: string;
}

/** The search for devices that runs or, if none does, the last one. */
export interface Discovery {
  running: boolean;
  started: string | null;
  finished: string | null;
  /** The sources that are still looking. */
  waiting: string[];
  found: Finding[];
  failed: { source: string; why: string }[];
}

export interface MetersDocument {
  home: Home;
  meters: Meter[];
  new_devices: NewDevice[];
}

export interface SourceHealth {
  name: string;
  state: "running" | "restarting" | "ended";
  since: string | null;
  failures: number;
  last_error: string | null;
}

export interface Health {
  status: "ok" | "degraded" | "failing";
  version: string;
  store: { trouble: string | null };
  sources: SourceHealth[];
}

/** Columns at one minute or a quarter-hour; `null` where nothing was measured. */
export interface Readings {
  meter: string;
  resolution: string;
  time_ms: number[];
  power_w: (number | null)[];
  min_w: (number | null)[];
  max_w: (number | null)[];
  measured_s: (number | null)[];
}

export interface EnergyBucket {
  start: string;
  end: string;
  energy_wh: number;
  measured_s: number;
  coverage: number;
  max_w: number | null;
}

export interface Energy {
  meter: string;
  buckets: EnergyBucket[];
  total: EnergyBucket;
}

/** What of a reading is kept but not counted, as it cannot be true. */
export interface Suspect {
  at: string;
  cause: "power" | "jump";
  /** What a jump would have counted. */
  energy_wh: number;
  power_w?: number;
  register_wh?: number;
  charge_as?: number;
}

/** A decision on the readings from a time until before another. */
export interface Correction {
  id: number;
  action: "restore" | "discard";
  from: string;
  to: string;
  made: string;
  note: string | null;
}

/** A correction that was made or taken back, and the days that are different by it. */
export interface Repaired {
  correction: Correction;
  days: { meter: string; date: string; before_wh: number; after_wh: number }[];
}

export interface Adoption {
  slug: string;
  name: string;
  appliance: string | null;
  source: string;
  address: string;
  parent: string | null;
}
