"""Billing periods: months that begin on any day of the month."""

from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple


class Period(NamedTuple):
    """Local days, `start` until before `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.end - self.start).days


def month_start(year: int, month: int, billing_day: int) -> date:
    """Return the day on which the billing month of a calendar month begins: its last day where it is too short."""
    return date(year, month, min(billing_day, monthrange(year, month)[1]))


def billing_month(year: int, month: int, billing_day: int) -> Period:
    """Return the billing month that begins in a calendar month."""
    later = month_of_number(year * 12 + month)
    return Period(month_start(year, month, billing_day), month_start(*later, billing_day))


def month_of_number(number: int) -> tuple[int, int]:
    """Return year and month of `year * 12 + month - 1`."""
    return number // 12, number % 12 + 1


def billing_month_of(day: date, billing_day: int) -> Period:
    """Return the billing month that a day belongs to."""
    mine = billing_month(day.year, day.month, billing_day)
    if day >= mine.start:
        return mine
    return billing_month(*month_of_number(day.year * 12 + day.month - 2), billing_day)


def so_far(period: Period, today: date) -> Period:
    """Return the days of a period until today, today among them: all of them when it is over.

    Raises ValueError when it has not begun.
    """
    if period.start > today:
        message = f"the period that begins on {period.start} has not begun"
        raise ValueError(message)
    return Period(period.start, min(period.end, today + timedelta(days=1)))


def before(period: Period, billing_day: int) -> Period:
    """Return the period before, to compare with.

    Before billing months come as many of them; before the first days of one the same days of the month before, though
    not more than that has; before any other days as many days.
    """
    if months := _months(period, billing_day):
        return _earlier(period, months, billing_day)
    mine = billing_month_of(period.start, billing_day)
    if mine.start == period.start and period.end < mine.end:
        month = _earlier(mine, 1, billing_day)
        return Period(month.start, min(month.start + timedelta(days=period.days), month.end))
    return Period(period.start - timedelta(days=period.days), period.start)


def a_year_before(period: Period, billing_day: int = 1) -> Period:
    """Return the same billing months, or the same days, of the year before.

    The end of February stands for a day that it does not have.
    """
    if _months(period, billing_day):
        return _earlier(period, 12, billing_day)
    start = _year_before(period.start)
    return Period(start, max(_year_before(period.end), start + timedelta(days=1)))


def _months(period: Period, billing_day: int) -> int:
    """Return how many billing months a period is made of, 0 when it is not made of whole ones."""
    if any(each != month_start(each.year, each.month, billing_day) for each in period):
        return 0
    return _number(period.end) - _number(period.start)


def _earlier(period: Period, months: int, billing_day: int) -> Period:
    """Return a period of whole billing months so many of them earlier."""
    start, end = (month_start(*month_of_number(_number(each) - months), billing_day) for each in period)
    return Period(start, end)


def _number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _year_before(day: date) -> date:
    return date(day.year - 1, day.month, min(day.day, monthrange(day.year - 1, day.month)[1]))
