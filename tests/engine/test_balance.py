"""Mains against the meters behind it: the rest, and the cause where it is negative."""

from datetime import date

import numpy as np

from casawatt.engine.balance import Measured, balance
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters
from tests.engine.days_of import edges_of, kept, steady

EDGES_MS = edges_of(date(2026, 3, 10), 1)
SPAN = int(EDGES_MS[0]), int(EDGES_MS[1])


def meter(slug: str, power_w: float, *, by_current: bool = False) -> Measured:
    return Measured(slug, steady(EDGES_MS, power_w), by_current)


def test_the_rest_is_what_no_meter_behind_it_measured() -> None:
    found = balance(meter("mains", 500), [meter("fridge", 100), meter("oven", 250)], *SPAN)
    assert found.parts == (("fridge", 2_400_000), ("oven", 6_000_000))
    assert (found.energy_mwh, found.rest_mwh, found.causes) == (12_000_000, 3_600_000, ())
    assert (found.quarters, found.common) == (96, 96)


def test_only_quarter_hours_count_that_all_measured_whole() -> None:
    mains = meter("mains", 500)
    late = Measured("oven", kept(steady(EDGES_MS, 450), range(48, 96)), by_current=False)
    # What the register of the fridge counted over a gap of three hours stands in quarter-hours it did not measure.
    quarters = steady(EDGES_MS, 100)
    gap = (np.arange(96) >= 60) & (np.arange(96) < 72)
    spread = Quarters(
        quarters.start_ms,
        np.where(gap, 3_000_000, quarters.energy_mwh),
        np.where(gap, 0, INTERVAL_MS),
        quarters.max_mw,
    )
    found = balance(mains, [Measured("fridge", spread, by_current=False), late], *SPAN)
    assert found.common == 36
    assert (found.energy_mwh, found.rest_mwh) == (36 * 125_000, -36 * 12_500)
    assert found.causes == ("mains shows too little, or one of those behind it too much: compare them with one load",)


def test_a_meter_that_is_not_behind_the_mains_is_named() -> None:
    heater = steady(EDGES_MS, lambda at: 2000 if at.hour < 6 else 0)
    found = balance(meter("mains", 400), [Measured("heater", heater, by_current=False)], *SPAN)
    assert found.rest_mwh == 9_600_000 - 12_000_000
    assert found.causes == (
        (
            "heater alone shows more than mains in 24 of the 24 quarter-hours in which it was used: it may not be "
            "behind mains"
        ),
    )


def test_apparent_power_of_what_measures_current_only_is_named_as_the_cause() -> None:
    one, two = meter("fridge", 220, by_current=True), meter("pump", 220, by_current=True)
    found = balance(meter("mains", 400), [one, two, meter("router", 10)], *SPAN)
    assert found.causes == (
        (
            "fridge and pump measure current only, and volts times amperes is apparent power, which is more than what "
            "is used: power_factor_ratio says how much is"
        ),
    )
    mains = meter("mains", 400, by_current=True)
    (cause,) = balance(mains, [meter("fridge", 300), meter("oven", 300)], *SPAN).causes
    assert cause.startswith("mains measures current only")


def test_what_meters_err_by_is_said_to_be_that() -> None:
    found = balance(meter("mains", 500), [meter("fridge", 255), meter("oven", 255)], *SPAN)
    assert found.rest_mwh == -240_000
    assert found.causes == ("the difference is no more than meters err by, 3 %",)


def test_without_a_common_quarter_hour_nothing_is_balanced() -> None:
    mains = Measured("mains", kept(steady(EDGES_MS, 500), range(10)), by_current=False)
    found = balance(mains, [Measured("oven", kept(steady(EDGES_MS, 900), range(20, 30)), by_current=False)], *SPAN)
    assert (found.common, found.energy_mwh, found.rest_mwh, found.causes) == (0, 0, 0, ())
