"""Quarter-hours made up day by day, for tests of what is reckoned with them."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.engine.days import Days, by_day
from casawatt.engine.localtime import day_edges, day_start
from casawatt.model.columns import Int64Array
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters

ROME = ZoneInfo("Europe/Rome")


def edges_of(first: date, count: int) -> Int64Array:
    """Return where `count` days of Rome begin, and where the last ends."""
    end_ms = day_start(ROME, first + timedelta(days=count))
    return np.array(day_edges(ROME, day_start(ROME, first), end_ms), np.int64)


def steady(edges_ms: Int64Array, power_w: float | Callable[[datetime], float]) -> Quarters:
    """Return quarter-hours wholly measured, of a power or of what it is at each one's local time."""
    start_ms = np.arange(edges_ms[0], edges_ms[-1], INTERVAL_MS)
    if callable(power_w):
        watts = [power_w(datetime.fromtimestamp(each / 1000, ROME)) for each in start_ms.tolist()]
    else:
        watts = [power_w] * len(start_ms)
    power_mw = np.array([round(each * 1000) for each in watts], np.int64)
    return Quarters(start_ms, power_mw // 4, np.full(len(start_ms), INTERVAL_MS), power_mw)


def kept(quarters: Quarters, places: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Quarters:
    """Return some of the quarter-hours."""
    return Quarters(
        quarters.start_ms[places], quarters.energy_mwh[places], quarters.measured_ms[places], quarters.max_mw[places]
    )


def days_of(first: date, count: int, power_w: float | Callable[[datetime], float]) -> Days:
    """Return days of such a power."""
    edges_ms = edges_of(first, count)
    return by_day(steady(edges_ms, power_w), edges_ms)
