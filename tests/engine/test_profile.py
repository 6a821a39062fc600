"""The usual day by weekday, and what is unusual today, reckoned by hand."""

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.engine.pattern_words import unusual_words
from casawatt.engine.profile import by_wall_clock, profiles, unusual
from casawatt.model.columns import ABSENT
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.patterns import Unusual
from casawatt.model.quarters import Quarters, no_quarters
from tests.engine.days_of import ROME, edges_of, kept, steady

FIRST = date(2026, 3, 2)
"""A Monday."""


def test_the_usual_monday_is_the_median_of_mondays_with_its_quartiles() -> None:
    edges_ms = edges_of(FIRST, 28)
    watts = {2: 100, 9: 200, 16: 400, 23: 1000}  # the four Mondays
    quarters = steady(edges_ms, lambda at: watts.get(at.day, 50) if at.hour == 7 else 50)
    monday, *rest = profiles(by_wall_clock(quarters, ROME))
    assert (monday.weekday, monday.days, len(rest)) == (0, 4, 6)
    slot = 7 * 4
    assert (monday.low_mw[slot], monday.median_mw[slot], monday.high_mw[slot]) == (175_000, 300_000, 550_000)
    assert monday.median_mw[slot - 1] == monday.high_mw[slot + 4] == 50_000
    assert {each.median_mw[slot] for each in rest} == {50_000}


def test_the_clock_on_the_wall_decides_on_days_on_which_it_changes() -> None:
    """Sundays at 100 W times the hour on the wall, over both changes of the clocks of 2020."""
    for first, twice in ((date(2020, 3, 15), 0), (date(2020, 10, 11), 2)):
        edges_ms = edges_of(first, 21)
        days = by_wall_clock(steady(edges_ms, lambda at: 100.0 * at.hour), ROME)
        (sunday,) = [each for each in profiles(days) if each.weekday == 6]
        wanted = [100_000 * (slot // 4) for slot in range(96)]
        known = [each if each is not None else -1 for each in sunday.median_mw]
        if twice:
            assert known == wanted
            assert days.measured_ms[14, 8:12].tolist() == [2 * INTERVAL_MS] * 4
        else:
            assert known[:8] + known[12:] == wanted[:8] + wanted[12:]
            assert known[8:12] == [-1] * 4  # the third Sunday has no such hour: two are too few to say
            assert days.power_mw[14, 8:12].tolist() == [ABSENT] * 4


def test_two_days_are_no_usual_day() -> None:
    assert profiles(by_wall_clock(steady(edges_of(FIRST, 14), 100), ROME)) == ()
    assert len(profiles(by_wall_clock(steady(edges_of(FIRST, 21), 100), ROME))) == 7
    assert profiles(by_wall_clock(no_quarters(), ROME)) == ()


TODAY = date(2026, 4, 1)
"""A Wednesday, 30 days later."""


def until(hour: int, today_w: float, usual_w: float = 500) -> Quarters:
    """Return 30 days in which 8 to 10 o'clock takes a little more or less each day, and part of today."""
    edges_ms = edges_of(FIRST, 31)

    def watts(at: datetime) -> float:
        if at.date() == TODAY:
            return today_w if 8 <= at.hour < 10 else 50
        return usual_w + 10 * (at.day % 5) if 8 <= at.hour < 10 else 50

    return steady(edges_ms, watts).between(0, int(edges_ms[-2]) + hour * 3_600_000)


def asked(quarters: Quarters, hour: int) -> Unusual | None:
    return unusual("oven", by_wall_clock(quarters, ROME), TODAY.toordinal(), hour * 60)


def test_more_than_usual_by_this_time_is_said_with_its_measure() -> None:
    found = asked(until(12, 2000), 12)
    # 10 h of 50 W and 2 h of 2000 W; usual on Wednesdays (4, 11, 18 and 25 March) 40, 10, 30 and 0 W more than 500.
    assert found == Unusual("oven", 720, 4_500_000, 1_540_000, 1_580_000, 28, more=True)
    assert unusual_words("Oven", found) == (
        "Oven has used 4.50 kWh until 12:00 today, 2.96 kWh more than usual by then (1.54 kWh), and more than on any "
        "of the last 28 days (1.58 kWh)"
    )


def test_trifles_and_what_other_days_had_too_are_not_unusual() -> None:
    assert asked(until(12, 640), 12) is None  # 0.24 kWh more: a trifle
    assert asked(until(12, 545), 12) is None
    assert asked(until(12, 500), 12) is None
    assert asked(until(8, 2000), 8) is None  # it has not begun
    edges_ms = edges_of(FIRST, 31)
    washes = steady(edges_ms, lambda at: 1000 if at.day in {3, 12, 20} or at.date() == TODAY else 2)
    assert asked(washes, 12) is None  # a wash, as on three other days


def test_where_every_day_is_different_a_little_more_than_ever_is_not_unusual() -> None:
    """Days of 100 to 2260 W, 80 W apart: today exceeds them by far less than three robust standard deviations."""
    edges_ms = edges_of(FIRST, 29)
    first = FIRST.toordinal()

    def watts(at: datetime) -> float:
        day = at.date().toordinal() - first
        return 2300 if day == 28 else 100 + 80 * (day * 5 % 28)

    days = by_wall_clock(steady(edges_ms, watts), ROME)
    assert unusual("oven", days, first + 28, 12 * 60) is None


def test_less_than_usual_is_said_where_today_was_measured() -> None:
    found = asked(until(12, 50), 12)
    assert found == Unusual("oven", 720, 600_000, 1_540_000, 1_500_000, 28, more=False)
    assert "0.94 kWh less than usual" in unusual_words("Oven", found)
    silent = until(12, 50)
    assert asked(kept(silent, silent.start_ms < edges_of(TODAY, 1)[0] + 6 * 3_600_000), 12) is None


def test_without_a_fortnight_before_nothing_is_unusual() -> None:
    quarters = until(12, 5000)
    start_ms = int(edges_of(date(2026, 3, 19), 1)[0])
    assert asked(quarters.between(start_ms, 2**60), 12) is None
    assert asked(quarters.between(start_ms - 86_400_000, 2**60), 12) is not None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=21, max_size=40), st.integers(1, 95))
def test_a_day_like_those_before_is_never_unusual(watts: list[int], slots: int) -> None:
    edges_ms = edges_of(FIRST, len(watts))
    first = FIRST.toordinal()
    quarters = steady(edges_ms, lambda at: float(watts[at.date().toordinal() - first]))
    days = by_wall_clock(quarters, ROME)
    found = unusual("oven", days, first + len(watts) - 1, slots * 15)
    if found is not None:
        before = watts[-29:-1]
        assert watts[-1] > max(before) if found.more else watts[-1] < min(before)
        assert abs(found.energy_mwh - found.usual_mwh) > 250_000


@pytest.mark.parametrize("hour", [0, 3])
def test_the_cells_hold_all_of_the_energy(hour: int) -> None:
    edges_ms = edges_of(date(2020, 10, 24), 3)
    quarters = steady(edges_ms, lambda at: 100.0 + at.minute + hour)
    days = by_wall_clock(quarters, ROME)
    assert int(days.energy_mwh.sum()) == quarters.energy_sum_mwh
    assert np.array_equal(days.measured_ms.sum(axis=1), np.diff(edges_ms))
