"""What runs used and cost, what like ones are called, and what one that goes on will come to."""

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.answers.run_events import event_of
from casawatt.model.errors import RegistryError, UnknownDecisionError, UnknownRunError
from casawatt.model.event_data import RunFinished, RunStarted
from casawatt.model.reading import Reading
from casawatt.model.run import State
from casawatt.model.run_answer import Usual
from casawatt.recorder.runs import News
from tests.answers.washing import COTTON, DAY_MS, ECO, HOUR_MS, MINUTE_MS, ROME, START_MS, Flat, flat_in


@pytest.fixture
def flat(tmp_path: Path) -> Iterator[Flat]:
    with flat_in(tmp_path / "data") as flat:
        yield flat


def test_a_run_has_its_energy_to_the_mwh_its_phases_and_its_cost(flat: Flat) -> None:
    flat.wash(START_MS + HOUR_MS, COTTON)
    (answer,) = flat.runs.answers([flat.washer], START_MS, START_MS + DAY_MS)
    run = answer.run
    assert run.end_ms is not None
    assert abs(run.start_ms - START_MS - HOUR_MS) < MINUTE_MS
    assert abs(run.end_ms - run.start_ms - 88 * MINUTE_MS) < MINUTE_MS
    calibrations = flat.home.registry.calibrations(flat.washer)
    assert answer.energy == flat.home.store.energy(flat.washer.meter_id, run.start_ms, run.end_ms, calibrations)
    assert answer.energy.energy_wh == pytest.approx(2000 * 24 / 60 + 150 * 50 / 60 + 400 / 6 + 12 * 4 / 60, rel=0.01)
    assert [phase.kind for phase in run.phases] == ["low", "heat", "motor"]
    assert sum(phase.energy_mwh for phase in answer.phases) == answer.energy.energy_mwh
    assert answer.cost == pytest.approx(Fraction(answer.energy.energy_mwh, 1_000_000) * Fraction("0.3"), rel=1e-9)
    assert answer.cost_complete
    assert flat.runs.find(flat.washer, run.start_ms) == answer
    with pytest.raises(UnknownRunError, match="washer has no run that began at 2026-03-09T23:00:00"):
        flat.runs.find(flat.washer, START_MS)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_phases_sum_to_the_run_whatever_was_measured(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random
) -> None:
    with flat_in(tmp_path_factory.mktemp("home")) as flat:
        blocks = tuple((chance.randint(1, 20), chance.choice([0.3, 9, 33.3, 777, 2001])) for _ in range(12))
        flat.wash(START_MS + chance.randrange(HOUR_MS), blocks)
        for answer in flat.runs.answers([flat.washer], START_MS, START_MS + DAY_MS):
            assert sum(phase.energy_mwh for phase in answer.phases) == answer.energy.energy_mwh


def test_late_readings_change_what_a_run_used(flat: Flat) -> None:
    flat.wash(START_MS + HOUR_MS, COTTON)
    (before,) = flat.runs.answers([flat.washer], START_MS, START_MS + DAY_MS)
    flat.say(before.run.start_ms + 10 * MINUTE_MS + 5000, 2300.0)
    flat.home.recorder.settle()
    (after,) = flat.runs.answers([flat.washer], START_MS, START_MS + DAY_MS)
    assert after.energy.energy_mwh > before.energy.energy_mwh
    assert after.cost is not None
    assert before.cost is not None
    assert after.cost > before.cost


def test_the_mains_has_no_runs_and_no_state(flat: Flat) -> None:
    mains = flat.home.registry.meter("mains")
    for second in range(0, 7200, 10):
        flat.home.recorder.put(
            Reading(
                source="ecms_udp",
                address="a2",
                received_ms=START_MS + second * 1000,
                time_ms=START_MS + second * 1000,
                power_w=2000.0,
            )
        )
    assert flat.runs.state(mains) is None
    assert flat.programmes.doing(mains) is None
    assert flat.runs.list(mains, START_MS, START_MS + DAY_MS) == []


def test_the_state_follows_the_appliance(flat: Flat) -> None:
    assert flat.runs.state(flat.washer) is None, "it was never heard"
    flat.say(START_MS, 0.0)
    assert flat.runs.state(flat.washer) is State.OFF
    end_ms = flat.wash(START_MS + HOUR_MS, COTTON, minutes=30)
    assert flat.runs.state(flat.washer) is State.ACTIVE
    doing = flat.programmes.doing(flat.washer)
    assert doing is not None
    assert doing.run is not None
    assert doing.run.run.end_ms is None
    assert doing.run.energy.energy_wh == pytest.approx(12 * 4 / 60 + 2000 * 24 / 60 + 150 * 2 / 60, rel=0.02)
    for second in range(0, 600, 10):
        flat.say(end_ms + second * 1000, 0.4)
    assert flat.runs.state(flat.washer) is State.FINISHED
    doing = flat.programmes.doing(flat.washer)
    assert doing is not None
    assert doing.run is None


