"""The local days of one meter, many at once: energy, coverage, standby power and highest power of each.

A quarter-hour is *measured enough* when at least half of it was; its mean power is then energy by measured time.
"""

from dataclasses import dataclass

import numpy as np

from casawatt.model.columns import ABSENT, BoolArray, Int64Array
from casawatt.model.interval import INTERVAL_MS, MICROJOULES_PER_MWH
from casawatt.model.quarters import Quarters

QUIET_SHARE = 4
"""The quiet hours of a day are that part of its quarter-hours, the ones with the least power."""

QUIET_OF_LEAST = 24
"""With fewer quarter-hours that are measured enough, six hours, a day's standby power is not said."""

COVERED_PERCENT = 90
"""A day of which so much was measured is compared with others."""

_MUCH = 2**62


@dataclass(frozen=True, slots=True)
class Days:
    """D consecutive local days of one meter, one value a day; `ABSENT` where it cannot be said.

    `edges_ms` (D + 1): where they begin, and where the last ends. `mean_mw`: over quarter-hours measured enough.
    `standby_mw`: see `standby`. `max_mw`: the highest power of any quarter-hour, `max_at_ms` the begin of the first
    that has it.
    """

    edges_ms: Int64Array
    energy_mwh: Int64Array
    measured_ms: Int64Array
    mean_mw: Int64Array
    standby_mw: Int64Array
    max_mw: Int64Array
    max_at_ms: Int64Array

    def __len__(self) -> int:
        return len(self.energy_mwh)

    @property
    def covered(self) -> BoolArray:
        """Which days are measured to `COVERED_PERCENT`."""
        lengths_ms = self.edges_ms[1:] - self.edges_ms[:-1]
        covered: BoolArray = self.measured_ms * 100 >= lengths_ms * COVERED_PERCENT
        return covered


def enough(quarters: Quarters) -> BoolArray:
    """Say which quarter-hours are measured enough."""
    return quarters.measured_ms * 2 >= INTERVAL_MS


def mean_mw(energy_uj: Int64Array, measured_ms: Int64Array) -> Int64Array:
    """Return mean power over measured time, rounded half up; `ABSENT` where no time was measured."""
    time_ms = np.maximum(measured_ms, 1)
    power_mw = (2 * energy_uj + time_ms) // (2 * time_ms)
    return np.where(measured_ms > 0, power_mw, ABSENT)


def by_day(quarters: Quarters, edges_ms: Int64Array) -> Days:
    """Return the days between ascending edges (UTC ms, on the grid of the quarter-hours)."""
    places = np.searchsorted(quarters.start_ms, edges_ms)
    good = enough(quarters)
    energy_uj = quarters.energy_mwh * MICROJOULES_PER_MWH
    mean = mean_mw(sums(energy_uj * good, places), sums(quarters.measured_ms * good, places))
    table = _table(places)
    if not table.size:
        none = np.full(len(edges_ms) - 1, ABSENT)
        zeros = np.zeros(len(edges_ms) - 1, np.int64)
        return Days(edges_ms, zeros, zeros, none, none, none, none)
    inside = table >= 0
    power = np.where(good, mean_mw(energy_uj, quarters.measured_ms), _MUCH)
    highest = np.where(inside, quarters.max_mw[table], ABSENT)
    first = highest.argmax(axis=1)[:, None]
    max_mw = np.take_along_axis(highest, first, 1)[:, 0]
    max_at_ms = quarters.start_ms[np.maximum(np.take_along_axis(table, first, 1)[:, 0], 0)]
    return Days(
        edges_ms,
        sums(quarters.energy_mwh, places),
        sums(quarters.measured_ms, places),
        mean,
        standby(np.where(inside, power[table], _MUCH)),
        max_mw,
        np.where(max_mw == ABSENT, ABSENT, max_at_ms),
    )


def standby(power_mw: Int64Array) -> Int64Array:
    """Return the standby power (mW) of each row: the median of the quiet hours, a quarter of its quarter-hours.

    `power_mw`: D rows of mean powers; at least 2**62 where a quarter-hour is not there or not measured enough. A row
    with fewer than `QUIET_OF_LEAST` has none. The notion is the idle load of NRDC, Home Idle Load (2015): the power
    that flows when nobody acts. The median of the quiet hours stands for it: the least hour may be an outage.
    """
    ordered = np.sort(power_mw, axis=1)
    count = (power_mw < _MUCH).sum(axis=1)
    quiet = np.maximum(count // QUIET_SHARE, 1)
    low = np.take_along_axis(ordered, ((quiet - 1) // 2)[:, None], 1)[:, 0]
    high = np.take_along_axis(ordered, (quiet // 2)[:, None], 1)[:, 0]
    said = count >= QUIET_OF_LEAST
    return np.where(said, (np.where(said, low, 0) + np.where(said, high, 0)) // 2, ABSENT)


def sums(values: Int64Array, places: Int64Array) -> Int64Array:
    """Return the sum of the values from each place to before the next."""
    until = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))[places]
    return until[1:] - until[:-1]


def _table(places: Int64Array) -> Int64Array:
    """Return the places from each of `places` to before the next as a row, filled up with -1."""
    counts = places[1:] - places[:-1]
    columns = np.arange(int(counts.max(initial=0)))
    return np.where(columns < counts[:, None], places[:-1, None] + columns, -1)
