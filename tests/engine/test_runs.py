"""A run is what it is to a person: the traps that plain thresholds fall into."""

import pytest

from casawatt.engine import runs
from casawatt.model.run import Finished, Revised, Started, State
from tests.engine.appliances import (
    DISHES,
    DISHES_S,
    DRUM_MINUTE,
    DRY,
    DRY_S,
    FILL,
    MINUTE_MS,
    TUMBLE,
    WASH,
    WASH_S,
    Part,
    outputs_of,
    readings,
    runs_of,
    settings,
    spans_s,
)

WASHING = settings("washing_machine")
WASHING_UP = settings("dishwasher")
DRYING = settings("dryer")
HOUR: Part = (3600, 0)


@pytest.mark.parametrize("every_s", [1, 2, 5])
def test_a_wash_begins_with_its_valve_and_ends_with_its_drum(every_s: float) -> None:
    ((start_s, end_s),) = spans_s(readings([HOUR, *WASH, HOUR], every_s), WASHING)
    assert start_s == pytest.approx(3600, abs=every_s)
    assert end_s == pytest.approx(3600 + WASH_S, abs=2 * every_s)


def test_readings_a_minute_apart_find_the_same_wash_to_two_minutes() -> None:
    ((start_s, end_s),) = spans_s(readings([HOUR, *WASH, HOUR], 61), settings("washing_machine", 180))
    assert start_s == pytest.approx(3600, abs=120)
    assert end_s == pytest.approx(3600 + WASH_S, abs=180)


def test_blips_in_standby_are_no_run_however_high() -> None:
    blips: list[Part] = [(300, 1), (1, 2000), (299, 1), (1, 12), (2, 1), (1, 11)] * 20
    assert runs_of(readings(blips), WASHING) == []


def test_a_blip_two_minutes_before_a_wash_is_not_its_beginning() -> None:
    ((start_s, _),) = spans_s(readings([HOUR, (1, 12), (119, 0), *WASH, HOUR]), WASHING)
    assert start_s == 3720


@pytest.mark.parametrize("appliance", ["washing_machine", "dishwasher"])
@pytest.mark.parametrize("level_w", [(4, 6), (8, 9.5)])
def test_hours_of_waiting_for_a_delayed_start_are_not_the_run(appliance: str, level_w: tuple[float, float]) -> None:
    waiting: list[Part] = [(7, level_w[0]), (3, level_w[1])]
    what = WASH if appliance == "washing_machine" else DISHES
    how = settings(appliance)
    strong: list[Part] = [(seconds, power_w + 8) for seconds, power_w in what]
    for repeats, before_s in ((175, 600), (745, 3600)):
        ((start_s, _),) = spans_s(readings([(before_s, 0), *waiting * repeats, *strong, HOUR]), how)
        assert start_s == pytest.approx(before_s + repeats * 10, abs=60)


def test_a_pause_in_a_wash_is_not_its_end() -> None:
    resumed: list[Part] = [*DRUM_MINUTE * 10, (120, 400)]
    ((start_s, end_s),) = spans_s(readings([HOUR, *WASH, (200, 3), *resumed, HOUR]), WASHING)
    assert (start_s, end_s) == (3600, 3600 + WASH_S + 8 + 200 + 540 + 120)


def test_a_pause_longer_than_thought_possible_is_told_as_a_revision() -> None:
    outputs = outputs_of(readings([HOUR, *WASH, (200, 3), *DRUM_MINUTE * 10, HOUR]), WASHING)
    assert [type(output) for output in outputs] == [Started, Finished, Revised, Finished]
    assert isinstance(outputs[2], Revised)
    assert outputs[2].run.end_ms is None


@pytest.mark.parametrize("pause_s", [60, 100, 400, 900])
def test_back_to_back_washes_are_two(pause_s: int) -> None:
    found = spans_s(readings([HOUR, *WASH, (pause_s - 8, 0), *WASH, HOUR]), WASHING)
    second_s = 3600 + WASH_S + pause_s
    assert found == [(3600, 3600 + WASH_S), (second_s, second_s + WASH_S)]


def test_a_wash_over_midnight_is_one_run() -> None:
    midnight_ms = 1_767_225_600_000
    start_ms = midnight_ms - 3600_000 - 600_000
    (run,) = runs_of(readings([HOUR, *WASH, HOUR], 1, start_ms), WASHING)
    assert run.start_ms < midnight_ms < (run.end_ms or 0)


def test_passive_drying_and_its_last_blip_are_the_runs() -> None:
    for quiet_s in (8 * 60, 31 * 60):
        parts: list[Part] = [HOUR, *DISHES, (quiet_s, 2), (30, 15), (600, 2), HOUR]
        (run,) = runs_of(readings(parts), WASHING_UP)
        assert run.start_ms == 3_600_000
        assert run.active_end_ms == 3_600_000 + DISHES_S * 1000
        assert run.end_ms == run.active_end_ms + quiet_s * 1000 + 30_000


