"""A correction changes what it is about, nothing else, and can be taken back."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casawatt.model.dated import Action
from casawatt.model.errors import RegistryError, UnknownDecisionError
from casawatt.model.suspect import Cause
from tests.recorder.deciding import DAY_MS, HOUR_MS, Place
from tests.recorder.homes import START_MS

JUMP_MS = 2 * HOUR_MS
SPIKE_MS = 30 * HOUR_MS


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A fridge of 100 W with a register, for two days: the register jumps once for a reading, the power once."""
    place = Place(tmp_path)
    place.home.adopt()
    for time_ms in range(0, 2 * DAY_MS, 30_000):
        register_wh = 41_200 + time_ms / 36_000
        jumped = 60_000 if time_ms == JUMP_MS else 0
        place.say(time_ms, 812_345.0 if time_ms == SPIKE_MS else 100.0, register_wh + jumped)
    yield place
    place.close()


def fridge_suspects(place: Place) -> list[tuple[int, Cause]]:
    meter = place.home.registry.meter("fridge")
    found = place.repairs.suspects(meter, START_MS, START_MS + 3 * DAY_MS)
    return [(each.time_ms - START_MS, each.cause) for each in found]


def test_what_cannot_be_true_is_listed_and_not_counted_sealed_restarted_or_not(place: Place, tmp_path: Path) -> None:
    told = [(JUMP_MS, Cause.JUMP), (SPIKE_MS, Cause.POWER)]
    assert fridge_suspects(place) == told
    assert place.home.energy_wh() == pytest.approx(4800, abs=1)
    place.check()
    place.home.store.flush()
    place.close()
    place.home = (unsealed := Place(tmp_path)).home
    assert fridge_suspects(unsealed) == told
    unsealed.seal()
    assert fridge_suspects(unsealed) == told
    unsealed.close()
    place.home = (sealed := Place(tmp_path)).home
    assert fridge_suspects(sealed) == told
    sealed.check()


def test_a_second_half_of_a_reading_takes_the_verdict_of_the_first_away(place: Place) -> None:
    at_ms = 2 * DAY_MS
    place.say(at_ms, 900_000.0)
    assert fridge_suspects(place)[-1] == (at_ms, Cause.POWER)
    place.say(at_ms, 100.0)
    assert fridge_suspects(place)[-1] == (SPIKE_MS, Cause.POWER)
    place.check()


def test_a_late_reading_has_the_verdicts_around_it_derived_anew(place: Place) -> None:
    place.seal()
    place.say(SPIKE_MS + 1000, -700_000.0)
    place.say(SPIKE_MS + 2000, 100.0)
    assert fridge_suspects(place)[1:] == [(SPIKE_MS, Cause.POWER), (SPIKE_MS + 1000, Cause.POWER)]
    place.check()


