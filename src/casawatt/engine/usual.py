"""What is usual over many days: the power that always flows, and the days' peaks."""

import numpy as np

from casawatt.engine.days import Days
from casawatt.engine.digest import median
from casawatt.model.columns import ABSENT
from casawatt.model.digest import Standby
from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.patterns import Base, DayPeak, Peaks

LAST_DAYS = 28
LEAST_DAYS = 7
"""What is usual is said of the last `LAST_DAYS` days if at least so many of them say it."""

PEAKS_SHOWN = 3


def base_load(days: Days, place: int) -> Base | None:
    """Return what always flows, by the days before the one at `place`: the median of their standby power.

    The median of 28 days is moved neither by a holiday nor by a party.
    """
    part = slice(max(place - LAST_DAYS, 0), place)
    standby_mw = days.standby_mw[part]
    said = standby_mw != ABSENT
    if said.sum() < LEAST_DAYS:
        return None
    power_mw = median(standby_mw[said])
    energy_mwh = int(days.energy_mwh[part][said].sum())
    always_mwh = power_mw * int(days.measured_ms[part][said].sum()) // MICROJOULES_PER_MWH
    percent = round(100 * always_mwh / energy_mwh) if energy_mwh > 0 else None
    return Base(Standby(power_mw, None), int(said.sum()), percent)


def peaks(days: Days, place: int) -> Peaks | None:
    """Return the peaks of the days before the one at `place`."""
    part = slice(max(place - LAST_DAYS, 0), place)
    max_mw, at_ms = days.max_mw[part], days.max_at_ms[part]
    said = max_mw != ABSENT
    if said.sum() < LEAST_DAYS:
        return None
    max_mw, at_ms = max_mw[said], at_ms[said]
    order = np.argsort(-max_mw, kind="stable")[:PEAKS_SHOWN]
    highest = tuple(DayPeak(int(max_mw[each]), int(at_ms[each])) for each in order.tolist())
    return Peaks(highest, median(max_mw), len(max_mw))
