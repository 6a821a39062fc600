"""What silence does: gaps in the readings, and time that passes without one."""

import pytest

from casawatt.engine import runs
from casawatt.model.run import Finished, Output, Revised, Started, State
from tests.engine.appliances import (
    DISHES,
    DRUM_MINUTE,
    DRY,
    FILL,
    LATER_MS,
    MINUTE_MS,
    WASH,
    WASH_S,
    Part,
    Readings,
    kept,
    outputs_of,
    readings,
    runs_of,
    settings,
)

WASHING = settings("washing_machine")
HOUR: Part = (3600, 0)


def without(said: Readings, from_s: float, to_s: float) -> Readings:
    """Return the readings but those after `from_s` and before `to_s`."""
    return [(time_ms, power_mw) for time_ms, power_mw in said if not from_s * 1000 < time_ms < to_s * 1000]


def test_a_run_with_activity_on_both_sides_of_a_short_gap_goes_on_and_the_gap_is_said() -> None:
    said = without(readings([HOUR, *DRY, HOUR]), 4200, 4500)
    (run,) = runs_of(said, settings("dryer"))
    assert run.end_ms == (3600 + 2420) * 1000
    assert run.cut is None
    assert [(phase.start_ms, phase.end_ms) for phase in run.phases if phase.kind == "gap"] == [(4_200_000, 4_500_000)]


def test_a_run_ends_at_the_last_reading_before_a_long_gap() -> None:
    said = without(readings([HOUR, *WASH, HOUR]), 4200, 4200 + 700)
    first, second = runs_of(said, WASHING)
    assert (first.end_ms, first.cut) == (4_200_000, "gap")
    assert second.start_ms == pytest.approx(4_900_000, abs=10_000)
    assert second.cut is None


def test_a_run_whose_end_falls_into_a_gap_ends_at_the_last_reading() -> None:
    said = without(readings([HOUR, *WASH, HOUR]), 3600 + WASH_S - 100, 3600 + WASH_S + 200)
    (run,) = runs_of(said, WASHING)
    assert (run.end_ms, run.cut) == ((3600 + WASH_S - 100) * 1000, "gap")


def test_a_last_reading_is_not_held_for_ever() -> None:
    said = readings([HOUR, *FILL, *DRUM_MINUTE * 3, (300, 2100)])
    (run,) = runs_of(said, WASHING)
    assert (run.end_ms, run.cut) == (said[-1][0], "gap")


def test_a_gap_after_the_end_cuts_nothing() -> None:
    said = without(readings([HOUR, *WASH, (7200, 0)]), 3600 + WASH_S + 150, 3600 + WASH_S + 3000)
    (run,) = runs_of(said, WASHING)
    assert (run.end_ms, run.cut) == ((3600 + WASH_S) * 1000, None)


def test_a_run_that_began_in_a_gap_begins_with_the_first_reading() -> None:
    said = without(readings([HOUR, *WASH, HOUR]), 2000, 3700)
    assert [run.start_ms for run in runs_of(said, WASHING)] == [pytest.approx(3_700_000, abs=10_000)]


def test_a_plug_that_reports_changes_only_is_believed_up_to_its_gap_limit() -> None:
    how = settings("washing_machine", gap_limit_s=3600)
    changes = readings([HOUR, *WASH, HOUR])
    changes = [each for before, each in zip([(0, -1), *changes], changes, strict=False) if before[1] != each[1]]
    assert len(changes) < 200
    (run,) = runs_of(changes, how)
    assert (run.start_ms, run.end_ms, run.cut) == (3_600_000, (3600 + WASH_S) * 1000, None)


def test_an_end_that_was_read_is_no_cut_though_nothing_was_read_after_it() -> None:
    said = [*readings([HOUR, *DRY]), (6_020_000, 0)]
    (run,) = runs_of(said, settings("dryer", gap_limit_s=3600))
    assert (run.end_ms, run.cut) == (6_020_000, None)


