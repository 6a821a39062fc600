"""From a reading to the store: which meter, is it sound, keep it, count it."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt.engine import pipeline
from casawatt.model.errors import StoreFullError
from casawatt.model.interval import How
from casawatt.model.ports import NEVER
from casawatt.model.reading import Reading
from casawatt.recorder.new_devices_log import NEW_DEVICES_NAMED
from casawatt.recorder.verify import differences
from casawatt.store.seal import Cut
from tests.recorder.homes import START_MS, TestHome, home_in

HOUR_MS = 3_600_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[TestHome]:
    with home_in(tmp_path) as home:
        yield home


def test_an_hour_of_one_ampere_at_230_v_is_230_wh(home: TestHome) -> None:
    home.adopt(source="polled")
    for time_ms in range(START_MS, START_MS + HOUR_MS + 1, 10_000):
        reading = Reading(source="polled", address="a1", received_ms=time_ms, time_ms=time_ms, current_a=1.0)
        assert home.recorder.put(reading)
    assert home.energy_wh() == 230.0
    assert [interval.measured_ms for interval in home.intervals()] == [900_000] * 4
    assert {interval.how for interval in home.intervals()} == {How.TRAPEZOID}


def test_a_device_without_a_meter_is_shown_and_nothing_of_it_recorded(home: TestHome) -> None:
    assert home.put(0, 100.0) == 0
    assert [device.address for device in home.registry.new_devices()] == ["a1"]
    home.adopt()
    assert home.intervals() == []
    assert home.put(1000, 100.0) == 1
    assert home.registry.new_devices() == []


def test_a_device_that_says_what_cannot_be_is_refused_before_it_has_a_meter(home: TestHome) -> None:
    home.put(0, float("nan"))
    assert home.registry.new_devices() == []
    assert [refusal.cause for refusal in home.recorder.refusals.counts] == ["not_finite"]


def test_a_flood_of_forged_devices_does_not_fill_the_log(home: TestHome, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for number in range(5 * NEW_DEVICES_NAMED):
            home.put(number, 100.0, address=f"forged-{number}")
    assert len(caplog.records) == NEW_DEVICES_NAMED + 1
    assert "no further ones are named" in caplog.records[-1].message


def test_readings_of_one_meter_never_reach_another(home: TestHome) -> None:
    home.adopt("fridge", address="a1")
    home.adopt("oven", address="a2")
    for second in range(0, 61, 10):
        home.put(second * 1000, 60.0, address="a1")
        home.put(second * 1000, 6000.0, address="a2")
    assert home.energy_wh("fridge") == 1.0
    assert home.energy_wh("oven") == 100.0


def test_a_gap_is_reported_as_uncovered_not_bridged(home: TestHome) -> None:
    home.adopt()
    for start_ms, power_w in ((0, 1000.0), (2 * HOUR_MS, 2000.0)):
        for offset_ms in range(0, HOUR_MS + 1, 30_000):
            home.put(start_ms + offset_ms, power_w)
    assert home.energy_wh() == 3000.0
    assert sum(interval.measured_ms for interval in home.intervals()) == 2 * HOUR_MS


def test_a_late_reading_changes_the_figures_as_if_it_had_come_in_time(home: TestHome) -> None:
    home.adopt()
    for second in (0, 20, 30, 40):
        home.put(second * 1000, 360.0)
    home.put(10_000, 720.0)
    assert home.energy_wh() == 1.0 + 2.0 + 2 * 1.0


def test_a_repeated_reading_changes_nothing_and_has_the_ticket_of_the_first(home: TestHome) -> None:
    home.adopt()
    ticket = home.put(0, 100.0)
    assert home.put(0, 100.0) == ticket
    assert home.recorder.duplicates == 1
    assert home.recorder.recorded == 1


def test_a_reading_that_cannot_be_is_refused_and_counted(home: TestHome, caplog: pytest.LogCaptureFixture) -> None:
    home.adopt()
    with caplog.at_level(logging.WARNING):
        for second in range(3):
            assert home.put(second * 1000, float("nan")) == NEVER
    assert list(home.recorder.refusals.counts.values()) == [3]
    assert len(caplog.records) == 1
    assert "a1" in caplog.text
    assert home.intervals() == []


def test_a_full_disk_refuses_readings_but_not_the_service(home: TestHome, monkeypatch: pytest.MonkeyPatch) -> None:
    home.adopt()
    home.put(0, 100.0)

    def full(*_: object) -> int:
        message = "the disk is full"
        raise StoreFullError(message)

    with monkeypatch.context() as patched:
        patched.setattr(home.store, "append", full)
        assert home.put(10_000, 100.0) == 0
    assert [refusal.cause for refusal in home.recorder.refusals.counts] == ["disk_full"]
    assert home.put(20_000, 100.0) > 0


def test_a_reading_refused_by_a_full_disk_is_recorded_when_it_is_sent_again(
    home: TestHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.adopt()
    ticket = home.put(0, 360.0)

    def full(*_: object) -> int:
        message = "the disk is full"
        raise StoreFullError(message)

    with monkeypatch.context() as patched:
        patched.setattr(home.store, "append", full)
        assert home.put(10_000, 360.0) == 0
        assert home.put(10_000, 360.0) == 0
    assert home.put(10_000, 360.0) > ticket
    assert home.energy_wh() == 1.0


def test_a_replaced_device_goes_on_with_the_history_of_its_meter(home: TestHome) -> None:
    home.adopt()
    for second in range(0, 61, 10):
        home.put(second * 1000, 360.0)
    meter = home.registry.meter("fridge")
    device = home.registry.device("change", "a2")
    home.registry.bind(meter, device, START_MS + 60_000, START_MS + 60_000)
    home.recorder.renew()
    assert home.put(70_000, 360.0, address="a1") == 0
    for second in range(60, 121, 10):
        assert home.put(second * 1000, 720.0, address="a2")
    assert home.energy_wh() == 6.0 + 12.0


def test_a_silent_meter_is_reported_once_and_so_is_its_return(home: TestHome) -> None:
    home.adopt()
    home.put(0, 100.0)
    home.clock.time_ms = START_MS + 60_000
    assert home.recorder.watch_silence() == []
    home.clock.time_ms = START_MS + 60_001
    (event,) = home.recorder.watch_silence()
    assert (event.type, event.subject, event.time_ms) == ("casawatt.meter.silent", "fridge", START_MS + 60_000)
    assert home.recorder.watch_silence() == []
    home.clock.time_ms = START_MS + 90_000
    home.put(90_000, 100.0)
    (event,) = home.recorder.watch_silence()
    assert (event.type, event.time_ms) == ("casawatt.meter.back", START_MS + 90_000)


def test_a_meter_is_silent_at_once_when_its_device_is_known_to_be_gone(home: TestHome) -> None:
    home.adopt()
    home.put(0, 100.0)
    home.clock.time_ms = START_MS + 10_000
    home.recorder.presence("change", "a1", online=False)
    home.recorder.presence("change", "somebody-else", online=False)
    (event,) = home.recorder.watch_silence()
    assert (event.type, event.time_ms) == ("casawatt.meter.silent", START_MS + 10_000)
    home.clock.time_ms = START_MS + 20_000
    home.recorder.presence("change", "a1", online=True)
    (event,) = home.recorder.watch_silence()
    assert (event.type, event.time_ms) == ("casawatt.meter.back", START_MS + 20_000)
    home.recorder.presence("change", "a1", online=False)
    home.put(25_000, 100.0)
    assert home.recorder.watch_silence() == []


def test_a_meter_that_was_never_heard_is_not_called_silent(home: TestHome) -> None:
    home.adopt()
    home.clock.time_ms = START_MS + 10**9
    assert home.recorder.watch_silence() == []


def test_what_came_in_before_a_restart_is_neither_lost_nor_counted_twice(tmp_path: Path) -> None:
    for start in range(0, 600, 100):
        with home_in(tmp_path) as home:
            if start == 0:
                home.adopt()
            for second in range(start, start + 100, 10):
                home.put(second * 1000, 360.0)
            if start % 200:
                home.seal()
            home.store.flush()
    with home_in(tmp_path) as home:
        assert home.energy_wh() == 59.0


def test_states_of_another_version_of_the_engine_have_all_figures_derived_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home_in(tmp_path) as home:
        home.adopt()
        for second in range(0, 20 * 3600, 30):
            home.put(second * 1000, 360.0)
        with monkeypatch.context() as patched:
            patched.setattr(pipeline, "VERSION", 99)
            home.seal()
        before = home.intervals()
        home.put(20 * HOUR_MS, 360.0)
        home.store.flush()
    with home_in(tmp_path) as home:
        assert home.intervals()[:-1] == before[:-1]
        assert home.energy_wh() == 20 * 360.0
        assert differences(home.recorder.lines()[0], home.store) == []


def test_a_reading_repeated_after_a_restart_has_a_ticket_that_is_safe(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        home.adopt()
        home.put(0, 360.0)
    with home_in(tmp_path) as home:
        assert 0 < home.put(0, 360.0) <= home.store.durable_seq
        assert home.recorder.duplicates == 1


def test_a_meter_without_new_readings_is_not_sealed_again(home: TestHome, monkeypatch: pytest.MonkeyPatch) -> None:
    home.adopt("fridge", address="a1")
    home.adopt("oven", address="a2")
    for address in ("a1", "a2"):
        home.put(0, 100.0, address=address)
    home.seal()
    home.put(10_000, 100.0, address="a2")
    sealed: list[int] = []
    commit = home.store.commit_seal

    def noted(cut: Cut) -> None:
        sealed.append(cut.meter_id)
        commit(cut)

    monkeypatch.setattr(home.store, "commit_seal", noted)
    home.seal()
    home.seal()
    assert sealed == [home.registry.meter("oven").meter_id]
