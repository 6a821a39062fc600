import { describe, expect, test } from "vitest";

import { hrefOf, parseRoute } from "../src/lib/route";
import { slugOf } from "../src/lib/slug";
import { addDays, clock, dateAt, dayEdges, HOUR_MS, hourMarks, moment } from "../src/lib/time";

const ROME = "Europe/Rome";
const hours = (date: string, zone: string): number => {
  const { startMs, endMs } = dayEdges(date, zone);
  return (endMs - startMs) / HOUR_MS;
};

describe("a local day", () => {
  test("has 24 hours, but 23 in spring and 25 in autumn", () => {
    expect(hours("2025-03-29", ROME)).toBe(24);
    expect(hours("2025-03-30", ROME)).toBe(23);
    expect(hours("2025-10-26", ROME)).toBe(25);
  });

  test("begins at the home's midnight, wherever the browser is", () => {
    expect(new Date(dayEdges("2025-07-01", ROME).startMs).toISOString()).toBe("2025-06-30T22:00:00.000Z");
    expect(new Date(dayEdges("2025-07-01", "America/New_York").startMs).toISOString()).toBe(
      "2025-07-01T04:00:00.000Z",
    );
  });

  test("begins at one o'clock where the clocks skip midnight", () => {
    const { startMs } = dayEdges("2025-04-25", "Africa/Cairo");
    expect(clock(startMs, "Africa/Cairo", "en-GB")).toBe("01:00");
    expect(hours("2025-04-25", "Africa/Cairo")).toBe(23);
  });

  test("is the date on the home's wall", () => {
    expect(dateAt(Date.parse("2025-07-01T22:30:00Z"), ROME)).toBe("2025-07-02");
    expect(addDays("2025-02-28", 1)).toBe("2025-03-01");
  });
});

test("hour marks stand at even local hours on a day that loses one", () => {
  const { startMs, endMs } = dayEdges("2025-03-30", ROME);
  const marks = hourMarks(startMs, endMs, 6, ROME).map((timeMs) => clock(timeMs, ROME, "en-GB"));
  expect(marks).toEqual(["00:00", "06:00", "12:00", "18:00"]);
});

test("a moment of another day says which", () => {
  const nowMs = Date.parse("2025-07-02T10:00:00Z");
  expect(moment(Date.parse("2025-07-02T08:05:00Z"), nowMs, ROME, "en-GB")).toBe("10:05");
  expect(moment(Date.parse("2025-07-01T08:05:00Z"), nowMs, ROME, "en-GB")).toBe("1 Jul, 10:05");
});

test("a route survives the address and back", () => {
  for (const route of [
    { slug: null, date: null },
    { slug: null, date: "2025-03-30" },
    { slug: "washing-machine", date: null },
    { slug: "washing-machine", date: "2025-03-30" },
  ]) {
    expect(parseRoute(hrefOf(route))).toEqual(route);
  }
});

test("an address that means nothing is the whole home today", () => {
  for (const hash of ["", "#", "#/", "#/nonsense", "#/meter/", "#/2025-99-99", "#/meter/%"]) {
    expect(parseRoute(hash)).toEqual({ slug: null, date: null });
  }
});

test("a slug is plain words of the name and differs from those taken", () => {
  expect(slugOf("Lavatrice (bagno)", [])).toBe("lavatrice-bagno");
  expect(slugOf("Kühlschrank Straße", [])).toBe("kuhlschrank-strasse");
  expect(slugOf("Fridge", ["fridge", "fridge-2"])).toBe("fridge-3");
  expect(slugOf("冷蔵庫", [])).toBe("meter");
  expect(slugOf("x".repeat(90), []).length).toBeLessThanOrEqual(64);
});
