"""What a local day is summed up to, from its meter's days and what is known beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from casawatt.engine.days import COVERED_PERCENT, Days
from casawatt.engine.spans import Span, union
from casawatt.model.columns import ABSENT, Int64Array
from casawatt.model.digest import Curve, DayRun, Part, Peak, Standby, Usual
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters

USUAL_DAYS_MAX = 8
USUAL_DAYS_LEAST = 3
USUAL_WEEKS = 13
"""What is usual is the median of the last `USUAL_DAYS_MAX` same weekdays of so many weeks that are covered."""

NOT_OVER = "the day is not over"
TOO_LITTLE = f"less than {COVERED_PERCENT} % of the day was measured"
NO_HISTORY = f"fewer than {USUAL_DAYS_LEAST} earlier days of that weekday were measured"


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of one meter's day beside its quarter-hours.

    `cost`: of its energy, None where no price is known. `price_per_mwh`: the mean price of that day, likewise.
    """

    peak: Peak | None = None
    runs: Sequence[DayRun] = ()
    gaps: Sequence[tuple[int, int]] = ()
    curves: Sequence[Curve] = ()
    cost: Fraction | None = None
    cost_complete: bool = True
    price_per_mwh: Fraction | None = None


def part(slug: str | None, days: Days, place: int, beside: Beside, length_ms: int, *, over: bool) -> Part:
    """Return the day at `place` of a meter's days. `length_ms`: how much of it has passed; `over`: all of it."""
    standby_mw = said(days.standby_mw, place)
    usual, why = compared(days, place, over=over)
    return Part(
        slug=slug,
        energy_mwh=int(days.energy_mwh[place]),
        measured_ms=int(days.measured_ms[place]),
        length_ms=length_ms,
        mean_mw=said(days.mean_mw, place),
        peak=beside.peak,
        standby=None if standby_mw is None else Standby(standby_mw, year_cost(standby_mw, beside.price_per_mwh)),
        cost=beside.cost,
        cost_complete=beside.cost_complete,
        runs=tuple(beside.runs),
        gaps=tuple(beside.gaps),
        usual=usual,
        not_compared=why,
        curves=tuple(beside.curves),
    )


def peak_of(days: Days, place: int) -> Peak | None:
    """Return the highest power of the day at `place`, to the quarter-hour in which it was."""
    power_mw, time_ms = said(days.max_mw, place), said(days.max_at_ms, place)
    return None if power_mw is None or time_ms is None else Peak(power_mw, time_ms, INTERVAL_MS)


def gaps_of(quarters: Quarters, start_ms: int, end_ms: int) -> tuple[Span, ...]:
    """Return the whole quarter-hours of a span (UTC ms) in which nothing was measured, joined where they touch."""
    starts_ms = np.arange(start_ms, end_ms, INTERVAL_MS)
    empty = np.setdiff1d(starts_ms, quarters.start_ms[quarters.measured_ms > 0])
    return union((begin, min(begin + INTERVAL_MS, end_ms)) for begin in empty.tolist())


def said(column: Int64Array, place: int) -> int | None:
    """Return a value of a column, None where it is `ABSENT`."""
    value = int(column[place])
    return None if value == ABSENT else value


def year_cost(power_mw: int, price_per_mwh: Fraction | None) -> Fraction | None:
    """Return what a power costs that flows for 365 days of 24 hours; None without a price."""
    return None if price_per_mwh is None else power_mw * 8760 * price_per_mwh


def compared(days: Days, place: int, *, over: bool) -> tuple[Usual | None, str | None]:
    """Return what is usual for the weekday of the day at `place`, or why it is not said.

    The median of the energy of up to `USUAL_DAYS_MAX` earlier days, each a whole number of weeks before, of which at
    least `COVERED_PERCENT` was measured.
    """
    if not over:
        return None, NOT_OVER
    covered = days.covered
    if not covered[place]:
        return None, TOO_LITTLE
    before = np.arange(place - 7, max(place - 7 * USUAL_WEEKS, 0) - 1, -7)
    before = before[covered[before]][:USUAL_DAYS_MAX] if len(before) else before
    if len(before) < USUAL_DAYS_LEAST:
        return None, NO_HISTORY
    return Usual(median(days.energy_mwh[before]), len(before)), None


def median(values: Int64Array) -> int:
    """Return the median of whole numbers, of two in the middle their mean rounded down."""
    ordered = np.sort(values)
    return int(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2
