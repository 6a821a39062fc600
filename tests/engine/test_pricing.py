"""What a kWh costs when: bands by the wall clock, days of 23 and 25 hours, prices by the quarter-hour."""

from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from casawatt.engine.bands import ITALIAN, NONE, band_places, hours_of
from casawatt.engine.localtime import day_start
from casawatt.engine.pricing import Market, unit_prices
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.prices import PriceSeries
from casawatt.model.tariff import Band
from tests.engine.homes_and_bills import ROME, market, one, steady

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2020, 3, 29), date(2020, 10, 25)
RATES = {"F1": Decimal("0.30"), "F2": Decimal("0.25"), "F3": Decimal("0.20")}


def quarters_by_band(day: date, holidays: tuple[date, ...] = (), zone: ZoneInfo = ROME) -> Counter[str]:
    starts = steady(day, date.fromordinal(day.toordinal() + 1), zone=zone).start_ms
    places, names = band_places(zone, starts, ITALIAN, holidays)
    return Counter(names[place] for place in places.tolist())


def test_the_italian_bands_of_each_day_of_the_week() -> None:
    working = {"F1": 11 * 4, "F2": 5 * 4, "F3": 8 * 4}
    for day in range(12, 17):
        assert quarters_by_band(date(2026, 1, day)) == working
    assert quarters_by_band(date(2026, 1, 17)) == {"F2": 16 * 4, "F3": 8 * 4}
    assert quarters_by_band(date(2026, 1, 18)) == {"F3": 24 * 4}


def test_a_holiday_is_all_f3() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany.weekday() == 1
    assert quarters_by_band(epiphany, (epiphany,)) == {"F3": 24 * 4}


def test_days_on_which_the_clocks_change_have_23_and_25_hours_of_their_bands() -> None:
    assert quarters_by_band(SPRING) == {"F3": 23 * 4}
    assert quarters_by_band(AUTUMN) == {"F3": 25 * 4}


def test_bands_follow_the_clock_on_the_wall_after_the_clocks_have_changed() -> None:
    """100 Wh a quarter-hour: 2020-03-30 is a Monday, F1 from 8 by summer time, 06:00 UTC."""
    day = date(2020, 3, 30)
    starts = steady(day, date(2020, 3, 31)).start_ms
    places, names = band_places(ROME, starts, ITALIAN, ())
    first_of_f1_ms = int(starts[places == names.index("F1")][0])
    assert first_of_f1_ms - day_start(ROME, day) == 8 * 3_600_000
    assert first_of_f1_ms % 86_400_000 == 6 * 3_600_000


@pytest.mark.parametrize("zone", [ROME, BERLIN])
@pytest.mark.parametrize(("day", "hours"), [(SPRING, 4), (AUTUMN, 6)])
def test_a_night_rate_until_5_counts_the_hour_left_out_or_come_twice(zone: ZoneInfo, day: date, hours: int) -> None:
    """0.4 kWh an hour: from 0 to 5 by the clock lasts 4 or 6 hours, at 0.10; the other 19 hours cost 0.20."""
    night = Band(name="night", rate_per_kwh=Decimal("0.10"), from_="00:00", to="05:00")
    rest = Band(name="day", rate_per_kwh=Decimal("0.20"))
    quarters = steady(day, date.fromordinal(day.toordinal() + 1), zone=zone)
    prices = unit_prices(market(one(band=(night, rest)), zone=zone), quarters.start_ms)
    assert prices.cost(quarters) == Fraction(4, 10) * hours * Fraction("0.10") + Fraction(4, 10) * 19 * Fraction("0.20")


def test_a_band_past_midnight_belongs_to_the_day_it_began_on() -> None:
    late = Band(name="late", rate_per_kwh=Decimal(1), days=("fri",), from_="22:00", to="02:00")
    starts = steady(date(2026, 1, 16), date(2026, 1, 18)).start_ms
    places, _ = band_places(ROME, starts, hours_of(one(band=(late,))), ())
    hours = (starts[places != NONE] - starts[0]) / 3_600_000
    assert (hours.min(), hours.max(), len(hours)) == (22.0, 25.75, 16)


