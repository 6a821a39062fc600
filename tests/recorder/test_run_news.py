"""What begins and ends is told once, and nothing of the past; what was found is kept over seals and restarts."""

from pathlib import Path

import pytest

from casawatt.config_sections import MeterConfig
from casawatt.model.dated import Action
from casawatt.model.meter import Calibration, Meter
from casawatt.model.run import State
from casawatt.recorder.run_options import by_config
from casawatt.recorder.runs import News, RunKeeper
from casawatt.recorder.verify import run_differences
from casawatt.registry import Adoption
from tests.recorder.homes import START_MS, TestHome, home_in
from tests.recorder.test_runs import DAY_MS, HOUR_MS, MINUTE_MS, runs

WASH = ((30, 0.4), (40, 2000.0), (20, 150.0), (20, 0.4))
"""Minutes and watts, one after the other."""


def adopt(home: TestHome) -> None:
    home.registry.adopt(Adoption("fridge", "Washer", "change", "a1", "washing_machine"), START_MS)


def wash(home: TestHome, from_ms: int, *, minutes: int = 1000, tick: bool = False, clock: bool = True) -> list[News]:
    """Wash from then on, of it the first minutes; returns what was told, each time that the clock moved a minute on."""
    news: list[News] = []
    at_ms = from_ms
    for length, power_w in WASH:
        for _ in range(6 * length):
            if at_ms < from_ms + minutes * MINUTE_MS:
                if clock:
                    home.clock.time_ms = START_MS + at_ms
                home.put(at_ms, power_w)
                at_ms += 10_000
                if tick and at_ms % MINUTE_MS == 0:
                    home.recorder.settle()
                    news += home.recorder.runs.tick()
    return news


def kinds(news: list[News]) -> list[str]:
    return [each.kind for each in news]