def test_a_restored_power_shows_in_its_quarter_hour_and_nowhere_else(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    before = place.used()
    at_ms = START_MS + SPIKE_MS
    repaired = place.repairs.correct(meter, Action.RESTORE, at_ms, at_ms + 1, "it was a lightning test")
    assert repaired.days == []  # the register has said how much it was
    assert fridge_suspects(place) == [(JUMP_MS, Cause.JUMP)]
    changed = [(start_ms, each.max_mw) for start_ms, each in place.used().items() if before[start_ms] != each]
    assert changed == [(SPIKE_MS, 812_345_000)]
    place.check()
    place.repairs.undo_correction(meter, repaired.correction.correction_id)
    assert place.used() == before
    place.check()


def test_a_restored_jump_is_counted_as_the_register_said(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    before = place.used()
    at_ms = START_MS + JUMP_MS
    repaired = place.repairs.correct(meter, Action.RESTORE, at_ms, at_ms + 1, None)
    (day,) = repaired.days
    assert day.after_mwh - day.before_mwh == pytest.approx(60_000_000, abs=2000)
    place.check()
    again = place.repairs.undo_correction(meter, repaired.correction.correction_id)
    assert [(each.before_mwh, each.after_mwh) for each in again.days] == [(day.after_mwh, day.before_mwh)]
    assert place.used() == before


def test_discarded_readings_count_nothing_and_the_rest_is_as_if_they_were_not_there(tmp_path: Path) -> None:
    with TemporaryDirectory() as other:
        whole, without = Place(tmp_path), Place(Path(other))
        for place in (whole, without):
            place.home.adopt()
            for time_ms in range(0, DAY_MS, 30_000):
                if place is whole or not 5 * HOUR_MS <= time_ms < 7 * HOUR_MS:
                    place.say(time_ms, 100.0)
        meter = whole.home.registry.meter("fridge")
        before = whole.used()
        whole.seal()
        start_ms = START_MS + 5 * HOUR_MS
        repaired = whole.repairs.correct(meter, Action.DISCARD, start_ms, start_ms + 2 * HOUR_MS, None)
        assert whole.used() == without.used()
        assert sum(day.before_mwh - day.after_mwh for day in repaired.days) == pytest.approx(200_000, abs=1000)
        assert whole.home.recorder.lines()[0].power_mw() == 100_000
        whole.check()
        whole.repairs.undo_correction(meter, repaired.correction.correction_id)
        assert whole.used() == before
        whole.close()
        without.close()


def test_an_hour_that_is_discarded_is_out_of_what_the_register_counted_too(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    before = place.used()
    start_ms = START_MS + 5 * HOUR_MS
    repaired = place.repairs.correct(meter, Action.DISCARD, start_ms, start_ms + HOUR_MS, "tried at a neighbour's")
    assert sum(day.before_mwh - day.after_mwh for day in repaired.days) == pytest.approx(100_000, abs=2000)
    place.check()
    place.repairs.undo_correction(meter, repaired.correction.correction_id)
    assert place.used() == before


def test_a_restored_jump_that_no_figure_of_power_can_hold_is_the_same_sealed_and_derived_anew(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.home.adopt()
    for time_ms in range(0, HOUR_MS, 10_000):
        place.say(time_ms, None, 41_200 + (60_000 if time_ms >= HOUR_MS // 2 else 0))
    at_ms = START_MS + HOUR_MS // 2
    place.repairs.correct(place.home.registry.meter("fridge"), Action.RESTORE, at_ms, at_ms + 1, None)
    wanted = place.used()
    place.check()
    place.seal()
    assert place.used() == wanted
    place.check()
    place.close()


def test_a_correction_survives_a_process_that_ends_before_its_figures_are_sealed(place: Place, tmp_path: Path) -> None:
    place.seal()
    at_ms = START_MS + SPIKE_MS
    place.repairs.correct(place.home.registry.meter("fridge"), Action.RESTORE, at_ms, at_ms + 1, None)
    wanted = place.used()
    place.close()
    place.home = (again := Place(tmp_path)).home
    assert again.used() == wanted
    again.check()
    again.seal()
    again.close()
    place.home = (sealed := Place(tmp_path)).home
    assert sealed.used() == wanted
    assert sealed.home.store.registry.dated.touched() == []


def test_there_must_be_something_to_correct_and_to_take_back(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    with pytest.raises(RegistryError, match="nothing that fridge said then is set aside"):
        place.repairs.correct(meter, Action.RESTORE, START_MS, START_MS + 1000, None)
    with pytest.raises(RegistryError, match="fridge has no reading of that time"):
        place.repairs.correct(meter, Action.DISCARD, START_MS - DAY_MS, START_MS, None)
    with pytest.raises(UnknownDecisionError, match="fridge has no correction 7 that stands"):
        place.repairs.undo_correction(meter, 7)


def test_power_that_is_set_aside_is_not_what_the_meter_uses_now(place: Place) -> None:
    (line,) = place.home.recorder.lines()
    place.say(2 * DAY_MS, 900_000.0)
    assert line.power_mw() == 100_000
    for minute in range(1, 4):
        place.say(2 * DAY_MS + minute * 60_000, 900_000.0)
    assert line.power_mw() is None
    place.say(2 * DAY_MS + 200_000, 90.0)
    assert line.power_mw() == 90_000


said = st.tuples(
    st.integers(0, 60).map(lambda step: step * 40_000 + (step // 20) * 5 * HOUR_MS),
    st.one_of(st.none(), st.sampled_from([0.0, 100.0, 90_000.0])),
    st.one_of(st.none(), st.integers(0, 40).map(lambda step: step * 20.0), st.just(500_000.0)),
)
decision = st.tuples(st.sampled_from(["restore", "discard", "undo"]), st.integers(0, 70), st.integers(1, 30))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(said, min_size=2, max_size=40, unique_by=lambda at: at[0]),
    st.lists(decision, max_size=8),
    st.randoms(use_true_random=False),
)
def test_whatever_is_decided_in_between_the_figures_are_those_of_a_fold_from_the_beginning(
    told: list[tuple[int, float | None, float | None]], decisions: list[tuple[str, int, int]], chance: random.Random
) -> None:
    steps: list[object] = [*(at for at in told if at[1:] != (None, None))]
    for each in decisions:
        steps.insert(chance.randrange(len(steps) + 1), each)
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.home.adopt()
        for step in steps:
            if isinstance(step, tuple) and isinstance(step[0], str):
                decide(place, *step)
            elif isinstance(step, tuple):
                place.say(*step)
            if chance.random() < 0.15:
                place.seal()
            if chance.random() < 0.15:
                place.home.store.flush()
                place.close()
                place = Place(Path(folder))
        place.check()
        place.seal()
        place.close()
        place = Place(Path(folder))
        place.check()
        place.close()


def decide(place: Place, action: str, start: int, length: int) -> None:
    """Make a correction if there is something to correct, or take the last one back if there is one."""
    meter = place.home.registry.meter("fridge")
    if action == "undo":
        for correction in place.repairs.corrections(meter)[-1:]:
            place.repairs.undo_correction(meter, correction.correction_id)
        return
    from_ms = START_MS + start * 40_000 + (start // 20) * 5 * HOUR_MS
    with suppress(RegistryError):  # there may be nothing to correct
        place.repairs.correct(meter, Action(action), from_ms, from_ms + length * 40_000, None)
