import { expect, test } from "vitest";

import { energy, isPartial, percent, power, UNKNOWN } from "../src/lib/format";

const text = (watts: number | null): string => {
  const { text: number, unit } = power(watts, "en-GB");
  return `${number} ${unit}`;
};

test("power is in watts below a thousand and in kilowatts from there", () => {
  expect([0, 4.26, 9.96, 999.4, 999.5, 1840, 123_456].map(text)).toEqual([
    "0 W",
    "4.3 W",
    "10 W",
    "999 W",
    "1.00 kW",
    "1.84 kW",
    "123.5 kW",
  ]);
});

test("power that flows back keeps its sign, and nothing is never minus nothing", () => {
  expect(text(-1520)).toBe("-1.52 kW");
  expect(text(-0.001)).toBe("0.0 W");
});

test("unknown is a dash and never zero", () => {
  expect(power(null).text).toBe(UNKNOWN);
  expect(energy(null).text).toBe(UNKNOWN);
});

test("energy is in kilowatt-hours in the reader's own notation", () => {
  expect(energy(7421, "en-GB").text).toBe("7.42");
  expect(energy(7421, "it-IT").text).toBe("7,42");
  expect(energy(123_456, "en-GB").text).toBe("123.5");
});

test("a share is rounded down so that a hundred percent means all of it", () => {
  expect(percent(0.839, "en-GB")).toBe("83%");
  expect(percent(0.999, "en-GB")).toBe("99%");
  expect(percent(1, "en-GB")).toBe("100%");
});

test("coverage is said only when something real is missing", () => {
  expect([0, 0.83, 0.985, 0.991, 1, null].map(isPartial)).toEqual([true, true, true, false, false, false]);
});