def test_begin_and_end_are_told_once_and_soon(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        told = wash(home, 0, tick=True)
        assert kinds(told) == ["started", "finished"]
        assert told[0].run.start_ms == told[1].run.start_ms
        (run,) = runs(home)
        assert told[1].run == run
        assert kinds(wash(home, DAY_MS, minutes=90 + 3, tick=True)) == ["started", "finished"], "within three minutes"


def test_an_end_is_told_although_nothing_more_is_heard(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        assert kinds(wash(home, 0, minutes=60, tick=True)) == ["started"]
        home.clock.advance(30 * MINUTE_MS)
        (told,) = home.recorder.runs.tick()
        assert (told.kind, told.run.cut) == ("finished", "gap")
        assert told.run.end_ms == START_MS + 59 * MINUTE_MS + 50_000
        assert home.recorder.runs.tick() == []
        assert runs(home) == [told.run]


def test_a_run_never_goes_on_through_a_gap(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        wash(home, 0, minutes=60)
        wash(home, 5 * HOUR_MS)
        first, second = runs(home)
        assert (first.cut, second.cut) == ("gap", None)
        assert first.end_ms == START_MS + 59 * MINUTE_MS + 50_000
        assert second.start_ms >= START_MS + 5 * HOUR_MS


def test_what_lies_in_the_past_is_no_news_however_it_comes(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        home.clock.time_ms = START_MS + 30 * DAY_MS
        wash(home, 0, clock=False)
        assert len(runs(home)) == 1
        assert home.recorder.runs.tick() == [], "fresh, but a month old"
        home.put(30 * DAY_MS, 0.4)
        wash(home, 10 * DAY_MS, clock=False)
        home.recorder.settle()
        assert home.recorder.runs.tick() == [], "late"
        assert len(runs(home)) == 2


def test_a_restart_in_the_middle_neither_loses_nor_doubles_a_run(tmp_path: Path) -> None:
    with home_in(tmp_path / "whole") as home:
        adopt(home)
        wash(home, 0)
        expected = runs(home)
    for minutes in (20, 45, 75, 91, 100):
        folder = tmp_path / str(minutes)
        with home_in(folder) as home:
            adopt(home)
            wash(home, 0, minutes=minutes)
            if minutes % 2:
                home.seal()
            home.store.flush()
        with home_in(folder) as home:
            home.clock.time_ms = START_MS + minutes * MINUTE_MS
            at_ms = 0
            for length, power_w in WASH:
                for _ in range(6 * length):
                    if at_ms >= minutes * MINUTE_MS:
                        home.put(at_ms, power_w)
                    at_ms += 10_000
            home.clock.time_ms = START_MS + at_ms
            assert runs(home) == expected
            home.seal()
        with home_in(folder) as home:
            home.clock.time_ms = START_MS + at_ms
            assert runs(home) == expected
            assert run_differences(home.recorder.lines()[0], home.recorder.runs) == []


def test_a_correction_takes_a_run_away_and_gives_it_back(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        wash(home, 0)
        (run,) = runs(home)
        meter_id = home.registry.meter("fridge").meter_id
        span = run.start_ms - MINUTE_MS, (run.end_ms or 0) + MINUTE_MS
        dated = home.store.registry.dated
        with home.registry.changing():
            correction = dated.add_correction(meter_id, Action.DISCARD, *span, made_ms=START_MS)
        home.recorder.derive_anew([meter_id], *span)
        assert runs(home) == []
        with home.registry.changing():
            dated.retract_correction(correction.correction_id, START_MS)
        home.recorder.derive_anew([meter_id], *span)
        assert runs(home) == [run]


def test_much_of_the_past_is_found_anew_a_piece_at_a_time_and_at_once_for_whoever_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casawatt.recorder.runs.POWERS_AT_ONCE", 1000)
    with home_in(tmp_path) as home:
        adopt(home)
        for time_ms in range(0, 3 * DAY_MS, 30_000):
            home.put(time_ms, 0.4)
        home.seal()
        wash(home, 5000)
        home.clock.time_ms = START_MS + 3 * DAY_MS
        home.recorder.settle()
        watch = home.recorder.runs.complete
        home.recorder.runs.tick()
        meter_id = home.registry.meter("fridge").meter_id
        assert home.store.runs.overlapping(meter_id, 0, 1 << 62) == [], "it is not done yet"
        for _ in range(20):
            home.recorder.runs.tick()
        (found,) = home.store.runs.overlapping(meter_id, 0, 1 << 62)
        home.put(6000, 1.0)
        home.recorder.settle()
        home.recorder.runs.tick()
        assert runs(home) == [found]
        assert watch(meter_id) is not None


def test_a_run_that_is_still_in_doubt_at_the_saved_state_is_kept_when_what_follows_is_found_anew(
    tmp_path: Path,
) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        wash(home, 11 * MINUTE_MS + 30_000)  # told as finished at 13:30, and in doubt until 16:30 past the hour
        (run,) = runs(home)
        assert run.end_ms is not None
        assert (run.end_ms - START_MS) % HOUR_MS == 41 * MINUTE_MS + 30_000
        home.put(2 * HOUR_MS, 0.4)
        home.recorder.settle()
        watch = home.recorder.runs.complete(home.registry.meter("fridge").meter_id)
        assert watch is not None
        quarter_ms = START_MS + HOUR_MS + 45 * MINUTE_MS
        assert watch.fold.quarters[quarter_ms].told == run
        home.put(HOUR_MS + 47 * MINUTE_MS + 5_000, 0.4)
        assert runs(home) == [run]
        assert run_differences(home.recorder.lines()[0], home.recorder.runs) == []


def test_what_is_touched_again_while_it_is_being_found_anew_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casawatt.recorder.runs.POWERS_AT_ONCE", 3000)
    with home_in(tmp_path) as home:
        adopt(home)
        for time_ms in range(0, 2 * DAY_MS, 30_000):
            home.put(time_ms, 0.4)
        home.seal()
        home.put(HOUR_MS + 5000, 0.5)
        home.recorder.settle()
        for hours in ((3, 6), (26,)):
            home.recorder.runs.tick()
            for hour in hours:
                wash(home, hour * HOUR_MS + 5000)
            home.recorder.settle()
        home.clock.time_ms = START_MS + 2 * DAY_MS
        assert [run.start_ms // HOUR_MS % 24 for run in runs(home)] == [3, 6, 2]
        assert run_differences(home.recorder.lines()[0], home.recorder.runs) == []


def test_what_the_config_says_of_a_meter_goes_before_what_is_usual() -> None:
    meter = Meter(1, "washer", "Washer", "washing_machine")
    usual = by_config({})(meter, Calibration(0))
    options = MeterConfig(source="s", address="a", appliance="washing_machine", on_w=11, end_after_s=900)
    said = by_config({"washer": options})(meter, Calibration(0, gap_limit_ms=7000))
    assert (said.on_mw, said.end_after_ms, said.gap_limit_ms) == (11_000, 900_000, 7000)
    assert (said.work_uj, said.fills) == (usual.work_uj, usual.fills)
    assert not by_config({})(Meter(2, "mains", "Mains", "mains"), Calibration(0)).runs


def test_changed_options_hold_for_what_comes_and_for_the_past_when_it_is_found_anew(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        wash(home, 0)
        (before,) = runs(home)
        home.seal()
    options = MeterConfig(source="change", address="a1", appliance="washing_machine", on_w=1000, work_w=1000)
    with home_in(tmp_path) as home:
        keeper = home.recorder.runs = RunKeeper(home.store, home.clock, by_config({"fridge": options}))
        home.recorder.renew()
        line = home.recorder.lines()[0]
        home.clock.time_ms = START_MS + 2 * HOUR_MS
        assert runs(home) == [before]
        assert keeper.mixed(line.meter_id)
        assert "kept one to 01:30:00, up to 2000 W, " in run_differences(line, keeper)[0]
        keeper.rebuild(line.meter_id)
        (after,) = runs(home)
        assert (after.start_ms, after.end_ms) == (before.start_ms, START_MS + 70 * MINUTE_MS)
        assert not keeper.mixed(line.meter_id)
        home.seal()


def test_a_meter_without_runs_says_so(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        home.registry.adopt(Adoption("fridge", "Mains", "change", "a1", "mains"), START_MS)
        wash(home, 0, tick=True)
        meter_id = home.registry.meter("fridge").meter_id
        assert not home.recorder.runs.has_runs(meter_id)
        assert home.recorder.runs.state(meter_id) is None
        assert runs(home) == []
        home.seal()


def test_the_state_is_what_the_appliance_does_now(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        meter_id = home.registry.meter("fridge").meter_id
        assert home.recorder.runs.state(meter_id) is None
        wash(home, 0, minutes=60)
        assert home.recorder.runs.state(meter_id) is State.ACTIVE
        wash(home, DAY_MS)
        assert home.recorder.runs.state(meter_id) is State.FINISHED
        home.clock.advance(3 * HOUR_MS)
        assert home.recorder.runs.state(meter_id) in {State.OFF, State.STANDBY}
