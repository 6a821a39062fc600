"""How a meter's energy and power ran between records: for charts by the minute and for parts of a quarter-hour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from casawatt.engine.calibrations import settings_at
from casawatt.engine.curve import Curve, curve
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

    `columns` reach from the record before the first edge to the one after the last, or further, where there are such.
    """
    count = len(edges_ms) - 1
    run = curve(columns, calibrations)
    time_ms = run.time_ms
    if len(time_ms) < 2:
        nothing = np.zeros(count, np.int64)
        return Shape(nothing, nothing, np.full(count, NO_MIN), np.full(count, NO_MAX))
    passed = time_ms.searchsorted(edges_ms, "right")
    energy_uj, measured_ms = run.at(edges_ms, passed)
    # The spans that reach in: from the record not later than one edge to the one not earlier than the next.
    first = np.maximum(passed[:-1] - 1, 0)
    on_edge = time_ms[np.maximum(passed[1:] - 1, 0)] == edges_ms[1:]
    stop = np.minimum(passed[1:] - on_edge, len(time_ms) - 1)
    low_mw, high_mw = _extremes(run, settings_at(calibrations, time_ms).polled, first, stop)
    measured_ms = measured_ms[1:] - measured_ms[:-1]
    nothing = (measured_ms == 0) | (first >= stop)
    if nothing.any():
        low_mw[nothing], high_mw[nothing] = NO_MIN, NO_MAX
    return Shape((energy_uj[1:] - energy_uj[:-1]).astype(np.int64, copy=False), measured_ms, low_mw, high_mw)


def _extremes(run: Curve, polled: Int64Array, first: Int64Array, stop: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return the lowest and highest power over the measured spans `first` to before `stop`, anything for no spans."""
    power_mw, measured = run.power_mw, run.measured
    absent = power_mw == ABSENT
    if absent.any():
        said = np.maximum.accumulate(np.where(absent, -1, np.arange(len(power_mw))))
        known = said[:-1] >= 0
        measured = known if measured is None else measured & known
        power_mw = power_mw[np.maximum(said, 0)]
    straight = polled.astype(np.bool_)
    if measured is None and straight.all():
        # Both ends of each span count: the records themselves are looked through.
        return _least_and_most(power_mw, power_mw, first, stop + 1)
    low_mw = high_mw = power_mw[:-1]
    if straight.any():
        straight = straight[1:] if len(straight) > 1 else straight
        low_mw = np.where(straight, np.minimum(power_mw[:-1], power_mw[1:]), low_mw)
        high_mw = np.where(straight, np.maximum(power_mw[:-1], power_mw[1:]), high_mw)
    if measured is not None:
        low_mw, high_mw = np.where(measured, low_mw, NO_MIN), np.where(measured, high_mw, NO_MAX)
    return _least_and_most(low_mw, high_mw, first, stop)


def _least_and_most(
    low: Int64Array, high: Int64Array, first: Int64Array, stop: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Return the least of `low` and the greatest of `high` from each `first` to before its `stop`."""
    last = len(low) - 1
    # The last value is left to a place of its own: reduceat takes no place beyond the end.
    places = np.empty(2 * len(first), np.int64)
    np.minimum(first, last, out=places[::2])
    np.minimum(stop, last, out=places[1::2])
    least, most = np.minimum.reduceat(low, places)[::2], np.maximum.reduceat(high, places)[::2]
    at_end = stop > last
    if at_end.any():
        least[at_end] = np.minimum(least[at_end], low[last])
        most[at_end] = np.maximum(most[at_end], high[last])
    return least, most
