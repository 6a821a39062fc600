"""The countdown of each tier by hand, hysteresis, gaps, and what is not known."""

from collections.abc import Sequence

import pytest

from casawatt.engine import limiter
from casawatt.engine.limiter import START, Kind, Said, State
from casawatt.model.supply import PRESETS, Limiter, TierRule, limiter_of

ITALY = limiter_of(PRESETS["italy"], 3000, 900)
"""3 kW: 3.3 kW for ever, 3.99 kW for 180 min, more for 2 min."""
FUSE = limiter_of([TierRule(up_to_w=4000), TierRule(for_s=100)], None, 900)
"""Looks only at how long the power stays."""
HOLDS_MS = 60_000


def told(
    readings: Sequence[tuple[float, float | None]], until_s: float, rules: Limiter = ITALY, holds_s: float = 60
) -> tuple[State, list[Said]]:
    """Return the state at `until_s` and all that was said, of readings (s, W)."""
    state = START
    said: list[Said] = []
    for time_s, power_w in readings:
        power_mw = None if power_w is None else round(power_w * 1000)
        state, more = limiter.step(state, round(time_s * 1000), power_mw, rules, round(holds_s * 1000))
        said += more
    state, more = limiter.idle(state, round(until_s * 1000), rules)
    return state, [*said, *more]


def left_s(state: State, rules: Limiter = ITALY) -> float | None:
    found = limiter.trip_in_ms(state, rules)
    return None if found is None else found[0] / 1000


