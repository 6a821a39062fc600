"""Like runs make a programme, whatever the order in which they came; one that goes on is told from how it began."""

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.engine.programmes import (
    CURVE_POINTS,
    Group,
    Named,
    Trace,
    distances,
    expected,
    group,
    usual,
)
from casawatt.model.run_answer import Usual

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


def trace(day: int, minutes: float, blocks: Sequence[tuple[float, float]]) -> Trace:
    """Return a run on a day that draws `(until minute, watts)` one after the other."""
    curve = []
    for point in range(1, CURVE_POINTS + 1):
        at, energy_wh, since = minutes * point / CURVE_POINTS, 0.0, 0.0
        for until, power_w in blocks:
            energy_wh += power_w * max(0.0, min(at, until) - since) / 60
            since = until
        curve.append(round(energy_wh * 1000))
    return Trace(day * DAY_MS, round(minutes * MINUTE_MS), tuple(curve))


def cotton(day: int, stretch: float = 1.0) -> Trace:
    """Heats for twenty minutes and turns for an hour."""
    return trace(day, 90 * stretch, [(5, 50), (25 * stretch, 2000), (80 * stretch, 150), (90 * stretch, 400)])


def eco(day: int, stretch: float = 1.0) -> Trace:
    """Heats for ten minutes and turns for two and a half hours."""
    return trace(day, 180 * stretch, [(5, 50), (15 * stretch, 2000), (170 * stretch, 100), (180 * stretch, 400)])


def rinse(day: int) -> Trace:
    """Never heats."""
    return trace(day, 25, [(15, 120), (25, 400)])


def starts(traces: Sequence[Trace], groups: Sequence[Group]) -> list[tuple[str | None, list[int]]]:
    """Return each group as its name and the starts of its runs."""
    return [(each.name, [traces[place].start_ms // DAY_MS for place in each.members]) for each in groups]


def test_the_same_programme_is_alike_and_another_is_not() -> None:
    apart = distances(cotton(1), [cotton(2), cotton(3, 1.05), eco(4), rinse(5)])
    assert apart[0] == 0
    assert apart[1] < 1
    assert apart[2] > 1
    assert apart[3] > 1
    assert len(distances(cotton(1), [])) == 0


def test_like_runs_are_one_group_the_largest_first() -> None:
    traces = [eco(1), cotton(2), cotton(3, 1.03), rinse(4), cotton(5, 0.97), eco(6, 1.02)]
    assert starts(traces, group(traces, [])) == [(None, [2, 3, 5]), (None, [1, 6]), (None, [4])]
    assert traces[group(traces, [])[0].medoid] == cotton(2)
    assert group([], []) == []


def test_a_name_holds_for_the_runs_like_the_one_it_was_given_to_and_outlives_that_run() -> None:
    traces = [eco(1), cotton(2), cotton(3, 1.03), rinse(4)]
    names = [Named(7, "Eco 50", eco(900)), Named(8, "Cotton 60", cotton(901))]
    assert starts(traces, group(traces, names)) == [("Cotton 60", [2, 3]), ("Eco 50", [1]), (None, [4])]
    assert [each.programme_ids for each in group(traces, names)] == [(8,), (7,), ()]


def test_two_groups_of_one_name_are_one_programme() -> None:
    traces = [eco(1), cotton(2)]
    (only,) = group(traces, [Named(1, "Towels", eco(900)), Named(2, "Towels", cotton(901))])
    assert only.members == (0, 1)
    assert only.programme_ids == (1, 2)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from([cotton, eco]), st.floats(0.8, 1.3)), min_size=1, max_size=25),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_no_order_of_arrival_changes_a_group(
    kinds: list[tuple[object, float]], chance: random.Random, named: bool
) -> None:
    traces = [kind(day, stretch) for day, (kind, stretch) in enumerate(kinds)]  # type: ignore[operator] # one of two
    names = [Named(1, "Eco 50", eco(900)), Named(2, "Cotton 60", cotton(901))] if named else []
    shuffled, names_shuffled = traces.copy(), names.copy()
    chance.shuffle(shuffled)
    chance.shuffle(names_shuffled)
    found = [(name, sorted(days)) for name, days in starts(traces, group(traces, names))]
    assert [(name, sorted(days)) for name, days in starts(shuffled, group(shuffled, names_shuffled))] == found
    assert sorted(day for _, days in found for day in days) == list(range(len(traces)))


def test_the_usual_is_the_middle_with_one_in_ten_outside_on_either_side() -> None:
    assert usual([5]) == Usual(5, 5, 5)
    assert usual([3, 1, 2]) == Usual(2, 1, 3)
    assert usual(range(1, 22)) == Usual(11, 3, 19)


def so_far(whole: Trace, minutes: int) -> Trace:
    """Return the first minutes of a run."""
    curve = [0, *whole.curve_mwh]
    part = []
    for point in range(1, CURVE_POINTS + 1):
        place = minutes * MINUTE_MS * point / CURVE_POINTS / whole.duration_ms * CURVE_POINTS
        low = min(int(place), CURVE_POINTS - 1)
        part.append(round(curve[low] + (place - low) * (curve[low + 1] - curve[low])))
    return Trace(whole.start_ms, minutes * MINUTE_MS, tuple(part))


def test_a_run_that_goes_on_is_expected_to_end_as_those_did_that_began_like_it() -> None:
    traces = [cotton(1), cotton(2, 1.02), cotton(3, 0.98), eco(4), eco(5), eco(6), rinse(7)]
    groups = group(traces, [Named(1, "Eco 50", eco(900))])
    found = expected(so_far(eco(8), 40), traces, groups)
    assert found is not None
    assert groups[found.group].name == "Eco 50"
    assert found.matching == (3, 4, 5)
    assert found.duration_ms == Usual(180 * MINUTE_MS, 180 * MINUTE_MS, 180 * MINUTE_MS)
    found = expected(so_far(cotton(8), 40), traces, groups)
    assert found is not None
    assert found.matching == (0, 1, 2)
    assert found.duration_ms.low < found.duration_ms.median < found.duration_ms.high


def test_nothing_is_expected_where_it_cannot_be_known() -> None:
    traces = [cotton(1), cotton(2), eco(3), eco(4)]
    groups = group(traces, [])
    assert expected(so_far(cotton(8), 2), traces, groups) is None, "too young"
    assert expected(so_far(cotton(8), 5), traces, groups) is None, "both begin like this"
    assert expected(so_far(cotton(8), 40), traces[:1], group(traces[:1], [])) is None, "one run is no rule"
    assert expected(so_far(trace(8, 60, [(60, 3000)]), 30), traces, groups) is None, "none began like this"
    assert expected(trace(8, 20, [(20, 0)]), traces, groups) is None, "nothing was used"