def test_an_end_after_drying_is_told_with_its_blip_and_not_before() -> None:
    parts: list[Part] = [HOUR, *DISHES, (1200, 2), (30, 15), (600, 2), HOUR]
    finished = [each for each in outputs_of(readings(parts), WASHING_UP) if not isinstance(each, Started)]
    (only,) = finished
    assert isinstance(only, Finished)
    assert only.announced_ms - (only.run.end_ms or 0) <= 3 * MINUTE_MS


def test_only_one_blip_after_drying_is_the_runs() -> None:
    parts: list[Part] = [HOUR, *DISHES, (1200, 2), (30, 15), (1200, 2), (30, 15), (1200, 2), HOUR]
    (run,) = runs_of(readings(parts), WASHING_UP)
    assert run.end_ms == (3600 + DISHES_S + 1230) * 1000


def test_a_dishwasher_that_goes_off_is_finished_at_once() -> None:
    (finished,) = [
        each for each in outputs_of(readings([HOUR, *DISHES, HOUR]), WASHING_UP) if isinstance(each, Finished)
    ]
    assert finished.announced_ms - (finished.run.end_ms or 0) <= 3 * MINUTE_MS


def test_a_dishwasher_that_never_dried_is_no_longer_waited_for() -> None:
    parts: list[Part] = [HOUR]
    for _ in range(4):
        parts += [*DISHES, (3 * 3600, 3), HOUR]
    finished = [each for each in outputs_of(readings(parts, 2), WASHING_UP) if isinstance(each, Finished)]
    waited_ms = [each.announced_ms - (each.run.end_ms or 0) for each in finished]
    assert waited_ms[0] > 30 * MINUTE_MS
    assert waited_ms[3] <= 3 * MINUTE_MS


def test_a_cold_rinse_and_the_programme_a_minute_later_are_two() -> None:
    rinse: list[Part] = [(30, 60), (60, 13), (600, 115), (50, 60)]
    assert len(spans_s(readings([HOUR, *rinse, (70, 3), *DISHES, HOUR]), WASHING_UP)) == 2


def test_a_quiet_minute_within_a_programme_is_not_its_end() -> None:
    parts: list[Part] = [HOUR, *DISHES[:4], (150, 2), (300, 115), (900, 2000), (60, 60), HOUR]
    assert len(spans_s(readings(parts), WASHING_UP)) == 1


@pytest.mark.parametrize("every_s", [1, 2, 5, 10])
def test_anti_crease_tumbling_is_not_the_run_but_its_tail(every_s: float) -> None:
    (run,) = runs_of(readings([HOUR, *DRY, *TUMBLE * 60, HOUR], every_s), DRYING)
    assert run.start_ms == 3_600_000
    assert run.end_ms == pytest.approx(3_600_000 + DRY_S * 1000, abs=2 * every_s * 1000)
    assert run.tail_end_ms == pytest.approx(3_600_000 + (DRY_S + 60 * 31) * 1000, abs=35_000)


def test_a_drum_that_is_turned_now_and_then_is_no_run_of_its_own() -> None:
    assert runs_of(readings([HOUR, *[(11, 90), (12, 4)] * 100, HOUR]), DRYING) == []


def test_a_dryer_is_finished_within_three_minutes_though_its_drum_still_turns() -> None:
    (finished,) = [
        each for each in outputs_of(readings([HOUR, *DRY, *TUMBLE * 60, HOUR]), DRYING) if isinstance(each, Finished)
    ]
    assert finished.announced_ms - (finished.run.end_ms or 0) <= 3 * MINUTE_MS


def test_a_door_opened_for_a_minute_does_not_end_the_drying_but_a_new_load_is_a_new_run() -> None:
    opened: list[Part] = [*DRY[:2], (60, 0), (900, 2500), (600, 220)]
    assert len(spans_s(readings([HOUR, *opened, HOUR]), DRYING)) == 1
    assert len(spans_s(readings([HOUR, *DRY, (75, 0), *DRY, HOUR]), DRYING)) == 2


def test_a_reading_twice_as_high_as_its_neighbours_is_no_peak() -> None:
    heat: list[Part] = [(900, 2400), (1, 4800), (900, 2400), (600, 220)]
    (run,) = runs_of(readings([HOUR, *heat, HOUR]), DRYING)
    assert run.peak_mw == 2_400_000
    assert max(phase.max_mw for phase in run.phases) == 2_400_000


