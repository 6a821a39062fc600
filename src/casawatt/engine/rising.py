"""Whether an appliance uses more than it used to: a fridge that is going bad, a filter that is clogged.

Recent values are compared with earlier ones by the rank-sum test of Mann and Whitney (1947), which asks only which is
larger: one hot day or one party decides nothing. Beside being significant, the rise must be too large for a season.
"""

from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from casawatt.engine.days import Days
from casawatt.engine.digest import median
from casawatt.model.columns import BoolArray, Int64Array
from casawatt.model.patterns import Rise

SIGNIFICANT_Z = 3.09
"""By chance alone one in a thousand comparisons gives more (normal distribution, one-sided)."""

RECENT_DAYS = 14
RECENT_LEAST = 10
BEFORE_DAYS = 42
BEFORE_LEAST = 20
YEAR_DAYS = 364
"""A year ago is 52 weeks ago, so that as many Sundays are compared."""

YEAR_ROUND_DAYS = 14
"""Compared with the recent days of a year ago are so many more on both sides too."""

STEADY_SPREAD = 0.25
"""Days are compared of what runs by itself: the robust standard deviation of its days is at most this share of them."""

DECILES_TO_SIGMA = 2.563
"""So many standard deviations lie between the first and the last decile of normally distributed values."""

LEAST_RATIO = {"a year ago": 1.20, "before": 1.25}
"""A hot summer makes a fridge use up to a fifth more than a cool one; two months make less than a quarter."""

TRIFLE_MWH = 50_000
"""Less more than this, a day or a run, is not worth a word: 18 kWh a year."""

RECENT_RUNS = 8
BEFORE_RUNS = 24
BEFORE_RUNS_LEAST = 12


def rising_by_day(slug: str, days: Days, place: int) -> Rise | None:
    """Return whether a meter uses more a day in the `RECENT_DAYS` before the day at `place`; None when it does not.

    The same season a year ago is asked first; where it was not measured, the `BEFORE_DAYS` before.
    """
    covered = days.covered
    recent = _chosen(days, covered, place - RECENT_DAYS, place)
    if len(recent) < RECENT_LEAST:
        return None
    year = place - YEAR_DAYS
    last_year = _chosen(days, covered, year - RECENT_DAYS - YEAR_ROUND_DAYS, year + YEAR_ROUND_DAYS)
    if len(last_year) >= BEFORE_LEAST:
        return _risen(slug, "day", "a year ago", recent, last_year)
    before = _chosen(days, covered, place - RECENT_DAYS - BEFORE_DAYS, place - RECENT_DAYS)
    return _risen(slug, "day", "before", recent, before) if len(before) >= BEFORE_LEAST else None


def _chosen(days: Days, covered: BoolArray, first: int, stop: int) -> Int64Array:
    """Return the energies of the days from `first` to before `stop` that are covered."""
    part = slice(max(first, 0), max(stop, 0))
    return days.energy_mwh[part][covered[part]]


def rising_by_run(slug: str, energies_mwh: Int64Array) -> Rise | None:
    """Return whether the last runs, of all in order of time, use more than those before them."""
    recent, before = energies_mwh[-RECENT_RUNS:], energies_mwh[-RECENT_RUNS - BEFORE_RUNS : -RECENT_RUNS]
    return _risen(slug, "run", "before", recent, before) if len(before) >= BEFORE_RUNS_LEAST else None


def _risen(
    slug: str,
    each: Literal["day", "run"],
    than: Literal["a year ago", "before"],
    recent: Int64Array,
    before: Int64Array,
) -> Rise | None:
    found = Rise(slug, each, than, median(recent), median(before), len(recent), len(before))
    more_mwh = found.recent_mwh - found.before_mwh
    if more_mwh < TRIFLE_MWH or found.recent_mwh < found.before_mwh * LEAST_RATIO[than]:
        return None
    if each == "day" and _spread(before) > STEADY_SPREAD * found.before_mwh:
        return None
    return found if rank_sum_z(recent, before) >= SIGNIFICANT_Z else None


def _spread(values: Int64Array) -> float:
    """Return the standard deviation of normally distributed values, by where nine in ten and one in ten lie below."""
    low, high = np.quantile(values, (0.1, 0.9))
    return float(high - low) / DECILES_TO_SIGMA


def rank_sum_z(values: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """Return by how many standard deviations `values` are larger than `others` (Mann and Whitney's U, ties by half)."""
    count, other_count = len(values), len(others)
    apart = np.sign(values[:, None] - others[None])
    larger = float((apart + 1).sum()) / 2
    deviation = sqrt(count * other_count * (count + other_count + 1) / 12)
    return (larger - count * other_count / 2) / deviation
