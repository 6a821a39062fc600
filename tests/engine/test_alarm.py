"""Plain alarms: how long, back to normal, gaps, hours by the local clock."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.engine import alarm as alarms
from casawatt.engine.alarm import START, State, Told
from casawatt.engine.hours import is_on
from casawatt.model.alarm import Alarm, Hours

ROME = ZoneInfo("Europe/Rome")
PLAIN = Alarm("a", "mains", 2_500_000, 60_000, 2_375_000, 30_000)
BELOW = Alarm("b", "freezer", 5_000, 60_000, 30_000, 0, below=True)


def ms(local: str) -> int:
    return round(datetime.fromisoformat(local).replace(tzinfo=ROME).timestamp() * 1000)


START_MS = ms("2026-03-10T12:00")


def told(
    alarm: Alarm, readings: Sequence[tuple[float, float | None]], until_s: float, holds_s: float = 60
) -> tuple[State, list[tuple[str, float]]]:
    """Return the state at the end and what was told, of readings (s, W) after a Tuesday's noon."""
    state = START
    said: list[Told] = []
    for time_s, power_w in readings:
        power_mw = None if power_w is None else round(power_w * 1000)
        time_ms = START_MS + round(time_s * 1000)
        state, more = alarms.step(state, time_ms, power_mw, alarm, round(holds_s * 1000), ROME)
        said += more
    state, more = alarms.idle(state, START_MS + round(until_s * 1000), alarm, ROME)
    words = {True: "over", False: "normal"}
    return state, [(words[each.over], (each.time_ms - START_MS) / 1000) for each in [*said, *more]]


def test_it_is_told_after_its_time_and_over_after_a_while_well_below() -> None:
    readings = [(0, 100), (10, 2600), (40, 2600), (75, 2600), (90, 2400), (120, 2300), (150, 2300)]
    assert told(PLAIN, readings, 200)[1] == [("over", 70), ("normal", 150)]


def test_power_at_the_threshold_is_not_above_it() -> None:
    assert told(PLAIN, [(0, 2500), (50, 2500), (100, 2500)], 150)[1] == []


def test_it_does_not_flap_between_the_threshold_and_normal() -> None:
    readings = [(0.0, 2600.0), *((60.0 + 20 * each, 2400.0 if each % 2 else 2600.0) for each in range(50))]
    assert told(PLAIN, readings, 1100)[1] == [("over", 60)]


def test_what_is_below_is_told_likewise_and_is_over_at_once_if_so_configured() -> None:
    assert told(BELOW, [(0, 80), (10, 2), (50, 3), (90, 20), (100, 31)], 120)[1] == [("over", 70), ("normal", 100)]


def test_a_gap_neither_counts_nor_ends_the_count() -> None:
    readings = [(0, 2600), (30, 2600), (60, 2600)]
    assert told(PLAIN, readings, 80, holds_s=10)[0].beyond_ms == 30_000
    assert told(PLAIN, readings, 80, holds_s=20)[1] == [("over", 80)]


def test_a_silence_longer_than_the_alarms_time_begins_it_anew() -> None:
    assert told(PLAIN, [(0, 2600), (30, 2600), (110, 2600)], 120, holds_s=10)[0].beyond_ms == 10_000


def test_what_was_told_stays_so_while_nothing_is_known() -> None:
    state, said = told(PLAIN, [(0, 2600), (30, 2600), (60, 2600)], 1000, holds_s=30)
    assert (said, state.over, state.power_mw) == ([("over", 60)], True, None)


@pytest.mark.parametrize(
    ("local", "on", "until"),
    [
        ("2026-03-08T22:59", False, "2026-03-08T23:00"),
        ("2026-03-08T23:00", True, "2026-03-09T06:30"),  # a Sunday
        ("2026-03-09T06:29", True, "2026-03-09T06:30"),
        ("2026-03-09T06:30", False, "2026-03-09T23:00"),
        ("2026-03-10T01:00", True, "2026-03-10T06:30"),  # Tuesday, but it began on Monday
        ("2026-03-28T23:30", False, "2026-03-29T23:00"),  # a Saturday; the clocks go forward that night
        ("2026-10-25T23:30", True, "2026-10-26T06:30"),
    ],
)
def test_hours_past_midnight_belong_to_the_day_on_which_they_begin(local: str, *, on: bool, until: str) -> None:
    found, until_ms = is_on(Hours(1380, 390, (6, 0)), ROME, ms(local))
    assert found is on
    assert until_ms == ms(until)


def test_the_night_on_which_clocks_go_forward_is_an_hour_shorter() -> None:
    night = Hours(1380, 390)
    on, until_ms = is_on(night, ROME, ms("2026-03-28T23:00"))
    assert on
    assert until_ms - ms("2026-03-28T23:00") == 6.5 * 3_600_000


def test_outside_its_hours_nothing_counts_and_what_was_told_is_over() -> None:
    lunch = Alarm("c", "oven", 800_000, 60_000, 760_000, 30_000, hours=Hours(725, 735))
    readings = [(each * 30.0, 1000.0) for each in range(40)]
    state, said = told(lunch, readings, 1190)
    assert said == [("over", 360), ("normal", 900)]
    assert state.beyond_ms == 0


powers = st.none() | st.sampled_from([0, 2_300_000, 2_400_000, 2_500_000, 2_600_000])
readings = st.lists(st.tuples(st.integers(1, 90_000), powers), min_size=1, max_size=20)


@settings(max_examples=150, deadline=None)
@given(readings, st.sets(st.integers(1, 900_000), max_size=40), st.booleans())
def test_however_often_it_is_looked_at_the_same_is_told(
    spaced: list[tuple[int, int | None]],
    cuts: set[int],
    by_the_clock: bool,
) -> None:
    hours = Hours(725, 727) if by_the_clock else None
    alarm = Alarm("d", "mains", 2_500_000, 60_000, 2_375_000, 30_000, hours=hours)

    def fold(looks: set[int]) -> tuple[State, list[Told]]:
        state, time_ms = START, START_MS
        said: list[Told] = []
        for step_ms, power_mw in spaced:
            inside = sorted(START_MS + each for each in looks)
            for cut_ms in (each for each in inside if time_ms < each < time_ms + step_ms):
                state, more = alarms.idle(state, cut_ms, alarm, ROME)
                said += more
            time_ms += step_ms
            state, more = alarms.step(state, time_ms, power_mw, alarm, 45_000, ROME)
            said += more
        return state, said

    assert fold(cuts) == fold(set())
