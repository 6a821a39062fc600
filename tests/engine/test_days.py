"""Local days as columns, reckoned by hand."""

from datetime import date, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.engine.days import by_day
from casawatt.model.columns import ABSENT
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters, no_quarters
from tests.engine.days_of import days_of, edges_of, kept, steady


def test_days_on_which_the_clocks_change_have_23_and_25_hours_of_energy() -> None:
    spring = days_of(date(2020, 3, 28), 3, 100)
    autumn = days_of(date(2020, 10, 24), 3, 100)
    assert spring.energy_mwh.tolist() == [2_400_000, 2_300_000, 2_400_000]
    assert autumn.energy_mwh.tolist() == [2_400_000, 2_500_000, 2_400_000]
    assert [each // INTERVAL_MS for each in (spring.measured_ms[1], autumn.measured_ms[1])] == [92, 100]
    assert spring.mean_mw.tolist() == autumn.mean_mw.tolist() == [100_000] * 3


def by_the_hour(at: datetime) -> float:
    """Use 40 W at night, 60 W in the small hours from 4 to 6, and 500 W by day."""
    return 40 if at.hour < 4 else 60 if at.hour < 6 else 500


def test_standby_is_the_median_of_the_quarter_of_the_day_with_the_least_power() -> None:
    days = days_of(date(2026, 3, 10), 1, by_the_hour)
    assert days.standby_mw.tolist() == [40_000]  # 6 quiet hours: 4 of 40 W, 2 of 60 W
    assert days.mean_mw.tolist() == [(4 * 40_000 + 2 * 60_000 + 18 * 500_000 + 12) // 24]


def test_an_outage_of_an_hour_is_not_standby() -> None:
    edges_ms = edges_of(date(2026, 3, 10), 1)
    quarters = steady(edges_ms, lambda at: 0 if at.hour == 3 else by_the_hour(at))
    assert by_day(quarters, edges_ms).standby_mw.tolist() == [40_000]


def test_standby_is_not_said_of_less_than_six_measured_hours() -> None:
    edges_ms = edges_of(date(2026, 3, 10), 1)
    quarters = steady(edges_ms, 50)
    assert by_day(kept(quarters, range(24)), edges_ms).standby_mw.tolist() == [50_000]
    assert by_day(kept(quarters, range(23)), edges_ms).standby_mw.tolist() == [ABSENT]


def test_what_a_register_counted_over_a_gap_is_energy_of_the_day_but_no_power() -> None:
    edges_ms = edges_of(date(2026, 3, 10), 1)
    quarters = steady(edges_ms, 100)
    spread = Quarters(
        quarters.start_ms,
        np.where(np.arange(96) == 50, 900_000, quarters.energy_mwh),
        np.where(np.arange(96) == 50, INTERVAL_MS // 2 - 1, quarters.measured_ms),
        quarters.max_mw,
    )
    days = by_day(spread, edges_ms)
    assert days.energy_mwh.tolist() == [95 * 25_000 + 900_000]
    assert days.mean_mw.tolist() == [100_000]
    assert days.measured_ms.tolist() == [95 * INTERVAL_MS + INTERVAL_MS // 2 - 1]


def test_the_highest_power_is_that_of_the_first_quarter_hour_which_has_it() -> None:
    edges_ms = edges_of(date(2026, 3, 10), 2)
    quarters = steady(edges_ms, lambda at: 2000 if at.day == 11 and at.hour in {7, 19} else 100)
    days = by_day(kept(quarters, range(40, 192)), edges_ms)
    assert days.max_mw.tolist() == [100_000, 2_000_000]
    assert days.max_at_ms.tolist() == [quarters.start_ms[40], edges_ms[1] + 7 * 3_600_000]


@pytest.mark.parametrize("quarters", [no_quarters(), steady(edges_of(date(2026, 3, 9), 1), 5)])
def test_a_day_without_quarter_hours_says_nothing(quarters: Quarters) -> None:
    edges_ms = edges_of(date(2026, 3, 10), 1)
    days = by_day(quarters, edges_ms)
    assert (days.energy_mwh.tolist(), days.measured_ms.tolist(), days.covered.tolist()) == ([0], [0], [False])
    for column in (days.mean_mw, days.standby_mw, days.max_mw, days.max_at_ms):
        assert column.tolist() == [ABSENT]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 10**6), st.integers(1, INTERVAL_MS)), max_size=80))
def test_the_columns_are_what_each_day_gives_alone(rows: list[tuple[int, int, int]]) -> None:
    edges_ms = edges_of(date(2026, 3, 28), 4)
    found = {edges_ms[0] + place * INTERVAL_MS: (energy, measured) for place, energy, measured in rows}
    found = {start: values for start, values in sorted(found.items()) if start < edges_ms[-1]}
    quarters = Quarters(
        np.array(list(found), np.int64),
        np.array([energy for energy, _ in found.values()], np.int64),
        np.array([measured for _, measured in found.values()], np.int64),
        np.array([energy * 4 for energy, _ in found.values()], np.int64),
    )
    whole = by_day(quarters, edges_ms)
    for place, (start_ms, end_ms) in enumerate(pairwise(edges_ms.tolist())):
        alone = by_day(quarters.between(start_ms, end_ms), edges_ms[place : place + 2])
        for name in ("energy_mwh", "measured_ms", "mean_mw", "standby_mw", "max_mw", "max_at_ms"):
            assert getattr(whole, name)[place] == getattr(alone, name)[0], name
        assert whole.energy_mwh[place] == sum(e for start, (e, _) in found.items() if start_ms <= start < end_ms)