def constant(power_w: float, from_s: float, to_s: float, every_s: float = 30) -> list[tuple[float, float | None]]:
    """Return readings of a constant power at even times."""
    return [(from_s + each * every_s, power_w) for each in range(int((to_s - from_s) // every_s) + 1)]


def brief(said: Sequence[Said]) -> list[tuple[str, float, int]]:
    return [(each.kind.value, each.time_ms / 1000, each.tier) for each in said]


@pytest.mark.parametrize(
    ("power_w", "expected_s"),
    [(500, None), (3300, None), (3301, 10_800), (3990, 10_800), (3991, 120), (9000, 120), (-4000, None)],
)
def test_the_italian_tiers_allow_3300_w_for_ever_3990_w_for_180_min_and_more_for_2_min(
    power_w: float, expected_s: float | None
) -> None:
    assert left_s(told([(0, 300), (10, power_w)], 10)[0]) == expected_s


@pytest.mark.parametrize(("contracted_w", "free_w", "long_w"), [(4500, 4950, 5985), (6000, 6600, 7980)])
def test_the_tiers_go_with_the_contracted_power(contracted_w: int, free_w: int, long_w: int) -> None:
    assert [each.above_mw for each in limiter_of(PRESETS["italy"], contracted_w, 900).tiers] == [
        free_w * 1000,
        long_w * 1000,
    ]


def test_the_mcee_limiter_lets_4200_w_flow_for_three_minutes() -> None:
    mcee = limiter_of(PRESETS["mcee"], None, 900)
    assert left_s(told([(0, 4199)], 0, mcee)[0], mcee) is None
    assert left_s(told([(0, 4200)], 0, mcee)[0], mcee) == 180
    assert left_s(told([(0, 4200)], 50, mcee)[0], mcee) == 130


@pytest.mark.parametrize("every_s", [1, 10, 60])
def test_the_countdown_is_the_same_at_any_spacing_of_readings(every_s: float) -> None:
    state, said = told([(0, 300), *constant(5000, 60, 120, every_s)], 160)
    assert left_s(state) == 20
    assert brief(said) == [("over", 70, 1), ("warning", 70, 1), ("warning", 125, 1), ("warning", 153 - 0.5, 1)]


def test_a_reading_on_change_holds_up_to_the_gap_limit() -> None:
    state, said = told([(0, 5000)], 160, holds_s=300)
    assert brief(said)[-1][0] == "due"
    assert state.due_ms == 120_000


def test_after_three_hours_above_ten_percent_the_limiter_acts() -> None:
    state, said = told([(0, 300), *constant(3600, 60, 11_000)], 11_000)
    assert state.due_ms == 10_860_000
    assert brief(said)[:2] == [("over", 70, 0), ("warning", 10_860 - 900, 0)]
    assert [each.trip_in_ms for each in said if each.kind is Kind.WARNING] == [
        900_000,
        450_000,
        225_000,
        112_500,
        56_250,
        28_125,
    ]


def test_a_motor_that_starts_is_not_spoken_of() -> None:
    assert told([(0, 300), (10, 8000), (14, 500), (60, 400)], 120)[1] == []


def test_the_mean_of_two_minutes_counts_also_when_the_power_fell_meanwhile() -> None:
    # 9000 W for 60 s and 300 W for 60 s: 4650 W in the mean, more than 3990 W.
    state, said = told([(0, 300), (10, 9000), (70, 300), (100, 300)], 129)
    assert left_s(state) == 1
    assert said[-1].kind is Kind.WARNING
    assert limiter.safe_mw(state, ITALY) < 0
    # 5400 W for 60 s and 300 W for 60 s: 2850 W, less than it.
    assert left_s(told([(0, 300), (10, 5400), (70, 300)], 70)[0]) is None


def test_a_last_average_that_is_low_ends_the_count() -> None:
    # Minutes 2 and 92 are above 3300 W in the mean. At minute 182 the mean is 45 min of 3600 W and 45 min of 300 W.
    readings = [*constant(3600, 0, 137 * 60), *constant(300, 137 * 60 + 1, 183 * 60)]
    state, said = told(readings, 183 * 60)
    assert state.due_ms is None
    assert brief(said) == [("over", 10, 0), ("normal", 137 * 60 + 61, 0)]
    assert left_s(told([*readings, (183 * 60, 3600)], 183 * 60)[0]) == 10_800


def test_power_above_three_averages_acts_although_it_pauses() -> None:
    # 3.9 kW but for a minute every half hour: never 180 min on end, and each mean is above 3300 W.
    readings: list[tuple[float, float | None]] = []
    for start_s in range(0, 180 * 60, 1800):
        readings += [*constant(3900, start_s, start_s + 1710), (start_s + 1740, 500)]
    readings += constant(3900, 180 * 60, 182 * 60)
    state, said = told(readings, 182 * 60)
    assert state.due_ms == 182 * 60_000
    assert [each.kind for each in said][-1] is Kind.DUE
    assert Kind.WARNING in {each.kind for each in said}


def test_only_the_soonest_is_warned_of() -> None:
    readings = [(0, 300), *constant(3600, 60, 10_000), (10_020, 5000), (10_060, 5000)]
    said = told(readings, 10_060)[1]
    assert [(each.tier, each.time_ms) for each in said if each.kind is Kind.WARNING] == [
        (0, 9_960_000),
        (1, 10_030_000),
    ]


def test_nothing_flaps_when_power_swings_about_a_limit() -> None:
    readings = [(each * 10.0, 4100.0 if each % 2 else 3900.0) for each in range(360)]
    assert brief(told(readings, 3600, FUSE)[1]) == [("over", 20, 0), ("warning", 20, 0)]


def test_a_count_that_begins_anew_is_warned_of_anew_although_power_never_was_well_below() -> None:
    readings = [*constant(4500, 0, 30), *constant(3950, 40, 340), (350, 4500)]
    assert brief(told(readings, 420, FUSE)[1]) == [
        ("over", 10, 0),
        ("warning", 10, 0),
        ("warning", 360, 0),
        ("warning", 405, 0),
    ]


def test_it_is_normal_again_only_after_a_minute_well_below() -> None:
    high = constant(5000, 0, 30)
    assert brief(told([*high, (40, 3000), (80, 3000)], 95, FUSE)[1]) == [("over", 10, 0), ("warning", 10, 0)]
    assert brief(told([*high, (40, 3000), (80, 3000)], 100, FUSE)[1])[2:] == [("normal", 100, 0)]
    assert brief(told([*high, *constant(3900, 40, 600)], 600, FUSE)[1])[2:] == []


def test_it_is_told_again_after_it_was_normal() -> None:
    readings = [*constant(5000, 0, 30), *constant(300, 40, 160), (170, 5000)]
    assert [each.kind.value for each in told(readings, 190, FUSE)[1]] == [
        "over",
        "warning",
        "normal",
        "over",
        "warning",
    ]


def test_a_gap_stands_still_and_is_said() -> None:
    # 50 s above, known for 10 s more, then 15 s of nothing, then above again.
    readings = [(0.0, 300.0), *constant(5000, 10, 60, 10), (85, 5000.0)]
    state, _ = told(readings, 85, FUSE, holds_s=10)
    (count,) = state.counts
    assert (count.above_ms, count.unknown_ms, left_s(state, FUSE)) == (60_000, 15_000, 40)


def test_while_the_mains_is_silent_there_is_no_countdown() -> None:
    state, said = told(constant(5000, 0, 20, 10), 80, FUSE, holds_s=10)
    assert (state.power_mw, left_s(state, FUSE), state.gap_ms) == (None, None, 50_000)
    assert state.counts[0].above_ms == 30_000
    assert brief(said) == [("over", 10, 0), ("warning", 10, 0)]


def test_a_silence_longer_than_what_was_left_begins_the_count_anew() -> None:
    readings = [*constant(5000, 0, 60, 10), (110.0, 5000.0)]
    state, _ = told(readings, 110, FUSE, holds_s=10)
    assert (left_s(state, FUSE), state.counts[0].begun_unseen, state.counts[0].unknown_ms) == (100, True, 0)


def test_a_gap_within_a_count_makes_the_warning_come_earlier() -> None:
    # 6000 s above, 1200 s of nothing, above again: the limiter may act 1200 s before the countdown ends.
    readings = [*constant(3600, 0, 6000), *constant(3600, 7200, 11_000)]
    said = told(readings, 11_000, holds_s=31)[1]
    warning = next(each for each in said if each.kind is Kind.WARNING)
    assert (warning.trip_in_ms or 0) - warning.unknown_ms == 900_000


def test_the_very_first_reading_says_that_nothing_is_known_of_before() -> None:
    assert told([(0, 5000)], 0)[0].counts[1].begun_unseen
    assert not told([(0, 300), (10, 5000)], 10)[0].counts[1].begun_unseen


def test_a_reading_without_power_ends_what_is_known() -> None:
    state, _ = told([(0, 5000), (10, None)], 30, FUSE)
    assert (state.power_mw, state.counts[0].above_ms, state.counts[0].unknown_ms) == (None, 10_000, 20_000)


def test_what_was_before_is_refused() -> None:
    state, _ = told([(10, 300)], 20)
    with pytest.raises(ValueError, match="is before"):
        limiter.idle(state, 19_000, ITALY)
    with pytest.raises(ValueError, match="is before"):
        limiter.step(state, 19_000, 0, ITALY, HOLDS_MS)


@pytest.mark.parametrize(
    ("rules", "number", "why"),
    [
        ([TierRule(up_to_w=3300, for_s=60), TierRule(for_s=120)], 0, "for ever"),
        ([TierRule(up_to_w=3300), TierRule(up_to_w=4000), TierRule(for_s=9)], 1, "needs for_s"),
        ([TierRule(up_to_w=3300), TierRule(up_to_w=3000, for_s=9), TierRule(for_s=9)], 1, "not above"),
        ([TierRule(up_to_w=3300), TierRule(for_s=60), TierRule(for_s=9)], 2, "only the last"),
        ([TierRule(up_to_w=3300)], 0, "the last tier is of any power"),
        ([TierRule(up_to_ratio=1.1), TierRule(for_s=60)], 0, "contracted_w"),
        ([TierRule(up_to_w=3300, up_to_ratio=1.1), TierRule(for_s=60)], 0, "leave one out"),
    ],
)
def test_rules_that_are_no_limiter_are_refused(rules: list[TierRule], number: int, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        limiter_of(rules, None, 900)
    assert caught.value.args[1] == number
