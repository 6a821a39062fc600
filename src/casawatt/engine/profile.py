"""The usual day of each weekday, by the clock on the wall, and how far today is from it."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from casawatt.engine.days import COVERED_PERCENT, enough, mean_mw
from casawatt.engine.walltime import wall_time
from casawatt.model.columns import ABSENT, Int64Array
from casawatt.model.interval import INTERVAL_MS, MICROJOULES_PER_MWH
from casawatt.model.patterns import SLOTS, Profile, Unusual, Values
from casawatt.model.quarters import Quarters

SLOT_MIN = 15
LEAST_DAYS = 3

REFERENCE_DAYS = 28
"""Today is compared with so many days before it."""

REFERENCE_LEAST = 14
MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of normally distributed values, times this, is their standard deviation."""

FAR_SIGMA = 3.0
"""So far is an outlier: the strictest rule of Leys et al., Detecting outliers, J. Exp. Soc. Psychol. 49 (2013)."""

TRIFLE_MWH = 250_000
TRIFLE_PERCENT = 20
"""Less away from the usual than both of these is never unusual."""

_MUCH = 2**62


@dataclass(frozen=True, slots=True)
class WallDays:
    """D local days, ascending `day` as `date.toordinal` counts, by the 96 quarter-hours of the clock: D x 96 values.

    `energy_mwh` and `measured_ms`: of all that was then. An hour that comes twice adds up, one that is left out is 0.
    `power_mw`: the mean over quarter-hours measured enough, `ABSENT` where none is.
    """

    day: Int64Array
    energy_mwh: Int64Array
    measured_ms: Int64Array
    power_mw: Int64Array


def by_wall_clock(quarters: Quarters, zone: ZoneInfo) -> WallDays:
    """Return quarter-hours in ascending time as days of the clock on the wall; days without any are left out."""
    wall = wall_time(zone, quarters.start_ms)
    day, row = np.unique(wall.day, return_inverse=True)
    cell = row * SLOTS + wall.minute // SLOT_MIN
    good = enough(quarters)
    energy_uj = _cells(cell[good], quarters.energy_mwh[good] * MICROJOULES_PER_MWH, len(day))
    power_mw = mean_mw(energy_uj, _cells(cell[good], quarters.measured_ms[good], len(day)))
    energy_mwh = _cells(cell, quarters.energy_mwh, len(day))
    return WallDays(day, energy_mwh, _cells(cell, quarters.measured_ms, len(day)), power_mw)


def _cells(cell: Int64Array, values: Int64Array, rows: int) -> Int64Array:
    """Return the sums of values by their cell, in rows of a day. Exact below 2**53."""
    sums = np.bincount(cell, weights=values, minlength=rows * SLOTS)
    return np.rint(sums).astype(np.int64).reshape(rows, SLOTS)


def profiles(days: WallDays) -> tuple[Profile, ...]:
    """Return the usual day of each weekday that at least `LEAST_DAYS` days say something of."""
    weekday = (days.day + 6) % 7
    found = []
    for number in range(7):
        power_mw = days.power_mw[weekday == number]
        if len(power_mw) < LEAST_DAYS:
            continue
        ordered = np.sort(np.where(power_mw == ABSENT, _MUCH, power_mw), axis=0)
        count = (power_mw != ABSENT).sum(axis=0)
        if count.max() < LEAST_DAYS:
            continue
        low, middle, high = (_quantile(ordered, count, share) for share in (0.25, 0.5, 0.75))
        found.append(Profile(number, int(count.max()), low, middle, high))
    return tuple(found)


def _quantile(ordered: Int64Array, count: NDArray[np.int64], share: float) -> Values:
    """Return a quantile of each column's first `count` values, linearly between two (Hyndman and Fan's type 7)."""
    said = count >= LEAST_DAYS
    place = np.where(said, (count - 1) * share, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    low, high = (np.take_along_axis(ordered, each[None], 0)[0] for each in (below, above))
    values = np.where(said, low, 0) + np.rint((place - below) * np.where(said, high - low, 0)).astype(np.int64)
    return tuple(value if is_said else None for value, is_said in zip(values.tolist(), said.tolist(), strict=True))


def unusual(slug: str | None, days: WallDays, today: int, minute: int) -> Unusual | None:
    """Return in what today's energy up to a minute of the clock is unusual, None when it is not or nobody can tell.

    It is when it is more than on every one of the last `REFERENCE_DAYS` days by then (those measured to
    `COVERED_PERCENT`, at least `REFERENCE_LEAST`), more than `FAR_SIGMA` robust standard deviations above their median,
    and no trifle; or likewise less, if today is measured as well. `today` is the day as `date.toordinal` counts.
    """
    slots = minute // SLOT_MIN
    now = np.flatnonzero(days.day == today)
    if not len(now) or not slots:
        return None
    until_mwh = days.energy_mwh[:, :slots].sum(axis=1)
    covered = days.measured_ms[:, :slots].sum(axis=1) * 100 >= slots * INTERVAL_MS * COVERED_PERCENT
    chosen = covered & (days.day < today) & (days.day >= today - REFERENCE_DAYS)
    before = until_mwh[chosen]
    if len(before) < REFERENCE_LEAST:
        return None
    energy_mwh = int(until_mwh[now[0]])
    middle = float(np.median(before))
    spread = FAR_SIGMA * MAD_TO_SIGMA * float(np.median(np.abs(before - middle)))
    alike = before[(days.day[chosen] - today) % 7 == 0]
    usual_mwh = int(np.median(alike if len(alike) >= LEAST_DAYS else before))
    trifle = max(TRIFLE_MWH, abs(usual_mwh) * TRIFLE_PERCENT // 100)
    more = energy_mwh > before.max() and energy_mwh - middle > spread and energy_mwh - usual_mwh > trifle
    less = energy_mwh < before.min() and middle - energy_mwh > spread and usual_mwh - energy_mwh > trifle
    if not more and not (less and covered[now[0]]):
        return None
    extreme_mwh = int(before.max() if more else before.min())
    return Unusual(slug, slots * SLOT_MIN, energy_mwh, usual_mwh, extreme_mwh, len(before), more)
