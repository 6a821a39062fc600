"""How a meter's energy and power ran between records: for charts by the minute and for parts of a quarter-hour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from casawatt.engine.calibrations import settings_at
from casawatt.engine.curve import curve, power_mw_columns
from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.model.meter import Calibration
from casawatt.store.figures import NO_MAX, NO_MIN


@dataclass(frozen=True, slots=True)
class Shape:
    """What the records say about consecutive spans, N values each.

    Energy in microjoules, measured time in ms; `min_mw` is NO_MIN and `max_mw` NO_MAX where nothing was
    measured or no power is known.
    """

    energy_uj: Int64Array
    measured_ms: Int64Array
    min_mw: Int64Array
    max_mw: Int64Array


def shape(columns: Columns, calibrations: Sequence[Calibration], edges_ms: Int64Array) -> Shape:
    """Return what records say about the spans between N+1 ascending edges.

    `columns` reach from the record before the first edge to the one after the last, where there are such.
    """
    count = len(edges_ms) - 1
    if len(columns) < 2:
        nothing = np.zeros(count, np.int64)
        return Shape(nothing, nothing, np.full(count, NO_MIN), np.full(count, NO_MAX))
    run = curve(columns, calibrations)
    energy_uj, measured_ms = run.at(edges_ms)
    low_mw, high_mw = _extremes(columns, calibrations, np.diff(run.measured_ms) > 0, edges_ms)
    measured_ms = np.diff(measured_ms)
    low_mw[measured_ms == 0] = NO_MIN
    high_mw[measured_ms == 0] = NO_MAX
    return Shape(np.diff(energy_uj).astype(np.int64), measured_ms, low_mw, high_mw)


def _extremes(
    columns: Columns,
    calibrations: Sequence[Calibration],
    measured: np.ndarray[tuple[int], np.dtype[np.bool_]],
    edges_ms: Int64Array,
) -> tuple[Int64Array, Int64Array]:
    """Return the lowest and highest power between edges, over the measured spans between records that reach in."""
    power_mw = power_mw_columns(columns, calibrations)
    if (power_mw == ABSENT).any():
        said = np.maximum.accumulate(np.where(power_mw == ABSENT, -1, np.arange(len(power_mw))))
        measured = measured & (said[:-1] >= 0)
        power_mw = power_mw[np.maximum(said, 0)]
    low_mw = high_mw = power_mw[:-1]
    polled = settings_at(calibrations, columns.time_ms).polled.astype(np.bool_)
    if polled.any():
        polled = polled[1:] if len(polled) > 1 else polled
        low_mw = np.where(polled, np.minimum(power_mw[:-1], power_mw[1:]), low_mw)
        high_mw = np.where(polled, np.maximum(power_mw[:-1], power_mw[1:]), high_mw)
    if not measured.all():
        low_mw, high_mw = np.where(measured, low_mw, NO_MIN), np.where(measured, high_mw, NO_MAX)
    spans = len(low_mw)
    first = np.maximum(np.searchsorted(columns.time_ms, edges_ms[:-1], side="right") - 1, 0)
    stop = np.minimum(np.searchsorted(columns.time_ms, edges_ms[1:], side="left"), spans)
    # The last span is left to a place of its own: reduceat takes no place beyond the end.
    places = np.minimum(np.column_stack((first, stop)).ravel(), spans - 1)
    low, high = np.minimum.reduceat(low_mw, places)[::2], np.maximum.reduceat(high_mw, places)[::2]
    at_end = stop == spans
    low[at_end] = np.minimum(low[at_end], low_mw[-1])
    high[at_end] = np.maximum(high[at_end], high_mw[-1])
    return np.where(first < stop, low, NO_MIN), np.where(first < stop, high, NO_MAX)
