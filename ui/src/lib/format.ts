/** Numbers for people, in the browser's language. Unknown is always `–`, never 0. */

export const UNKNOWN = "–";

export interface Quantity {
  text: string;
  unit: string;
}

const formats = new Map<string, Intl.NumberFormat>();

function fixed(value: number, digits: number, locale?: string): string {
  const key = `${locale ?? ""}/${String(digits)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      signDisplay: "negative",
    });
    formats.set(key, format);
  }
  return format.format(value);
}

/** Watts below 1000, then kilowatts. */
export function power(powerW: number | null, locale?: string): Quantity {
  if (powerW === null) return { text: UNKNOWN, unit: "W" };
  const size = Math.abs(powerW);
  if (size >= 999.5) return { text: fixed(powerW / 1000, size >= 99_995 ? 1 : 2, locale), unit: "kW" };
  return { text: fixed(powerW, size > 0 && size < 9.95 ? 1 : 0, locale), unit: "W" };
}

/** Always kilowatt-hours, so that figures in a column compare at a glance. */
export function energy(energyWh: number | null, locale?: string): Quantity {
  if (energyWh === null) return { text: UNKNOWN, unit: "kWh" };
  const kwh = energyWh / 1000;
  return { text: fixed(kwh, Math.abs(kwh) >= 99.995 ? 1 : 2, locale), unit: "kWh" };
}

export function current(currentA: number, locale?: string): Quantity {
  return { text: fixed(currentA, 2, locale), unit: "A" };
}

export function joined(quantity: Quantity): string {
  return `${quantity.text}\u00a0${quantity.unit}`;
}

/** Whole percent, rounded down so that `100 %` means all of it. */
export function percent(ratio: number, locale?: string): string {
  return new Intl.NumberFormat(locale, { style: "percent" }).format(Math.floor(ratio * 100 + 1e-9) / 100);
}

/** True when a figure misses so much that it has to be said. */
export function isPartial(coverage: number | null): coverage is number {
  return coverage !== null && coverage < 0.99;
}
