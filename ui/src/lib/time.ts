/** The home's local days in a browser that may be elsewhere. Dates are `YYYY-MM-DD`. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

const parts = new Map<string, Intl.DateTimeFormat>();

function wallFormat(zone: string): Intl.DateTimeFormat {
  let format = parts.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    parts.set(zone, format);
  }
  return format;
}

/** What a clock on the wall shows at `timeMs`, as if that were UTC milliseconds. */
export function wallMs(timeMs: number, zone: string): number {
  const field: Record<string, number> = {};
  for (const part of wallFormat(zone).formatToParts(timeMs)) field[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((timeMs % 1000) + 1000) % 1000);
}

export function dateAt(timeMs: number, zone: string): string {
  return new Date(wallMs(timeMs, zone)).toISOString().slice(0, 10);
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 24 * HOUR_MS).toISOString().slice(0, 10);
}

export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

/** The first instant of a local date; where midnight is skipped, the first that exists. */
export function dayStart(date: string, zone: string): number {
  const wanted = Date.parse(`${date}T00:00:00Z`);
  const guess = wanted - (wallMs(wanted, zone) - wanted);
  const start = wanted - (wallMs(guess, zone) - guess);
  return dateAt(start, zone) < date ? start + HOUR_MS : start;
}

/** A local day as UTC milliseconds, end exclusive: 23, 24 or 25 hours long. */
export function dayEdges(date: string, zone: string): { startMs: number; endMs: number } {
  return { startMs: dayStart(date, zone), endMs: dayStart(addDays(date, 1), zone) };
}

/** The full local hours inside a day whose hour is a multiple of `step`. */
export function hourMarks(startMs: number, endMs: number, step: number, zone: string): number[] {
  const marks: number[] = [];
  for (let timeMs = startMs; timeMs < endMs; timeMs += HOUR_MS) {
    const wall = wallMs(timeMs, zone);
    if (wall % HOUR_MS === 0 && (wall / HOUR_MS) % step === 0) marks.push(timeMs);
  }
  return marks;
}

export function clock(timeMs: number, zone: string, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(
    timeMs,
  );
}

/** The clock time to the second. */
export function clockSeconds(timeMs: number, zone: string, locale?: string): string {
  return new Intl.DateTimeFormat(locale, {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).format(timeMs);
}

/** The hour alone where a locale has a short form for it (`6 AM`), else `06:00`. */
export function hourLabel(timeMs: number, zone: string, locale?: string): string {
  const hour12 = new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions().hour12;
  return hour12
    ? new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "numeric" }).format(timeMs)
    : clock(timeMs, zone, locale);
}

/** `Saturday 22 November`, with the year when it is not this one. */
export function longDate(date: string, today: string, locale?: string): string {
  const sameYear = date.slice(0, 4) === today.slice(0, 4);
  return new Intl.DateTimeFormat(locale, {
    timeZone: "UTC",
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(sameYear ? {} : { year: "numeric" }),
  }).format(Date.parse(`${date}T00:00:00Z`));
}

/** The clock time, with the day before it when that is not today. */
export function moment(timeMs: number, nowMs: number, zone: string, locale?: string): string {
  const time = clock(timeMs, zone, locale);
  if (dateAt(timeMs, zone) === dateAt(nowMs, zone)) return time;
  const day = new Intl.DateTimeFormat(locale, { timeZone: zone, day: "numeric", month: "short" });
  return `${day.format(timeMs)}, ${time}`;
}
