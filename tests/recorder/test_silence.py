"""A meter that falls silent is said to be once, and so is its return, however often casawatt starts anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casawatt.engine.clean import Verdict
from casawatt.model.event import Event
from casawatt.model.reading import Reading
from casawatt.recorder.recorder import Recorder
from casawatt.registry import IMPORT_SOURCE
from tests.recorder.homes import START_MS, TestHome, home_in

LIMIT_MS = 60_000
SILENT, BACK = "casawatt.meter.silent", "casawatt.meter.back"


@contextmanager
def started(folder: Path, at_ms: int) -> Iterator[TestHome]:
    """Yield the home as it is when casawatt starts at `START_MS + at_ms`; what it says is in its log at the end."""
    with home_in(folder) as home:
        home.clock.time_ms = START_MS + at_ms
        home.recorder = Recorder(home.store, home.registry, home.clock)
        home.recorder.recover()
        yield home
        home.store.flush()


def said(home: TestHome, at_ms: int) -> list[tuple[str, int]]:
    """Return type and time (since `START_MS`) of what is said at `START_MS + at_ms`; it is written to the log."""
    return [(event.type, event.time_ms - START_MS) for event in events(home, at_ms)]


def events(home: TestHome, at_ms: int) -> list[Event]:
    home.clock.time_ms = START_MS + at_ms
    found = home.recorder.watch_silence()
    for event in found:
        assert home.store.book.events.append(event) is not None, f"{event.event_id} was said before"
    return found


def heard_at(folder: Path, at_ms: int) -> None:
    """Let a service run that hears the meter once."""
    with started(folder, at_ms) as home:
        if not home.registry.meters():
            home.adopt()
        home.put(at_ms, 100.0)
        assert said(home, at_ms) == []


def test_a_meter_that_is_silent_before_and_after_a_restart_is_said_to_be_once(tmp_path: Path) -> None:
    heard_at(tmp_path, 0)
    with started(tmp_path, 1_000) as home:
        assert said(home, 1_000) == []
        assert said(home, 61_001) == [(SILENT, 61_000)]
    for at_ms in (62_000, 90_000, 10**8):
        with started(tmp_path, at_ms) as home:
            assert said(home, at_ms) == []
            assert said(home, at_ms + 2 * LIMIT_MS) == []
    with started(tmp_path, 2 * 10**8) as home:
        home.put(2 * 10**8, 100.0)
        (event,) = events(home, 2 * 10**8)
        assert (event.type, event.time_ms) == (BACK, START_MS + 2 * 10**8)
        assert event.data == {"heard_ms": START_MS + 2 * 10**8, "before_ms": START_MS}
        assert said(home, 2 * 10**8 + LIMIT_MS) == []
    with started(tmp_path, 2 * 10**8 + 5_000) as home:
        assert said(home, 2 * 10**8 + 5_000) == []


def test_a_meter_that_fell_silent_while_casawatt_was_off_is_said_to_be(tmp_path: Path) -> None:
    heard_at(tmp_path, 0)
    with started(tmp_path, 10**7) as home:
        assert said(home, 10**7) == []
        assert said(home, 10**7 + LIMIT_MS) == []
        (event,) = events(home, 10**7 + LIMIT_MS + 1)
    assert event.event_id == f"fridge/{SILENT}/{START_MS}"
    assert event.time_ms == START_MS + 10**7 + LIMIT_MS
    assert event.data == {"heard_ms": START_MS, "cause": "off"}


def test_that_casawatt_was_off_makes_no_meter_silent(tmp_path: Path) -> None:
    heard_at(tmp_path, 0)
    with started(tmp_path, 10**7) as home:
        assert said(home, 10**7) == []
        home.put(10**7 + 50_000, 100.0)
        assert said(home, 10**7 + 50_000) == []
        assert said(home, 10**7 + 50_000 + LIMIT_MS) == []
        (event,) = events(home, 10**7 + 50_000 + LIMIT_MS + 1)
        assert event.data["cause"] == "limit"


def test_a_device_that_has_gone_is_gone_after_a_restart_until_it_is_heard(tmp_path: Path) -> None:
    heard_at(tmp_path, 0)
    with started(tmp_path, 5_000) as home:
        home.recorder.presence("change", "a1", online=False)
        (event,) = events(home, 10_000)
        assert (event.time_ms, event.data["cause"]) == (START_MS + 10_000, "gone")
    with started(tmp_path, 20_000) as home:
        assert said(home, 20_000) == []
        home.recorder.presence("change", "a1", online=False)
        assert said(home, 10**6) == []
        home.recorder.presence("change", "a1", online=True)
        assert said(home, 10**6) == [(BACK, 10**6)]


def test_a_return_that_a_killed_service_did_not_get_to_say_is_said_by_the_next(tmp_path: Path) -> None:
    heard_at(tmp_path, 0)
    with started(tmp_path, 0) as home:
        assert said(home, LIMIT_MS + 1) == [(SILENT, LIMIT_MS)]
        home.put(100_000, 100.0)
    with started(tmp_path, 110_000) as home:
        assert said(home, 110_000) == [(BACK, 100_000)]
        assert said(home, 120_000) == []
        assert said(home, 110_000 + LIMIT_MS + 1) == [(SILENT, 110_000 + LIMIT_MS)]


def test_what_was_imported_makes_no_meter_one_that_was_heard(tmp_path: Path) -> None:
    heard_at(tmp_path, 0)
    with started(tmp_path, 0) as home:
        assert said(home, LIMIT_MS + 1) == [(SILENT, LIMIT_MS)]
        imported(home, "fridge", 500_000)
    for at_ms in (600_000, 10**7):
        with started(tmp_path, at_ms) as home:
            assert said(home, at_ms) == []
            assert said(home, at_ms + 2 * LIMIT_MS) == []


def imported(home: TestHome, slug: str, at_ms: int) -> None:
    """Let the meter have a reading from a file."""
    time_ms = home.clock.time_ms = START_MS + at_ms
    reading = Reading(source=IMPORT_SOURCE, address=slug, received_ms=time_ms, time_ms=time_ms, power_w=5.0)
    assert home.recorder.put_under(home.registry.meter(slug), reading, {}) is Verdict.FRESH


def test_a_meter_whose_device_measures_for_another_now_is_not_called_silent(tmp_path: Path) -> None:
    heard_at(tmp_path, 0)
    with started(tmp_path, 1_000) as home:
        home.adopt("freezer", address="b1")
        device = home.registry.device("change", "a1")
        home.registry.bind(home.registry.meter("freezer"), device, START_MS + 2_000, START_MS + 2_000)
        home.put(3_000, 100.0)
        (event,) = events(home, 10**6)
        assert event.subject == "freezer"
