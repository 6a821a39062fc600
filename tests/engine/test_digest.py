"""The day of one meter, reckoned by hand."""

from datetime import date, datetime
from fractions import Fraction

import numpy as np
import pytest

from casawatt.engine.days import by_day
from casawatt.engine.digest import NO_HISTORY, NOT_OVER, TOO_LITTLE, Beside, compared, median, part
from casawatt.engine.resample import check_resolution, resample
from casawatt.model.digest import Standby, Usual
from casawatt.model.interval import INTERVAL_MS, MICROJOULES_PER_MWH
from casawatt.model.quarters import Quarters
from tests.engine.days_of import days_of, edges_of, kept, steady

DAY_MS = 86_400_000


def test_standby_costs_what_it_would_in_365_days_of_24_hours() -> None:
    days = days_of(date(2026, 3, 10), 1, 50)
    price = Fraction("0.30") / 1_000_000  # a mWh
    found = part("router", days, 0, Beside(price_per_mwh=price), DAY_MS, over=True)
    assert found.standby == Standby(50_000, Fraction("131.4"))  # 50 W x 8760 h = 438 kWh
    assert (found.energy_mwh, found.mean_mw, found.cost) == (1_200_000, 50_000, None)
    assert part("router", days, 0, Beside(), DAY_MS, over=True).standby == Standby(50_000, None)


def growing(at: datetime) -> float:
    """Use 100 W more each week: 100 W in the first days of March 2026."""
    return 100.0 * (1 + (at.date() - date(2026, 3, 1)).days // 7)


def test_usual_is_the_median_of_the_last_eight_same_weekdays() -> None:
    days = days_of(date(2026, 3, 1), 70, growing)
    usual, why = compared(days, 69, over=True)
    # The eight before used 200 to 900 W; the one before these, of 100 W, does not count.
    assert (usual, why) == (Usual(24 * 550_000, 8), None)


def test_days_that_were_not_measured_are_passed_over_for_what_is_usual() -> None:
    edges_ms = edges_of(date(2026, 3, 1), 70)
    quarters = steady(edges_ms, growing)
    day = (quarters.start_ms - edges_ms[0]) // DAY_MS
    days = by_day(kept(quarters, ~np.isin(day, (62, 55))), edges_ms)
    usual, _ = compared(days, 69, over=True)
    assert usual == Usual(24 * 400_000, 7)  # of 100 to 700 W


def test_what_is_not_usual_is_said_to_be_so_and_why() -> None:
    edges_ms = edges_of(date(2026, 3, 1), 22)
    quarters = steady(edges_ms, 100)
    assert compared(by_day(quarters, edges_ms), 21, over=True) == (Usual(2_400_000, 3), None)
    assert compared(by_day(quarters, edges_ms), 20, over=True) == (None, NO_HISTORY)
    assert compared(by_day(quarters, edges_ms), 21, over=False) == (None, NOT_OVER)
    most = kept(quarters, range(len(quarters) - 10))
    assert compared(by_day(most, edges_ms), 21, over=True) == (None, TOO_LITTLE)


def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle() -> None:
    assert [median(np.array(each)) for each in ([3], [1, 4], [9, 1, 5], [0, 2, 7, 100])] == [3, 2, 5, 4]


def means(quarters: Quarters, span: tuple[int, int], minutes: int) -> tuple[int | None, ...]:
    energy_uj = quarters.energy_mwh * MICROJOULES_PER_MWH
    return resample(quarters.start_ms, energy_uj, quarters.measured_ms, span, minutes).power_mw


def test_a_day_of_25_hours_has_100_quarter_hours_and_25_hours() -> None:
    edges_ms = edges_of(date(2020, 10, 25), 1)
    quarters = steady(edges_ms, lambda at: 100 if at.hour < 12 else 300)
    span = int(edges_ms[0]), int(edges_ms[1])
    by_hour = means(quarters, span, 60)
    assert by_hour == (100_000,) * 13 + (300_000,) * 12
    assert len(means(quarters, span, 15)) == 100
    two = means(quarters, span, 120)
    assert (len(two), two[6], two[-1]) == (13, 200_000, 300_000)


def test_a_mean_of_which_less_than_half_was_measured_is_not_said() -> None:
    edges_ms = edges_of(date(2026, 3, 10), 1)
    quarters = steady(edges_ms, 100)
    some = Quarters(quarters.start_ms, quarters.energy_mwh // 2, quarters.measured_ms // 2, quarters.max_mw)
    less = Quarters(some.start_ms, some.energy_mwh, some.measured_ms - 1, some.max_mw)
    span = int(edges_ms[0]), int(edges_ms[0] + 4 * INTERVAL_MS)
    assert means(some, span, 30) == (100_000, 100_000)
    assert means(less, span, 30) == (None, None)


@pytest.mark.parametrize("minutes", [0, -15, 7, 25, 2880])
def test_a_resolution_divides_the_day(minutes: int) -> None:
    with pytest.raises(ValueError, match="does not divide"):
        check_resolution(minutes)
    assert check_resolution(1440) == 1440