def test_finished_is_said_by_the_time_when_a_silent_plug_holds_its_standby() -> None:
    how = settings("washing_machine", gap_limit_s=3600)
    state, told = runs.START, list[Output]()
    for time_ms, power_mw in readings([HOUR, *WASH, (1, 0)]):
        state, outputs = runs.step(state, time_ms, power_mw, how)
        told += outputs
    end_ms = (3600 + WASH_S) * 1000
    assert [type(each) for each in told] == [Started]
    state, outputs = runs.idle(state, end_ms + 119_000, how)
    assert outputs == ()
    assert runs.current(state, how)[0] is State.ACTIVE
    state, (finished,) = runs.idle(state, end_ms + 120_000, how)
    assert isinstance(finished, Finished)
    assert (finished.run.end_ms, finished.announced_ms) == (end_ms, end_ms + 120_000)
    assert runs.current(state, how) == (State.FINISHED, None)
    assert runs.idle(state, end_ms + LATER_MS, how)[1] == ()
    assert runs.step(state, end_ms + 600_000, 0, how)[1] == ()


def test_what_was_said_too_early_is_revised() -> None:
    how = settings("washing_machine", gap_limit_s=3600)
    said = [*readings([HOUR, *WASH, (60, 3)]), *readings(WASH[4:], 1, 3_600_000 + (WASH_S + 90) * 1000)]
    state, told = runs.START, list[Output]()
    for time_ms, power_mw in said:
        if time_ms >= 3_600_000 + (WASH_S + 90) * 1000 and not any(isinstance(each, Finished) for each in told):
            state, outputs = runs.idle(state, time_ms + 200_000, how)
            told += outputs
        state, outputs = runs.step(state, time_ms, power_mw, how)
        told += outputs
    assert [type(each) for each in told] == [Started, Finished, Revised]
    assert runs.current(state, how)[0] is State.ACTIVE


@pytest.mark.parametrize("appliance", ["washing_machine", "dryer"])
def test_finished_is_said_within_three_minutes(appliance: str) -> None:
    what = WASH if appliance == "washing_machine" else DRY
    for every_s in (1, 10):
        outputs = outputs_of(readings([HOUR, *what, HOUR], every_s), settings(appliance), idle_s=5)
        (finished,) = [each for each in outputs if isinstance(each, Finished)]
        assert finished.announced_ms - (finished.run.end_ms or 0) <= 3 * MINUTE_MS


def test_a_dishwasher_that_dries_in_a_gap_is_not_lost() -> None:
    said = without(readings([HOUR, *DISHES, (1500, 2), (30, 15), HOUR]), 6000, 6200)
    (run,) = runs_of(said, settings("dishwasher"))
    assert run.end_ms == (3600 + sum(seconds for seconds, _ in DISHES) + 1530) * 1000


def test_a_reading_without_power_leaves_the_last_one_standing() -> None:
    state, _ = runs.step(runs.START, 0, 1000, WASHING)
    assert runs.step(state, 5000, None, WASHING) == (state, ())
    assert runs.step(runs.START, 0, None, WASHING) == (runs.START, ())


def test_a_reading_of_the_same_instant_takes_the_others_place() -> None:
    said = readings([HOUR, *WASH, HOUR])
    doubled = [each for time_ms, power_mw in said for each in ((time_ms, 1_500_000), (time_ms, power_mw))]
    assert runs_of(doubled, WASHING) == runs_of(said, WASHING)


def test_a_reading_from_before_is_refused() -> None:
    state, _ = runs.step(runs.START, 5000, 0, WASHING)
    with pytest.raises(ValueError, match="a reading of 4000 ms came after one of 5000 ms"):
        runs.step(state, 4000, 0, WASHING)


def test_what_is_told_fits_together_whatever_the_gaps() -> None:
    said = readings([HOUR, *DISHES, (1500, 2), (30, 15), (1800, 2), *DISHES, HOUR])
    for from_s in range(3700, 9000, 371):
        for length_s in (61, 200, 599, 700, 4000):
            for run in kept(outputs_of(without(said, from_s, from_s + length_s), settings("dishwasher"), idle_s=30)):
                end_ms = run.end_ms or 0
                assert not run.start_ms < from_s * 1000 < (from_s + length_s) * 1000 < end_ms or length_s <= 600
