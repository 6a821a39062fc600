"""A day's power as means of so many minutes."""

import numpy as np

from casawatt.engine.days import mean_mw, sums
from casawatt.model.columns import ABSENT, Int64Array
from casawatt.model.digest import Curve

MINUTE_MS = 60_000
DAY_MIN = 1440


def check_resolution(minutes: int) -> int:
    """Return a resolution in minutes that divides a day; raises ValueError for any other."""
    if not 1 <= minutes <= DAY_MIN or DAY_MIN % minutes:
        message = f"{minutes} does not divide the 1440 minutes of a day; as 1, 5, 10, 15, 30 or 60 do"
        raise ValueError(message)
    return minutes


def resample(
    start_ms: Int64Array, energy_uj: Int64Array, measured_ms: Int64Array, span: tuple[int, int], minutes: int
) -> Curve:
    """Return the mean power of each `minutes` of a span (UTC ms), as the first MCEE program did with `MIN_TIME_RES`.

    The columns are energy and measured time of pieces that begin at `start_ms` and do not cross the edges. Where less
    than half of the time was measured the mean is None. The last piece of the day is shorter where the clocks change
    by less than `minutes`.
    """
    edges_ms = np.append(np.arange(span[0], span[1], minutes * MINUTE_MS), span[1])
    places = np.searchsorted(start_ms, edges_ms)
    energy_uj, measured_ms = sums(energy_uj, places), sums(measured_ms, places)
    power_mw = mean_mw(energy_uj, measured_ms)
    power_mw[measured_ms * 2 < edges_ms[1:] - edges_ms[:-1]] = ABSENT
    said = tuple(None if each == ABSENT else each for each in power_mw.tolist())
    return Curve(minutes, tuple(edges_ms[:-1].tolist()), said)
