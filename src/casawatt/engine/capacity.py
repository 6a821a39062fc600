"""A charge on the highest quarter-hours of the last months, as in Flanders.

Source: VREG, tariff methodology 2021-2024: the mean of the last twelve monthly peaks, each the highest mean power of
a clock quarter-hour in the month and at least 2.5 kW.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from casawatt.engine.localtime import day_start
from casawatt.model.quarters import Quarters

MONTHS = 12
_KW_PER_QUARTER_MWH = Fraction(4, 1_000_000)


@dataclass(frozen=True, slots=True)
class MonthlyPeak:
    """The highest mean power of a quarter-hour in a calendar month; `start_ms`: which, None when none was measured."""

    month: date
    peak_kw: Fraction
    start_ms: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is charged for a month: `mean_kw` of the `peaks`, oldest first, none below `least_kw`."""

    peaks: tuple[MonthlyPeak, ...]
    least_kw: Fraction
    mean_kw: Fraction


def monthly_charges(quarters: Quarters, month: date, zone: ZoneInfo, least_w: Decimal) -> Capacity:
    """Return what a capacity charge of a calendar month is reckoned by: its peak and those of the eleven before it.

    Months before the first quarter-hour that is known are left out; the mean is of those that are there.
    """
    least_kw = Fraction(least_w) / 1000
    first = month.replace(day=1)
    months = [_before(first, back) for back in reversed(range(MONTHS))]
    peaks = [_peak(quarters, each, zone) for each in months]
    known = [each for each in peaks if each.start_ms is not None or each.month == first]
    mean_kw = sum((max(each.peak_kw, least_kw) for each in known), Fraction(0)) / len(known)
    return Capacity(tuple(known), least_kw, mean_kw)


def _before(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _peak(quarters: Quarters, month: date, zone: ZoneInfo) -> MonthlyPeak:
    mine = quarters.between(day_start(zone, month), day_start(zone, _before(month, -1)))
    if not len(mine):
        return MonthlyPeak(month, Fraction(0), None, None)
    place = int(mine.energy_mwh.argmax())
    start_ms = int(mine.start_ms[place])
    at = datetime.fromtimestamp(start_ms // 1000, zone)
    return MonthlyPeak(month, int(mine.energy_mwh[place]) * _KW_PER_QUARTER_MWH, start_ms, at)
