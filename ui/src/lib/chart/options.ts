/** How uPlot draws a day: horizontal lines only, gaps as gaps, colours from the style sheet. */

import type uPlot from "uplot";

import { power } from "../format";
import { hourLabel, hourMarks } from "../time";
import { isolated } from "./series";

export const AXIS_LEFT = 46;
export const PAD_RIGHT = 12;
const MIN_TOP_W = 100;

export function cssColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** From zero, or below it where power flows back, to a little over the greatest value. */
function powerRange(_: uPlot, least: number | null, greatest: number | null): uPlot.Range.MinMax {
  const top = Math.max(greatest ?? 0, MIN_TOP_W);
  const bottom = Math.min(least ?? 0, 0);
  return [bottom * 1.06, top * 1.08];
}

function hourStep(width: number): number {
  if (width < 420) return 6;
  return width < 760 ? 4 : 3;
}

function lineSeries(): uPlot.Series {
  return {
    stroke: () => cssColour("--accent"),
    width: 1.4,
    fill: () => cssColour("--accent-faint"),
    spanGaps: false,
    points: {
      show: true,
      size: 4,
      width: 0,
      fill: () => cssColour("--accent"),
      filter: (plot, index) => isolated(Array.from(plot.data[index] ?? [])),
    },
  };
}

function edgeSeries(): uPlot.Series {
  return { width: 0, spanGaps: false, points: { show: false } };
}

export interface DayOptions {
  width: number;
  height: number;
  startMs: number;
  endMs: number;
  zone: string;
  onCursor: (timeMs: number | null) => void;
}

export function dayOptions(day: DayOptions): uPlot.Options {
  const { startMs, endMs, zone } = day;
  const muted = (): string => cssColour("--muted");
  const line = (): string => cssColour("--line");
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return {
    width: day.width,
    height: day.height,
    ms: 1,
    padding: [10, PAD_RIGHT, 0, 0],
    legend: { show: false },
    scales: { x: { time: true, range: () => [startMs, endMs] }, y: { range: powerRange } },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      points: {
        size: (_, index) => (index === 1 ? 9 : 0),
        width: (_, index) => (index === 1 ? 2 : 0),
        fill: () => cssColour("--surface"),
        stroke: () => cssColour("--accent"),
      },
    },
    series: [{}, lineSeries(), edgeSeries(), edgeSeries()],
    bands: [{ series: [3, 2], fill: () => cssColour("--accent-soft") }],
    axes: [
      {
        stroke: muted,
        font,
        size: 30,
        gap: 8,
        grid: { show: false },
        ticks: { show: false },
        splits: (plot) => hourMarks(startMs, endMs, hourStep(plot.width), zone),
        values: (_, marks) => marks.map((timeMs) => hourLabel(timeMs, zone)),
      },
      {
        stroke: muted,
        font,
        size: AXIS_LEFT,
        gap: 6,
        space: 44,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        values: (_, marks) => axisLabels(marks),
      },
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const { left, idx } = plot.cursor;
          const shown = left !== undefined && left !== null && left >= 0 && idx !== null && idx !== undefined;
          day.onCursor(shown ? plot.posToVal(left, "x") : null);
        },
      ],
    },
  };
}

/** One unit for the whole axis, written once at its top. */
export function axisLabels(marks: readonly number[], locale?: string): string[] {
  const inKw = marks.some((mark) => Math.abs(mark) >= 1000);
  const digits = inKw && marks.some((mark) => mark % 1000 !== 0) ? 1 : 0;
  const format = new Intl.NumberFormat(locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return marks.map((mark, row) => {
    const text = format.format(inKw ? mark / 1000 : mark);
    return row === marks.length - 1 ? `${text} ${inKw ? "kW" : power(0).unit}` : text;
  });
}