def test_levies_excise_and_vat_are_in_the_price_of_a_kwh() -> None:
    """(0.30 + 0.01 + 0.0227) x 1.10 = 0.36597."""
    tariff = one(rate_per_kwh="0.30", levies_per_kwh="0.01", excise_per_kwh="0.0227", vat_percent="10")
    quarters = steady(date(2026, 1, 1), date(2026, 1, 2), 250_000)
    assert unit_prices(market(tariff), quarters.start_ms).cost(quarters) == 24 * Fraction("0.36597")


def test_f23_is_one_rate_for_f2_and_f3() -> None:
    day, next_day = date(2026, 1, 12), date(2026, 1, 13)
    quarters = steady(day, next_day, 250_000)
    apart = one(bands="italian", rates_per_kwh=RATES | {"F2": Decimal("0.20")})
    joint = one(bands="italian", rates_per_kwh={"F1": Decimal("0.30"), "F23": Decimal("0.20")})
    costs = {unit_prices(market(each), quarters.start_ms).cost(quarters) for each in (apart, joint)}
    assert costs == {11 * Fraction("0.30") + 13 * Fraction("0.20")}


def test_prices_by_the_hour_and_by_the_quarter_hour_with_a_markup_and_a_hole() -> None:
    """(0.10 x 2 + 0.05) for the first hour, (-0.02 x 2 + 0.05) for the next quarter-hour, then no price is known."""
    start_ms = day_start(ROME, date(2026, 1, 1))
    edges = np.array([start_ms, start_ms + 4 * INTERVAL_MS, start_ms + 5 * INTERVAL_MS], np.int64)
    series = PriceSeries(edges[:2], edges[1:], np.array([10000, -2000]), 100_000)
    quarters = steady(date(2026, 1, 1), date(2026, 1, 2), 1_000_000).between(start_ms, start_ms + 8 * INTERVAL_MS)
    tariff = one(prices="spot", factor="2", markup_per_kwh="0.05")
    prices = unit_prices(Market(ROME, market(tariff).tariffs, (), {"spot": series}), quarters.start_ms)
    assert prices.cost(quarters) == 4 * Fraction("0.25") + Fraction("0.01")
    assert prices.unknown(quarters).tolist() == [False] * 5 + [True] * 3
    nothing = unit_prices(market(tariff), quarters.start_ms)
    assert nothing.unknown(quarters).all()
    assert nothing.cost(quarters) == 0


def test_each_tariff_holds_until_the_next() -> None:
    old, new = one(rate_per_kwh="0.20"), one(from_=date(2026, 1, 2), rate_per_kwh="0.30")
    quarters = steady(date(2026, 1, 1), date(2026, 1, 4), 250_000)
    assert unit_prices(market(old, new), quarters.start_ms).cost(quarters) == 24 * Fraction("0.2") + 48 * Fraction(
        "0.3"
    )


def test_costs_of_quarter_hours_sum_to_the_cost() -> None:
    quarters = steady(date(2026, 1, 1), date(2026, 1, 8), 123_457)
    prices = unit_prices(market(one(bands="italian", rates_per_kwh=RATES, vat_percent="22")), quarters.start_ms)
    assert Fraction(int(prices.costs(quarters).sum()), prices.cost_scale) == prices.cost(quarters)


def test_a_quarter_hour_that_no_price_was_asked_for_is_an_error() -> None:
    quarters = steady(date(2026, 1, 1), date(2026, 1, 3))
    prices = unit_prices(market(one(rate_per_kwh="0.2")), quarters.start_ms[:10])
    with pytest.raises(ValueError, match="no prices were asked for"):
        prices.cost(quarters)
