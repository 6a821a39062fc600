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


def before(period: Period, billing_day: int) -> Period:
    """Return the period before: the billing month before a billing month, else as many days before any other."""
    if billing_month_of(period.start, billing_day) == period:
        return billing_month_of(period.start - timedelta(days=1), billing_day)
    return Period(period.start - timedelta(days=period.days), period.start)


def a_year_before(period: Period) -> Period:
    """Return the same days of the year before; 28 February stands for the 29th where there is none."""
    return Period(_year_before(period.start), _year_before(period.end))


def _year_before(day: date) -> date:
    return date(day.year - 1, day.month, min(day.day, monthrange(day.year - 1, day.month)[1]))
