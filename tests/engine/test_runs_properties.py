"""What holds for the runs of any readings."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from casawatt.engine import runs
from casawatt.engine.runs import RunState
from casawatt.model.run import Output, Run
from tests.engine.appliances import DISHES, LATER_MS, TUMBLE, WASH, Part, Readings, kept, readings, runs_of, settings

APPLIANCES = ["washing_machine", "dishwasher", "dryer", "kettle", "fridge", None]

pieces: st.SearchStrategy[list[Part]] = st.one_of(
    st.tuples(st.integers(1, 2500), st.sampled_from([0, 0, 2, 5, 9, 14, 60, 120, 220, 2000])).map(lambda part: [part]),
    st.sampled_from([WASH, DISHES, TUMBLE * 8]),
)
days = st.lists(pieces, min_size=1, max_size=8).map(lambda found: [part for piece in found for part in piece])
rates_s = st.sampled_from([3.0, 10.0, 61.0])


@st.composite
def streams(draw: st.DrawFn) -> Readings:
    """Readings at some rate, of which some stretches are missing."""
    said = readings(draw(days), draw(rates_s))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(said)))
        said = said[: max(start, 1)] + said[start + draw(st.integers(0, 250)) :]
    return said


def fold(state: RunState, said: Readings, appliance: str | None) -> tuple[RunState, list[Output]]:
    outputs: list[Output] = []
    how = settings(appliance, 90)
    for time_ms, power_mw in said:
        state, told = runs.step(state, time_ms, power_mw, how)
        outputs += told
    return state, outputs


@given(streams(), st.sampled_from(APPLIANCES), st.data())
@hypothesis_settings(max_examples=60)
def test_a_state_that_is_saved_and_loaded_goes_on_as_if_it_had_not_been(
    said: Readings, appliance: str | None, data: st.DataObject
) -> None:
    whole = fold(runs.START, said, appliance)
    cut = data.draw(st.integers(0, len(said)))
    state, outputs = fold(runs.START, said[:cut], appliance)
    loaded = runs.load(runs.dump(state))
    assert loaded is not None
    assert loaded == state
    after, rest = fold(loaded, said[cut:], appliance)
    assert (after, outputs + rest) == whole


@given(streams(), st.sampled_from(APPLIANCES), st.lists(st.integers(0, 10**9), max_size=30))
@hypothesis_settings(max_examples=60)
def test_time_that_passes_anywhere_changes_no_run(said: Readings, appliance: str | None, waits: list[int]) -> None:
    how = settings(appliance, 90)
    expected = runs_of(said, how)
    asked = {number % len(said): number % 100_000 for number in waits}
    state, outputs = runs.START, list[Output]()
    for number, (time_ms, power_mw) in enumerate(said):
        state, told = runs.step(state, time_ms, power_mw, how)
        outputs += told
        if number in asked:
            until_ms = said[number + 1][0] if number + 1 < len(said) else time_ms + 100_000
            state, told = runs.idle(state, min(time_ms + asked[number], until_ms - 1), how)
            outputs += told
    outputs += runs.idle(state, said[-1][0] + LATER_MS, how)[1]
    assert kept(outputs) == expected


@given(streams(), st.sampled_from(APPLIANCES))
@hypothesis_settings(max_examples=60)
def test_runs_are_in_order_and_apart_and_lie_within_what_was_read(said: Readings, appliance: str | None) -> None:
    found: list[Run] = runs_of(said, settings(appliance, 90))
    spans = [(run.start_ms, run.end_ms or 0) for run in found]
    assert all(start_ms < end_ms for start_ms, end_ms in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert all(said[0][0] <= start_ms and end_ms <= said[-1][0] for start_ms, end_ms in spans)
    for run in found:
        assert run.start_ms < run.active_end_ms <= (run.end_ms or 0)
        assert (run.phases[0].start_ms, run.phases[-1].end_ms) == (run.start_ms, run.end_ms)
        assert all(a.end_ms == b.start_ms for a, b in pairwise(run.phases))
        assert run.tail_end_ms is None or run.tail_end_ms > (run.end_ms or 0)


@given(streams(), st.sampled_from(APPLIANCES))
@hypothesis_settings(max_examples=60)
def test_no_run_ends_where_nothing_was_read(said: Readings, appliance: str | None) -> None:
    read = {time_ms for time_ms, _ in said}
    for run in runs_of(said, settings(appliance, 90)):
        assert run.end_ms in read
        assert run.start_ms in read


@given(days, st.sampled_from(APPLIANCES))
@hypothesis_settings(max_examples=40)
def test_readings_further_apart_invent_no_runs_where_nothing_ran(parts: list[Part], appliance: str | None) -> None:
    weak: list[Part] = [(seconds, power_w / 500) for seconds, power_w in parts]
    for every_s in (1.0, 10.0, 60.0):
        assert runs_of(readings(weak, every_s), settings(appliance, 180)) == []


@pytest.mark.parametrize("data", [b"", b"nonsense", bytes([runs.VERSION]), bytes([runs.VERSION + 1, 0x90])])
def test_a_state_that_nobody_saved_is_not_loaded(data: bytes) -> None:
    assert runs.load(data) is None