def test_like_runs_are_one_programme_that_can_be_named_and_unnamed(flat: Flat) -> None:
    for day, blocks in enumerate([COTTON, ECO, COTTON, ECO, COTTON]):
        flat.wash(START_MS + day * DAY_MS + HOUR_MS, blocks)
    found = flat.programmes.all(flat.washer)
    assert [(each.name, each.count) for each in found] == [(None, 3), (None, 2)]
    assert found[0].duration_ms == Usual(88 * MINUTE_MS, 88 * MINUTE_MS, 88 * MINUTE_MS)
    assert found[0].cost is not None
    assert float(found[0].cost.median) == pytest.approx(0.30 * found[0].energy_mwh.median / 1e6)
    eco = flat.programmes.name(flat.washer, found[1].typical_ms, "Eco 50")
    assert (eco.name, eco.count) == ("Eco 50", 2)
    assert [(each.name, each.count) for each in flat.programmes.all(flat.washer)] == [("Eco 50", 2), (None, 3)]
    names = [each.programme for each in flat.runs.answers([flat.washer], START_MS, START_MS + 9 * DAY_MS)]
    assert names == [None, "Eco 50", None, "Eco 50", None]
    again = flat.programmes.name(flat.washer, eco.typical_ms, "Eco 50")
    assert again.programme_ids == eco.programme_ids, "it is called so already"
    other = flat.programmes.name(flat.washer, eco.newest_ms, "Eco 60")
    assert (other.name, other.count) == ("Eco 60", 2)
    assert other.programme_ids != eco.programme_ids
    flat.wash(START_MS + 6 * DAY_MS, ECO)
    assert flat.runs.answers([flat.washer], START_MS + 6 * DAY_MS, START_MS + 7 * DAY_MS)[0].programme == "Eco 60"
    assert flat.programmes.take_name_back(flat.washer, other.programme_ids[0]) == "Eco 60"
    assert {each.name for each in flat.programmes.all(flat.washer)} == {None}
    with pytest.raises(UnknownDecisionError, match="washer has no programme's name 7 that stands"):
        flat.programmes.take_name_back(flat.washer, 7)


def test_a_name_is_refused_where_there_is_nothing_to_name(flat: Flat) -> None:
    flat.wash(START_MS + HOUR_MS, COTTON, minutes=30)
    (run,) = flat.runs.list(flat.washer, START_MS, START_MS + DAY_MS)
    with pytest.raises(RegistryError, match="still goes on"):
        flat.programmes.name(flat.washer, run.start_ms, "Cotton")
    with pytest.raises(RegistryError, match="cannot be empty"):
        flat.programmes.name(flat.washer, run.start_ms, "")
    with pytest.raises(UnknownRunError):
        flat.programmes.name(flat.washer, START_MS, "Cotton")


def test_a_run_that_goes_on_is_told_when_it_will_end_and_what_it_will_cost(flat: Flat) -> None:
    for day, blocks in enumerate([COTTON, ECO, COTTON, ECO, COTTON]):
        flat.wash(START_MS + day * DAY_MS + HOUR_MS, blocks)
    flat.programmes.name(flat.washer, flat.programmes.all(flat.washer)[0].typical_ms, "Cotton 60")
    start_ms = START_MS + 7 * DAY_MS
    flat.wash(start_ms, COTTON, minutes=40)
    doing = flat.programmes.doing(flat.washer)
    assert doing is not None
    assert doing.run is not None
    outlook = doing.run.outlook
    assert outlook is not None
    assert (outlook.programme, outlook.count) == ("Cotton 60", 3)
    assert abs(outlook.end_ms.median - start_ms - 88 * MINUTE_MS) < MINUTE_MS
    assert outlook.cost is not None
    assert float(outlook.cost.median) == pytest.approx(0.30 * outlook.energy_mwh.median / 1e6)
    assert flat.programmes.foretold(doing.run) == doing.run


def test_what_began_or_ended_is_told_with_what_it_took(flat: Flat) -> None:
    flat.wash(START_MS + HOUR_MS, COTTON)
    run = flat.runs.list(flat.washer, START_MS, START_MS + DAY_MS)[0]
    started = event_of(News("started", flat.washer, run), flat.runs, ROME, "EUR")
    finished = event_of(News("finished", flat.washer, run), flat.runs, ROME, "EUR")
    assert started.event_id == f"washer/casawatt.run.started/{run.start_ms}"
    assert started.data == {"meter": "washer", "start": "2026-03-10T01:00:00+01:00"}
    assert (finished.type, finished.time_ms, finished.subject) == ("casawatt.run.finished", run.end_ms, "washer")
    assert finished.data["end"] == "2026-03-10T02:28:00+01:00"
    assert finished.data["cost"] == "0.2977"
    assert set(finished.data) == set(RunFinished.__struct_fields__)
    assert set(started.data) == set(RunStarted.__struct_fields__)


def test_two_runs_side_by_side_have_curves_of_the_same_steps(flat: Flat) -> None:
    flat.wash(START_MS + HOUR_MS, COTTON)
    flat.wash(START_MS + DAY_MS, ECO)
    one, other = flat.runs.answers([flat.washer], START_MS, START_MS + 2 * DAY_MS)
    found = flat.runs.compare(one, other)
    assert found.step_ms == MINUTE_MS
    assert (len(found.one_mw), len(found.other_mw)) == (88, 156)
    assert found.one_mw[10] == pytest.approx(2_000_000, rel=1e-4)
    assert sum(found.one_mw) / 60 == pytest.approx(one.energy.energy_mwh, abs=60)
