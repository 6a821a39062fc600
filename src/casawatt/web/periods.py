"""Billing periods as they are asked for."""

import re
from datetime import date
from typing import Annotated

from litestar.params import QueryParameter

from casawatt.engine.localtime import local_date
from casawatt.engine.periods import Period, before, billing_month, billing_month_of, so_far
from casawatt.web.ports import Ports
from casawatt.web.problem import wrong
from casawatt.web.times import DATE, FIRST_YEAR, LAST_YEAR

MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")

PeriodName = Annotated[
    str | None,
    QueryParameter(
        description="A billing month: `this`, `last`, or the calendar month that it begins in, like `2026-10`. "
        "In the place of `start` and `end`. Default: `this`"
    ),
]
FirstDay = Annotated[str | None, QueryParameter(description="The first local day of the period, like `2026-10-01`")]
EndDay = Annotated[
    str | None, QueryParameter(description="The local day before which the period ends. Default: tomorrow")
]


def parse_period(ports: Ports, name: str | None, start: str | None, end: str | None) -> Period:
    """Return the local days that are asked for; raises ProblemError that names the parameter."""
    today = local_date(ports.home.zone, ports.clock.now_ms())
    if name is not None and (start is not None or end is not None):
        raise wrong("period", "says the same as start and end: give one or the other")
    if start is None and end is None:
        return named_period(name or "this", today, ports.answers.bills.terms.billing_day)
    if start is None:
        raise wrong("start", "is missing: a period that ends needs a first day")
    first = parse_day("start", start)
    last = date.fromordinal(today.toordinal() + 1) if end is None else parse_day("end", end)
    if last <= first:
        raise wrong("end", f"{last} is not after {first}, with which the period begins")
    return Period(first, last)


def parse_billed_period(ports: Ports, name: str | None, start: str | None, end: str | None) -> Period:
    """Return the same; of a billing month that is not over its days until today. Raises ProblemError."""
    period = parse_period(ports, name, start, end)
    if start is not None:
        return period
    try:
        return so_far(period, local_date(ports.home.zone, ports.clock.now_ms()))
    except ValueError as error:
        raise wrong("period", str(error)) from error


def named_period(name: str, today: date, billing_day: int) -> Period:
    """Return the billing month of that name; raises ProblemError."""
    this = billing_month_of(today, billing_day)
    if name == "this":
        return this
    if name == "last":
        return before(this, billing_day)
    found = MONTH.fullmatch(name)
    if found is None or not FIRST_YEAR < int(found[1]) < LAST_YEAR:
        raise wrong("period", f"{name!r} is no billing month; write this, last, or a month like 2026-10")
    return billing_month(int(found[1]), int(found[2]), billing_day)


def parse_day(parameter: str, text: str) -> date:
    """Return a local day; raises ProblemError that names the parameter."""
    try:
        if not DATE.fullmatch(text):
            raise wrong(parameter, f"{text!r} is no day; write it like 2026-10-31")
        day = date.fromisoformat(text)
    except ValueError as error:
        raise wrong(parameter, f"{text!r} is no day: {error}") from None
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise wrong(parameter, f"{text} lies outside the years {FIRST_YEAR + 1} to {LAST_YEAR - 1}")
    return day
