"""What holds for every limiter and every power, checked against a plain reckoning second by second."""

from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.engine import limiter
from casawatt.engine.limiter import START, Kind, Said, State
from casawatt.model.supply import Limiter, Tier
from tests.engine.plain_limiter import PlainLimiter

PLAIN = [(3000.0, 240, (20, 100, 120)), (4000.0, 40, (30,)), (6000.0, 12, ())]
RULES = Limiter(tuple(Tier(round(w * 1000), s * 1000, tuple(x * 1000 for x in xs)) for w, s, xs in PLAIN), 60_000)
HOLDS_MS = 25_000

powers_w = st.sampled_from([-500, 0, 800, 2800, 2900, 3000, 3001, 3500, 4100, 5000, 6500, 9000])
stretches = st.lists(st.tuples(st.integers(1, 90), powers_w), min_size=1, max_size=25)
readings = st.lists(st.tuples(st.integers(1, 60_000), st.none() | powers_w), min_size=1, max_size=25)


@settings(max_examples=150, deadline=None)
@given(stretches)
def test_it_acts_at_the_very_second_that_a_plain_reckoning_finds(powers: list[tuple[int, int]]) -> None:
    plain, acted, state, due, time_s = PlainLimiter(PLAIN), [], START, [], 0
    for length_s, power_w in powers:
        for second in range(length_s):
            state, said = limiter.step(state, (time_s + second) * 1000, power_w * 1000, RULES, 1000)
            due += [each.time_ms for each in said if each.kind is Kind.DUE]
            if plain.second(power_w):
                acted.append((time_s + second + 1) * 1000)
        time_s += length_s
    said = limiter.idle(state, time_s * 1000, RULES)[1]
    assert [*due, *(each.time_ms for each in said if each.kind is Kind.DUE)] == acted


@settings(max_examples=150, deadline=None)
@given(stretches, powers_w)
def test_the_countdown_is_what_a_plain_reckoning_comes_to(powers: list[tuple[int, int]], then_w: int) -> None:
    plain, state, time_ms = PlainLimiter(PLAIN), START, 0
    for length_s, power_w in powers:
        state, _ = limiter.step(state, time_ms, power_w * 1000, RULES, length_s * 1000)
        for _ in range(length_s):
            plain.second(power_w)
        time_ms += length_s * 1000
    state, _ = limiter.step(state, time_ms, then_w * 1000, RULES, HOLDS_MS)
    found = limiter.trip_in_ms(state, RULES)
    assert (None if found is None else found[0] // 1000) == plain.seconds_left(then_w, 1000)
    safe_w = limiter.safe_mw(state, RULES) // 1000
    if safe_w >= 0:
        assert plain.seconds_left(safe_w, 1000) is None


def fold(spaced: list[tuple[int, int | None]], cuts: set[int], *, saved: bool) -> tuple[State, list[Said]]:
    """Return what readings come to, looked at also at the instants of `cuts`, the state kept and loaded meanwhile."""
    state, time_ms = START, 0
    said: list[Said] = []
    for step_ms, power_w in spaced:
        for cut_ms in sorted(cut for cut in cuts if time_ms < cut < time_ms + step_ms):
            state, more = limiter.idle(state, cut_ms, RULES)
            said += more
            state = limiter.load(limiter.dump(state)) if saved else state
        time_ms += step_ms
        state, more = limiter.step(state, time_ms, None if power_w is None else power_w * 1000, RULES, HOLDS_MS)
        said += more
    return state, said


@settings(max_examples=200, deadline=None)
@given(readings, st.sets(st.integers(1, 900_000), max_size=40))
def test_however_often_it_is_looked_at_and_started_again_the_same_is_said(
    spaced: list[tuple[int, int | None]], cuts: set[int]
) -> None:
    assert fold(spaced, cuts, saved=True) == fold(spaced, set(), saved=False)


@settings(max_examples=200, deadline=None)
@given(readings)
def test_a_warning_has_a_cause_and_what_is_told_is_taken_back_once(spaced: list[tuple[int, int | None]]) -> None:
    told = False
    for each in fold(spaced, set(), saved=False)[1]:
        if each.kind is Kind.NORMAL:
            assert told
        if each.kind is Kind.WARNING:
            assert each.trip_in_ms is not None
            assert each.trip_in_ms <= RULES.warn_ms + each.unknown_ms
        told = each.kind is not Kind.NORMAL
