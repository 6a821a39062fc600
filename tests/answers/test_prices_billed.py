"""What a bill by the quarter-hour comes to, also on the days of 23 and 25 hours and after a correction."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from casawatt.engine.localtime import HOUR_MS, day_start
from casawatt.engine.periods import Period
from casawatt.model.price import Price
from tests.answers.homes import answers, billed_home, flat, used
from tests.engine.homes_and_bills import ROME, steady

SPOT = """\
[prices.spot]
format = "awattar"

[[tariff]]
from = 2026-01-01
name = "by the hour"
prices = "spot"
factor = 1.02
markup_per_kwh = 0.015
vat_percent = 20
"""
TODAY = "2026-11-20"


def one_day(year: int, month: int, day: int) -> Period:
    first = date(year, month, day)
    return Period(first, date.fromordinal(first.toordinal() + 1))


def hourly(period: Period) -> list[Price]:
    """Return 1 ct for the first hour of a period, 2 ct for the second and so on."""
    start_ms, end_ms = (day_start(ROME, day) for day in period)
    return [
        Price(time_ms, time_ms + HOUR_MS, Decimal(place) / 100)
        for place, time_ms in enumerate(range(start_ms, end_ms, HOUR_MS), 1)
    ]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(one_day(2026, 3, 29), 23), (one_day(2026, 10, 25), 25), (one_day(2026, 11, 10), 24)],
)
def test_each_hour_of_a_day_is_billed_at_its_own_price(tmp_path: Path, day: Period, hours: int) -> None:
    """400 Wh an hour; 1 + 2 + ... + n ct, times 1.02, plus 1.5 ct a kWh, and VAT of 20 % on all of it."""
    with billed_home(tmp_path, SPOT, TODAY) as home:
        used(home, "mains", steady(*day))
        found = answers(home)
        found.prices.record("spot", hourly(day))
        bill = found.bills.bill(day)
    cents = Fraction(hours * (hours + 1), 2)
    kwh_an_hour = Fraction("0.4")
    assert bill.amount == (cents / 100 * Fraction("1.02") + hours * Fraction("0.015")) * kwh_an_hour * Fraction("1.2")
    assert bill.complete


def test_energy_of_an_hour_without_a_price_is_said_and_not_made_up(tmp_path: Path) -> None:
    day = one_day(2026, 11, 10)
    with billed_home(tmp_path, SPOT, TODAY) as home:
        used(home, "mains", steady(*day))
        found = answers(home)
        found.prices.record("spot", hourly(day)[:-2])
        assert found.bills.bill(day).unpriced_mwh == 8 * 100_000
        found.prices.record("spot", hourly(day))
        assert found.bills.bill(day).complete


def test_a_price_that_is_told_otherwise_later_changes_a_month_on_request_and_says_how(tmp_path: Path) -> None:
    day = one_day(2026, 11, 10)
    prices = hourly(day)
    with billed_home(tmp_path, SPOT, TODAY) as home:
        used(home, "mains", steady(*day))
        found = answers(home)
        found.prices.record("spot", prices)
        before = found.bills.bill(day).amount
        dearer = Price(prices[3].start_ms, prices[3].end_ms, prices[3].rate_per_kwh + 1)
        assert found.prices.record("spot", [dearer]).differing
        assert found.bills.bill(day).amount == before
        shown = found.prices.correct("spot", 0, prices[-1].end_ms, apply=False)
        (month,) = shown.months
        more = Fraction("0.4") * Fraction("1.02") * Fraction("1.2")
        assert month.after - month.before == more
        assert (month.period.start, shown.applied) == (date(2026, 11, 1), False)
        assert found.bills.bill(day).amount == before
        assert found.prices.correct("spot", 0, prices[-1].end_ms, apply=True).months == shown.months
        assert found.bills.bill(day).amount == before + more
        assert found.prices.correct("spot", 0, prices[-1].end_ms, apply=True).changes == ()
        (_, event) = home.store.book.events.list()[-1]
        assert (event.type, event.data["quarters"]) == ("casawatt.price.differs", 4)


def test_holidays_of_the_config_count_in_the_bands(tmp_path: Path) -> None:
    """4 October 2027 is a Monday: F1 from 8 to 19 if the config makes it no holiday; 1 November always is."""
    bands = flat("2027-01-01", "0").replace("rate_per_kwh = 0", 'bands = "italian"\nrates_per_kwh = {F1 = 1, F23 = 0}')
    monday, all_saints = one_day(2027, 10, 4), one_day(2027, 11, 1)
    for extra, amount in (("", 11 * Fraction("0.4")), ("[home]\nholidays_extra = [2027-10-04]\n", Fraction(0))):
        folder = tmp_path / str(len(extra))
        folder.mkdir()
        with billed_home(folder, extra + bands, "2027-11-20") as home:
            used(home, "mains", steady(monday.start, all_saints.end))
            assert answers(home).bills.bill(monday).amount == amount
            assert answers(home).bills.bill(all_saints).amount == 0
