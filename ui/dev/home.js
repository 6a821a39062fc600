/** A made-up home for developing the pages: every curve is a function of time. */

const MINUTE_MS = 60_000;

function noise(seed, n) {
  const x = Math.sin(seed * 127.1 + n * 311.7) * 43758.5453;
  return x - Math.floor(x);
}

function hourOf(timeMs) {
  return ((timeMs / 3_600_000) % 24) + 1;
}

/** Compressor cycles: on for a third of some forty minutes. */
function cycling(seed, watts, periodMin) {
  return (timeMs) => {
    const minute = timeMs / MINUTE_MS + seed * 17;
    const phase = (minute % periodMin) / periodMin;
    const start = phase < 0.02 ? watts * 2.4 : watts;
    return phase < 0.36 ? start + 6 * noise(seed, Math.floor(minute * 6)) : 1.2;
  };
}

function between(fromHour, toHour, inside, outside) {
  return (timeMs) => {
    const hour = hourOf(timeMs);
    return hour >= fromHour && hour < toHour ? inside(hour - fromHour, timeMs) : outside;
  };
}

const wash = between(
  8.2,
  9.9,
  (hours, t) =>
    hours < 0.45
      ? 2050 + 40 * noise(3, Math.floor(t / 20_000))
      : 140 + 260 * noise(4, Math.floor(t / 40_000)),
  0.6,
);
const dish = between(13.4, 15.1, (hours) => (hours % 0.9 < 0.3 ? 1980 : 62), 0.4);
const desk = between(
  7.8,
  22.5,
  (_, t) => 88 + 55 * noise(5, Math.floor(t / 30_000)) + 30 * noise(6, Math.floor(t / 1_500_000)),
  3.1,
);
const tea = (t) => {
  const n = Math.floor(t / (97 * MINUTE_MS));
  const into = t - n * 97 * MINUTE_MS;
  const hour = hourOf(t);
  return hour > 6.5 && hour < 23 && into < (2.5 + 2 * noise(7, n)) * MINUTE_MS ? 1840 : 0;
};
const tv = between(18.6, 23.2, (_, t) => 104 + 22 * noise(8, Math.floor(t / 8_000)), 0.9);
const light = (t) => {
  const hour = hourOf(t);
  return (hour < 7.6 && hour > 6.1) || hour > 16.8
    ? 46 + 24 * Math.round(noise(9, Math.floor(t / 2_400_000)))
    : 0;
};
const print = between(
  10.5,
  16.5,
  (hours, t) => (hours < 0.15 ? 310 : 92 + 75 * noise(10, Math.floor(t / 9_000))),
  4,
);
const standby = (t) => 118 + 14 * noise(11, Math.floor(t / 60_000)) + (hourOf(t) > 17 ? 90 : 0);

export const METERS = [
  { slug: "fridge", name: "Fridge", appliance: "fridge", power: cycling(1, 86, 43) },
  { slug: "washing-machine", name: "Washing machine", appliance: "washing_machine", power: wash },
  { slug: "dishwasher", name: "Dishwasher", appliance: "dishwasher", power: dish },
  { slug: "desk", name: "Desk", appliance: "computer", power: desk },
  { slug: "kettle", name: "Kettle", appliance: "kettle", power: tea },
  { slug: "television", name: "Television", appliance: "tv", power: tv },
  { slug: "living-room-lights", name: "Living room lights", appliance: "light", power: light },
  { slug: "printer", name: "3D printer", appliance: "3d_printer", power: print },
].map((meter) => ({ ...meter, parent: "mains" }));

export const MAINS = {
  slug: "mains",
  name: "Mains",
  appliance: "mains",
  parent: null,
  power: (t) => standby(t) + METERS.reduce((sum, meter) => sum + meter.power(t), 0),
};

/** A meter's minutes as the API gives them; `gaps` are spans in which nothing was measured. */
export function minutes(meter, startMs, endMs, stepMs, gaps) {
  const answer = { time_ms: [], power_w: [], min_w: [], max_w: [], measured_s: [] };
  for (let t = startMs; t < endMs; t += stepMs) {
    if (gaps.some(([from, to]) => t >= from && t < to)) continue;
    const values = [0.05, 0.25, 0.45, 0.65, 0.85].map((part) => meter.power(t + part * stepMs));
    answer.time_ms.push(t);
    answer.power_w.push(values.reduce((a, b) => a + b, 0) / values.length);
    answer.min_w.push(Math.min(...values));
    answer.max_w.push(Math.max(...values));
    answer.measured_s.push(stepMs / 1000);
  }
  return answer;
}

export function energyWh(meter, startMs, endMs, gaps) {
  const { power_w: powerW } = minutes(meter, startMs, endMs, MINUTE_MS, gaps);
  return { wh: powerW.reduce((sum, watts) => sum + watts / 60, 0), measuredMs: powerW.length * MINUTE_MS };
}
