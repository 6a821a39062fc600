"""Billing months that begin on any day, and what they are compared with."""

from datetime import date

import hypothesis.strategies as st
import pytest
from hypothesis import given

from casawatt.engine.periods import Period, a_year_before, before, billing_month, billing_month_of, so_far


@pytest.mark.parametrize(
    ("billing_day", "starts"),
    [
        (1, ["2027-01-01", "2027-02-01", "2027-03-01", "2027-04-01"]),
        (15, ["2027-01-15", "2027-02-15", "2027-03-15", "2027-04-15"]),
        (29, ["2027-01-29", "2027-02-28", "2027-03-29", "2027-04-29"]),
        (30, ["2027-01-30", "2027-02-28", "2027-03-30", "2027-04-30"]),
        (31, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
    ],
)
def test_months_begin_on_any_day_and_on_the_last_of_a_month_too_short(billing_day: int, starts: list[str]) -> None:
    months = [billing_month(2027, month, billing_day) for month in (1, 2, 3)]
    assert [str(each.start) for each in months] == starts[:3]
    assert [str(each.end) for each in months] == starts[1:]


def test_the_29th_of_february_begins_a_month_in_a_leap_year() -> None:
    assert billing_month(2028, 2, 30) == (date(2028, 2, 29), date(2028, 3, 30))
    assert a_year_before(Period(date(2028, 2, 29), date(2028, 3, 30))) == (date(2027, 2, 28), date(2027, 3, 30))


@given(st.dates(date(2001, 1, 1), date(2100, 1, 1)), st.integers(1, 31))
def test_each_day_is_in_one_billing_month_which_follows_the_one_before(day: date, billing_day: int) -> None:
    mine = billing_month_of(day, billing_day)
    assert mine.start <= day < mine.end
    assert 28 <= mine.days <= 31
    assert before(mine, billing_day).end == mine.start
    assert before(mine, billing_day) == billing_month_of(before(mine, billing_day).start, billing_day)


def days(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("billing_day", "period", "earlier"),
    [
        (1, days("2026-10-05", "2026-10-12"), days("2026-09-28", "2026-10-05")),
        (1, days("2026-03-01", "2026-03-11"), days("2026-02-01", "2026-02-11")),
        (1, days("2026-03-01", "2026-03-31"), days("2026-02-01", "2026-03-01")),
        (1, days("2026-04-01", "2026-07-01"), days("2026-01-01", "2026-04-01")),
        (1, days("2026-01-01", "2027-01-01"), days("2025-01-01", "2026-01-01")),
        (31, days("2026-02-28", "2026-03-31"), days("2026-01-31", "2026-02-28")),
        (31, days("2026-03-31", "2026-04-10"), days("2026-02-28", "2026-03-10")),
        (15, days("2026-10-01", "2026-11-01"), days("2026-08-31", "2026-10-01")),
    ],
)
def test_a_period_is_compared_with_as_many_months_or_days_before_it(
    billing_day: int, period: Period, earlier: Period
) -> None:
    assert before(period, billing_day) == earlier


def test_a_year_before_is_the_same_billing_month_or_the_same_days() -> None:
    assert a_year_before(days("2029-02-28", "2029-03-31"), 31) == days("2028-02-29", "2028-03-31")
    assert a_year_before(days("2029-02-28", "2029-03-10"), 1) == days("2028-02-28", "2028-03-10")
    assert a_year_before(days("2028-02-28", "2028-02-29"), 1) == days("2027-02-28", "2027-03-01")


def test_of_a_period_that_is_not_over_there_are_its_days_until_today() -> None:
    october = days("2026-10-01", "2026-11-01")
    assert so_far(october, date(2026, 10, 31)) == so_far(october, date(2027, 1, 1)) == october
    assert so_far(october, date(2026, 10, 1)) == days("2026-10-01", "2026-10-02")
    with pytest.raises(ValueError, match="has not begun"):
        so_far(october, date(2026, 9, 30))
