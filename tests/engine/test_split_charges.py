"""A bill taken apart: its energy, and its other charges day by day."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from casawatt.engine.billing import Home, bill
from casawatt.engine.pricing import unit_prices
from casawatt.engine.split_charges import UNPRICED, charges_by_day
from casawatt.model.prices import PriceSeries
from tests.engine.homes_and_bills import market, one, steady

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
DAYS = [MARCH + timedelta(days=day) for day in range(31)]


def test_energy_and_charges_are_the_bill_and_a_charge_falls_on_the_days_of_its_tariff() -> None:
    early = one(rate_per_kwh="0.2", fixed_per_day="0.5", excise_per_kwh="0.02", excise_free_kwh_per_month="31")
    late = one(from_=date(2026, 3, 21), rate_per_kwh="0.3", fixed_per_day="0.8", vat_percent="10")
    priced, used = market(early, late), steady(MARCH, APRIL)
    found = bill(used, MARCH, APRIL, Home(priced, "EUR"))
    energy = unit_prices(priced, used.start_ms).cost(used)
    charges = charges_by_day(found, energy, DAYS)
    assert charges == {
        "Fixed charge": [Fraction("0.5")] * 20 + [Fraction(0)] * 11,
        "Free of excise 2026-03": [Fraction("-0.02")] * 20 + [Fraction(0)] * 11,
        "Fixed charge with VAT": [Fraction(0)] * 20 + [Fraction("0.88")] * 11,
    }
    assert energy + sum(sum(each) for each in charges.values()) == found.amount


def test_what_is_due_on_energy_without_a_price_is_not_lost() -> None:
    tariff = one(prices="spot", levies_per_kwh="0.1")
    used = steady(MARCH, APRIL)
    half = len(used) // 2
    series = PriceSeries(used.start_ms[:half], used.start_ms[:half] + 900_000, np.full(half, 2), 10)
    priced = replace(market(tariff), prices={"spot": series})
    found = bill(used, MARCH, APRIL, Home(priced, "EUR"))
    energy = unit_prices(priced, used.start_ms).cost(used)
    charges = charges_by_day(found, energy, DAYS)
    assert found.unpriced_mwh == (len(used) - half) * 100_000
    assert sum(charges[UNPRICED]) == Fraction(found.unpriced_mwh, 10_000_000)
    assert energy + sum(charges[UNPRICED]) == found.amount
