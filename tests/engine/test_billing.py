"""Bills, against hand-computed ones, and what must hold of any."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from casawatt.engine.billing import Home, bill
from casawatt.engine.pricing import unit_prices
from casawatt.model.bill import BY_QUARTER, Bill, Charge
from casawatt.model.money import as_money, digits_of, plain
from casawatt.model.quarters import Quarters
from casawatt.model.tariff import Band, Tariff
from tests.engine.homes_and_bills import market, one, steady, varied

ITALIAN = one(
    bands="italian",
    rates_per_kwh={"F1": Decimal("0.30"), "F23": Decimal("0.25")},
    excise_per_kwh="0.0227",
    excise_free_kwh_per_month="150",
    fixed_per_month="9.30",
    power_per_kw_year="21.90",
    vat_percent="10",
)
JANUARY = date(2026, 1, 1), date(2026, 2, 1)
HOLIDAYS = (date(2026, 1, 1), date(2026, 1, 6))


def amounts(made: Bill) -> dict[tuple[Charge, str], Fraction]:
    return {(line.charge, line.label): line.amount for line in made.lines}


def test_an_italian_month_by_hand() -> None:
    """January 2026 has 22 working days, 2 of them holidays: 20 x 11 h of F1; 0.4 kWh an hour, 744 h in all.

    F1 88 kWh, F23 209.6 kWh. Excise on 297.6 less 150 kWh. Power: 3 kW x 21.90 x 31/365.
    """
    home = Home(market(ITALIAN, holidays=HOLIDAYS), "EUR", 3000)
    made = bill(steady(*JANUARY), *JANUARY, home)
    assert made.energy_mwh == 297_600_000
    expected = {
        (Charge.ENERGY, "F1"): Fraction("26.4"),
        (Charge.ENERGY, "F23"): Fraction("52.4"),
        (Charge.EXCISE, "excise"): Fraction("6.75552"),
        (Charge.ALLOWANCE, "free of excise 2026-01"): Fraction("-3.405"),
        (Charge.FIXED, "fixed charge"): Fraction("9.30"),
        (Charge.POWER, "contracted power"): Fraction("5.58"),
    }
    net = sum(expected.values(), Fraction(0))
    assert amounts(made) == expected | {(Charge.VAT, "VAT"): net / 10}
    assert (made.amount, as_money(made.units, made.digits)) == (net * Fraction("1.1"), Decimal("106.73"))
    assert (made.complete, made.measured_ms, made.length_ms) == (True, 744 * 3_600_000, 744 * 3_600_000)


def test_each_line_says_its_arithmetic() -> None:
    made = bill(steady(*JANUARY), *JANUARY, Home(market(ITALIAN, holidays=HOLIDAYS), "EUR", 3000))
    assert [line.why for line in made.lines] == [
        "88 kWh × 0.3 EUR/kWh = 26.40 EUR",
        "209.6 kWh × 0.25 EUR/kWh = 52.40 EUR",
        "297.6 kWh × 0.0227 EUR/kWh = 6.75552 EUR",
        "150 kWh of 150 free in 31 days of 2026-01 × -0.0227 EUR/kWh = -3.405 EUR",
        "31 days of 2026-01: 1 months × 9.3 EUR/month = 9.30 EUR",
        "3 kW × 21.9 EUR per kW and year × 31 days (0.084932 of a year) = 5.58 EUR",
        "10 % of 97.03052 EUR = 9.703052 EUR",
    ]


def test_a_charge_by_the_month_is_shared_out_by_the_days_of_each_month() -> None:
    """15 of 31 days and 10 of 28: 3.10 x 15/31 + 3.10 x 10/28."""
    start, end = date(2026, 1, 17), date(2026, 2, 11)
    made = bill(steady(start, end), start, end, Home(market(one(rate_per_kwh="0", fixed_per_month="3.10")), "EUR"))
    assert amounts(made)[Charge.FIXED, "fixed charge"] == Fraction("3.10") * (Fraction(15, 31) + Fraction(10, 28))


def test_a_charge_by_the_day_and_a_year_of_366_days() -> None:
    start, end = date(2024, 2, 28), date(2024, 3, 2)
    tariff = one(rate_per_kwh="0", fixed_per_day="0.5", power_per_kw_year="36.6", contracted_w="4500")
    made = bill(steady(start, end), start, end, Home(market(tariff), "EUR", 3000))
    assert amounts(made)[Charge.FIXED, "fixed charge"] == Fraction("1.5")
    assert amounts(made)[Charge.POWER, "contracted power"] == Fraction("4.5") * Fraction("0.1") * 3


def test_the_free_allowance_is_each_months_and_never_more_than_what_was_used() -> None:
    """31 days of 10 kWh and 28 days of 4 kWh: 150 free in January, all 112 in February."""
    tariff = one(rate_per_kwh="0", excise_per_kwh="0.02", excise_free_kwh_per_month="150")
    january = steady(*JANUARY, 10_000_000 // 96)
    start, end = JANUARY[0], date(2026, 3, 1)
    mixed = varied(start, end, [10_000_000 // 96] * (31 * 96) + [4_000_000 // 96] * (28 * 96))
    made = amounts(bill(mixed, start, end, Home(market(tariff), "EUR")))
    assert made[Charge.ALLOWANCE, "free of excise 2026-01"] == -150 * Fraction("0.02")
    february_kwh = Fraction(mixed.energy_sum_mwh - january.energy_sum_mwh, 1_000_000)
    assert made[Charge.ALLOWANCE, "free of excise 2026-02"] == -february_kwh * Fraction("0.02")


def test_the_capacity_charge_is_on_the_mean_of_the_monthly_peaks_and_at_least_on_the_least() -> None:
    """Peaks of 3 kW in December, 1 kW in January (taken as 2.5): the mean is 2.75 kW, a twelfth of 40 EUR each."""
    start, end = JANUARY
    december = varied(date(2025, 12, 1), start, [100_000] * 40 + [750_000])
    both = varied(date(2025, 12, 1), end, december.energy_mwh.tolist() + [250_000] * (31 * 96))
    tariff = one(rate_per_kwh="0", capacity_per_kw_year="40")
    made = bill(both, start, end, Home(market(tariff), "EUR"))
    assert amounts(made)[Charge.CAPACITY, "capacity 2026-01"] == Fraction("2.75") * 40 / 12
    assert "peak 1 kW at 2026-01-01 00:00; mean of 2 monthly peaks" in made.lines[-1].why


@pytest.mark.parametrize("zone", ["Europe/Rome", "Europe/Berlin"])
@pytest.mark.parametrize(
    ("day", "night_kwh", "total"), [(date(2020, 3, 29), "1.6", "3.498"), (date(2020, 10, 25), "2.4", "3.586")]
)
def test_a_day_on_which_the_clocks_change_by_hand(zone: str, day: date, night_kwh: str, total: str) -> None:
    """0.4 kWh an hour; night until 5 by the clock is 4 h or 6 h at 0.10, the other 19 h cost 0.20; 1.50 a day; 10 %.

    (0.16 + 1.52 + 1.50) x 1.1 = 3.498 in spring, (0.24 + 1.52 + 1.50) x 1.1 = 3.586 in autumn.
    """
    night = Band(name="night", rate_per_kwh=Decimal("0.10"), to="05:00")
    rest = Band(name="day", rate_per_kwh=Decimal("0.20"))
    tariff = one(band=(night, rest), fixed_per_day="1.5", vat_percent="10")
    place, next_day = ZoneInfo(zone), day + timedelta(days=1)
    made = bill(steady(day, next_day, zone=place), day, next_day, Home(market(tariff, zone=place), "EUR"))
    quantities = {line.label: line.quantity for line in made.lines[:2]}
    assert quantities == {"night": Fraction(night_kwh), "day": Fraction("7.6")}
    assert made.amount == Fraction(total)


def test_a_new_tariff_within_the_period_charges_its_own_days() -> None:
    start, end = JANUARY
    old, new = one(name="old", rate_per_kwh="0.20"), one(name="new", from_=date(2026, 1, 11), rate_per_kwh="0.30")
    made = bill(steady(start, end), start, end, Home(market(old, new), "EUR"))
    assert [(line.tariff, line.start, line.end, line.amount) for line in made.lines] == [
        ("old", start, date(2026, 1, 11), 10 * Fraction("9.6") * Fraction("0.2")),
        ("new", date(2026, 1, 11), end, 21 * Fraction("9.6") * Fraction("0.3")),
    ]


def test_what_flows_back_is_not_paid_for_and_said() -> None:
    start, end = date(2026, 1, 1), date(2026, 1, 2)
    made = bill(varied(start, end, [300_000, -100_000]), start, end, Home(market(one(rate_per_kwh="0.5")), "EUR"))
    assert (made.energy_mwh, made.returned_mwh, made.amount) == (14_400_000, 4_800_000, Fraction("7.2"))


def test_energy_and_days_without_a_tariff_are_said() -> None:
    start, end = date(2026, 1, 1), date(2026, 1, 11)
    late = one(from_=date(2026, 1, 9), rate_per_kwh="0.5")
    made = bill(steady(start, end), start, end, Home(market(late), "EUR"))
    assert (made.complete, made.untariffed_days, made.unpriced_mwh) == (False, 8, 8 * 9_600_000)
    assert made.amount == 2 * Fraction("9.6") / 2


def test_a_band_that_leaves_hours_out_leaves_their_energy_without_a_price() -> None:
    start, end = date(2026, 1, 1), date(2026, 1, 2)
    half = one(band=(Band(name="day", rate_per_kwh=Decimal("0.5"), from_="08:00", to="20:00"),))
    made = bill(steady(start, end), start, end, Home(market(half), "EUR"))
    assert (made.complete, made.unpriced_mwh, made.amount) == (False, 4_800_000, Fraction("2.4"))


def test_there_is_no_vat_on_what_is_free_of_it() -> None:
    """24 h x 0.4 kWh x 0.5 = 4.80 with 10 % on it; without: levies 0.96, excise 0.48 less that of 1 kWh, fixed 2.00."""
    start, end = date(2026, 1, 1), date(2026, 1, 2)
    tariff = one(
        rate_per_kwh="0.5",
        levies_per_kwh="0.1",
        excise_per_kwh="0.05",
        excise_free_kwh_per_month="31",
        fixed_per_day="2",
        vat_percent="10",
        vat_free=("levies", "excise", "fixed"),
    )
    home = Home(market(tariff), "EUR")
    used = steady(start, end)
    made = bill(used, start, end, home)
    assert amounts(made)[Charge.VAT, "VAT"] == Fraction("0.48")
    assert made.lines[-1].why == "10 % of 4.80 EUR = 0.48 EUR"
    assert made.amount == Fraction("4.80") + Fraction("0.48") + Fraction("0.96") + Fraction("0.43") + 2
    assert unit_prices(home.market, used.start_ms).cost(used) == made.amount_of(BY_QUARTER)
    assert made.amount_of(frozenset(Charge) - {Charge.VAT}) == made.amount


def test_what_is_missing_in_a_bill_is_said_in_sentences() -> None:
    start, end = date(2026, 1, 1), date(2026, 1, 5)
    half = one(from_=date(2026, 1, 2), band=(Band(name="day", rate_per_kwh=Decimal("0.5"), from_="08:00", to="20:00"),))
    used = varied(start, date(2026, 1, 4), [300_000, -100_000])
    gap = np.arange(len(used)) < 8
    used = Quarters(used.start_ms, used.energy_mwh, np.where(gap, 0, used.measured_ms), used.max_mw)
    assert bill(used, start, end, Home(market(half), "EUR")).notes == (
        "No tariff holds on 1 of 4 days: nothing is charged for them.",
        "28.8 kWh have no price: they are not in the bill, which is not complete.",
        "72.92 % of the time was measured. Of the other 26 hours only what a register counted is in it.",
        "0.8 kWh were counted over time in which nothing was heard, and are spread over it.",
        "14.4 kWh flowed back into the grid: nothing is paid for them.",
    )
    whole = steady(start, end)
    assert bill(whole, start, end, Home(market(one(rate_per_kwh="0.5")), "EUR")).notes == ()


def test_a_currency_without_cents_is_rounded_to_the_whole() -> None:
    start, end = date(2026, 1, 1), date(2026, 1, 2)
    made = bill(steady(start, end), start, end, Home(market(one(rate_per_kwh="31.3")), "JPY"))
    assert (made.units, as_money(made.units, made.digits)) == (300, Decimal(300))
    assert [digits_of(currency) for currency in ("EUR", "UGX", "KWD")] == [2, 0, 3]


def test_a_period_without_days_is_an_error() -> None:
    with pytest.raises(ValueError, match="must end after that"):
        bill(steady(*JANUARY), JANUARY[0], JANUARY[0], Home(market(ITALIAN), "EUR"))


rates = st.decimals(0, 2, places=5)
tariffs = st.builds(
    one,
    name=st.sampled_from(["a", "b"]),
    bands=st.just("italian"),
    rates_per_kwh=st.fixed_dictionaries({"F1": rates, "F2": rates, "F3": rates}),
    levies_per_kwh=rates,
    excise_per_kwh=rates,
    fixed_per_month=rates,
    fixed_per_day=rates,
    power_per_kw_year=rates,
    vat_percent=st.decimals(0, 25, places=1),
)
FIRST = date(2026, 3, 20)
"""Around the change of the clocks and the end of a month."""


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-50_000, 900_000), min_size=1, max_size=200), tariffs, tariffs, st.data())
def test_bills_of_adjacent_periods_sum_to_the_bill_of_both(
    energies_mwh: list[int], first: Tariff, second: Tariff, data: st.DataObject
) -> None:
    days = [FIRST + timedelta(days=number) for number in range(25)]
    change = data.draw(st.sampled_from(days))
    start, middle, end = sorted(data.draw(st.lists(st.sampled_from(days), min_size=3, max_size=3, unique=True)))
    later = one(**{name: getattr(second, name) for name in second.__struct_fields__} | {"from_": change})
    home = Home(market(first, later), "EUR", 3000)
    used = varied(FIRST, days[-1], energies_mwh)
    whole, *parts = (bill(used, *span, home) for span in ((start, end), (start, middle), (middle, end)))
    assert whole.amount == sum((part.amount for part in parts), Fraction(0))
    assert whole.energy_mwh == sum(part.energy_mwh for part in parts)
    assert whole.returned_mwh == sum(part.returned_mwh for part in parts)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 900_000), min_size=1, max_size=200), tariffs, st.integers(0, 300))
def test_the_lines_that_are_shown_add_up_and_energy_costs_what_pricing_says(
    energies_mwh: list[int], tariff: Tariff, allowance_kwh: int
) -> None:
    whole = {name: getattr(tariff, name) for name in tariff.__struct_fields__}
    tariff = one(**whole | {"excise_free_kwh_per_month": Decimal(allowance_kwh), "capacity_per_kw_year": Decimal(30)})
    start, end = FIRST, FIRST + timedelta(days=20)
    used = varied(start, end, energies_mwh)
    home = Home(market(tariff), "EUR", 3000)
    made = bill(used, start, end, home)
    assert sum(line.units for line in made.lines) == made.units
    assert abs(made.amount * 100 - made.units) <= Fraction(1, 2)
    assert made.amount_of(BY_QUARTER) == unit_prices(home.market, used.start_ms).cost(used)
    assert made.amount_of(frozenset(Charge) - {Charge.VAT}) == made.amount


def test_numbers_are_written_plainly() -> None:
    assert [plain(Fraction(number)) for number in ("0", "1.5", "-0.0227", "1000", "-3")] == [
        "0",
        "1.5",
        "-0.0227",
        "1000",
        "-3",
    ]
    assert (plain(Fraction(2, 3)), plain(Fraction(1, 2), 2), plain(Decimal("26.4"), 2, 2)) == (
        "0.666667",
        "0.50",
        "26.40",
    )