def test_phases_are_heat_motor_and_quiet_and_touch_each_other() -> None:
    parts: list[Part] = [HOUR, *DISHES, (1200, 2), (30, 15), (600, 2), HOUR]
    (run,) = runs_of(readings(parts), WASHING_UP)
    assert [phase.kind for phase in run.phases] == ["motor", "heat", "motor", "heat", "motor", "quiet", "low"]
    assert [a.end_ms for a in run.phases[:-1]] == [b.start_ms for b in run.phases[1:]]
    assert (run.phases[0].start_ms, run.phases[-1].end_ms) == (run.start_ms, run.end_ms)
    heat = run.phases[1]
    assert (heat.end_ms - heat.start_ms, heat.mean_mw, heat.max_mw) == (900_000, 2_000_000, 2_000_000)


def test_a_drum_that_turns_and_rests_is_one_phase() -> None:
    (run,) = runs_of(readings([HOUR, *WASH, HOUR]), WASHING)
    kinds = [phase.kind for phase in run.phases]
    assert kinds.count("heat") == 1
    assert len(kinds) <= 5


def test_a_long_run_of_many_turns_keeps_few_phases() -> None:
    (run,) = runs_of(readings([HOUR, *[(90, 2500), (90, 200)] * 200, HOUR], 5), DRYING)
    assert len(run.phases) <= 50
    assert run.end_ms == 3_600_000 + 36_000_000


@pytest.mark.parametrize(
    ("appliance", "parts", "count"),
    [
        ("kettle", [HOUR, (150, 2000), (1200, 0), (60, 2000), HOUR], 2),
        ("fridge", [*[(1200, 85), (1800, 1)] * 10], 10),
        ("oven", [HOUR, *[(300, 2000), (180, 25)] * 8, HOUR], 1),
        ("3d_printer", [HOUR, (240, 220), *[(20, 160), (40, 60)] * 90, (900, 9), HOUR], 1),
        ("ev", [HOUR, (7200, 7000), (400, 0), (3600, 3600), HOUR], 1),
        ("router", [*[(60, 9), (60, 11)] * 100], 0),
        ("computer", [HOUR, (5400, 90), (3600, 2), (1800, 95), HOUR], 2),
        (None, [HOUR, (600, 900), HOUR], 1),
        (None, [(7200, 60), HOUR, (7200, 60), HOUR], 1),
        ("mains", [HOUR, (600, 3000), HOUR], 0),
    ],
)
def test_kinds_of_appliances_have_the_runs_that_one_expects(
    appliance: str | None, parts: list[Part], count: int
) -> None:
    found = spans_s(readings(parts), settings(appliance))
    assert len(found) == count


def test_a_machine_with_a_high_standby_learns_it_and_begins_above_it() -> None:
    days: list[Part] = [(6 * 3600, 9), *[(seconds, power_w + 9) for seconds, power_w in WASH], HOUR]
    (first,) = spans_s(readings([(12 * 3600, 9), *[(s, w + 9) for s, w in WASH], (6 * 3600, 9)], 2), WASHING)
    assert first[0] == pytest.approx(12 * 3600, abs=4)
    assert first[1] == pytest.approx(12 * 3600 + WASH_S, abs=20)
    assert len(spans_s(readings([*days, *days], 2), WASHING)) == 2


def test_a_machine_that_is_switched_on_with_a_standby_that_is_known_does_not_run_yet() -> None:
    above: list[Part] = [(seconds, power_w + 9) for seconds, power_w in WASH]
    ((start_s, _),) = spans_s(readings([(40_000, 9), HOUR, (300, 9), *above, (7200, 9)], 2), WASHING)
    assert start_s == pytest.approx(43_900, abs=4)


def test_states_go_from_off_to_standby_to_active_to_finished() -> None:
    state, seen = runs.START, [runs.current(runs.START, WASHING)[0]]
    for time_ms, power_mw in readings([HOUR, (600, 2), *WASH, HOUR, (3600, 2)]):
        state, _ = runs.step(state, time_ms, power_mw, WASHING)
        now = runs.current(state, WASHING)[0]
        if now is not seen[-1]:
            seen.append(now)
    assert seen == [State.OFF, State.STANDBY, State.ACTIVE, State.FINISHED, State.OFF, State.STANDBY]


def test_the_open_run_is_shown_as_far_as_it_is_known() -> None:
    state = runs.START
    for time_ms, power_mw in readings([HOUR, *FILL, *DRUM_MINUTE * 3, (600, 2100)]):
        state, _ = runs.step(state, time_ms, power_mw, WASHING)
    now, run = runs.current(state, WASHING)
    assert now is State.ACTIVE
    assert run is not None
    assert (run.start_ms, run.end_ms) == (3_600_000, None)
    assert [phase.kind for phase in run.phases][-1] == "heat"
