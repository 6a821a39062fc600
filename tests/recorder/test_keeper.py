"""The housekeeping beside the readings: what is safe, what is said of a disk in trouble, what a stop leaves behind."""

import asyncio
import errno
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from casawatt.model.errors import StoreError
from casawatt.model.event import Event
from casawatt.recorder import keeper
from casawatt.recorder.keeper import Keeper
from tests.recorder.homes import START_MS, TestHome, home_in

TIMEOUT_S = 10.0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[TestHome]:
    with home_in(tmp_path, seal_records=50) as home:
        home.adopt()
        yield home


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLUSH_S", "SETTLE_S", "SEAL_CHECK_S", "SEAL_RETRY_S"):
        monkeypatch.setattr(keeper, name, 0.001)


class Watched:
    """A keeper that runs, and what it has told."""

    def __init__(self, home: TestHome) -> None:
        self.changed = asyncio.Event()
        self.safe: list[int] = []
        self.events: list[Event] = []
        self.troubles: list[str | None] = []
        self.home = home
        self.keeper = Keeper(
            home.store, home.recorder, sync_s=0.001, on_event=self._happened, on_trouble=self._in_trouble
        )
        self.keeper.when_safer(self._safer)

    def _happened(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()

    def _in_trouble(self) -> None:
        self.troubles.append(self.home.store.trouble)
        self.changed.set()

    def _safer(self, sequence: int) -> None:
        self.safe.append(sequence)
        self.changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` holds after something was told."""
        async with asyncio.timeout(TIMEOUT_S):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def kept(home: TestHome) -> AsyncIterator[Watched]:
    """Yield a keeper that runs; it is stopped at the end as the service stops it."""
    watched = Watched(home)
    running = asyncio.create_task(watched.keeper.run())
    try:
        yield watched
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


class Breaking:
    """Stands before a method and fails as often as told; counts how often it was called."""

    def __init__(self, home: TestHome, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self._real: Callable[..., Any] = getattr(home.store, name)
        monkeypatch.setattr(home.store, name, self)

    def __call__(self, *given: object) -> Any:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return self._real(*given)


@pytest.fixture
def broken_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return a switch that lets forcing to the disk fail."""
    fails = threading.Event()
    sync = os.fdatasync

    def fdatasync(file: int) -> None:
        if fails.is_set():
            raise OSError(errno.EIO, "Input/output error")
        sync(file)

    monkeypatch.setattr("casawatt.store.journal.os.fdatasync", fdatasync)
    return lambda now: fails.set() if now else fails.clear()


async def test_what_is_kept_is_with_the_operating_system_also_when_nobody_keeps_house(home: TestHome) -> None:
    idle = Keeper(home.store, home.recorder, sync_s=60, on_event=lambda _: None)
    home.put(0, 100.0)
    assert home.store.written_seq == 0
    await idle.hand_over()
    assert home.store.written_seq == home.store.appended_seq == 1


async def test_nothing_counts_as_kept_while_it_cannot_be_handed_over(
    home: TestHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = Breaking(home, "flush", monkeypatch)
    flush.error = OSError(errno.EIO, "Input/output error")
    idle = Keeper(home.store, home.recorder, sync_s=60, on_event=lambda _: None)
    home.put(0, 100.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await idle.hand_over()
    assert home.store.written_seq == 0
    flush.error = None
    await idle.hand_over()
    assert home.store.written_seq == 1


async def test_a_reading_is_safe_only_after_it_was_forced_to_the_disk(
    home: TestHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_sync = threading.Event()
    sync = home.store.sync

    def held_back() -> int:
        assert may_sync.wait(TIMEOUT_S)
        return sync()

    async with kept(home) as watched:
        await watched.until(lambda: watched.safe)
        monkeypatch.setattr(home.store, "sync", held_back)
        ticket = home.put(0, 100.0)
        while home.store.written_seq < ticket:  # noqa: ASYNC110 (nobody tells when)
            await asyncio.sleep(0)
        assert watched.keeper.safe_sequence < ticket
        assert max(watched.safe) < ticket
        may_sync.set()
        await watched.until(lambda: watched.keeper.safe_sequence >= ticket)
        assert home.store.durable_seq >= ticket


async def test_a_listener_hears_of_more_safety_until_it_has_enough(home: TestHome) -> None:
    async with kept(home) as watched:
        heard: list[int] = []
        stop = watched.keeper.when_safer(heard.append)
        first = home.put(0, 100.0)
        await watched.until(lambda: first in watched.safe)
        stop()
        second = home.put(10_000, 100.0)
        await watched.until(lambda: second in watched.safe)
    assert first in heard
    assert second not in heard


async def test_a_disk_that_fails_is_said_once_and_readings_go_on(
    home: TestHome,
    broken_disk: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO, "casawatt.recorder.keeper")
    async with kept(home) as watched:
        syncs = Breaking(home, "sync", monkeypatch)
        broken_disk(True)
        ticket = home.put(0, 360.0)
        await watched.until(lambda: watched.troubles)
        failed = syncs.calls
        while syncs.calls < failed + 5:  # noqa: ASYNC110 (nobody tells when)
            await asyncio.sleep(0)
        assert home.put(10_000, 360.0) > ticket
        assert watched.keeper.safe_sequence < ticket
        assert "the disk fails (Input/output error)" in str(watched.troubles[0])
        broken_disk(False)
        await watched.until(lambda: watched.keeper.safe_sequence > ticket)
        await watched.until(lambda: len(watched.troubles) == 2)
        assert watched.troubles[1] is None
    said = [record.message for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("readings do not reach the disk: the disk fails")
    assert said[1].startswith("readings reach the disk again")
    assert home.energy_wh() == 1.0


async def test_a_full_disk_is_said_and_so_is_that_readings_are_lost_and_that_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = threading.Event()
    write = os.pwrite

    def pwrite(file: int, data: bytes, offset: int) -> int:
        if full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        written: int = write(file, data, offset)
        return written

    monkeypatch.setattr("casawatt.store.logfile.os.pwrite", pwrite)
    caplog.set_level(logging.INFO, "casawatt.recorder.keeper")
    with home_in(tmp_path / "other", waiting_bytes_max=2000) as home:
        home.adopt()
        async with kept(home) as watched:
            full.set()
            assert home.put(0, 360.0)
            await watched.until(lambda: watched.troubles)
            kept_count = 1
            async with asyncio.timeout(TIMEOUT_S):
                while home.put(kept_count * 1000, 360.0):
                    kept_count += 1
                    await asyncio.sleep(0)
            await watched.until(lambda: home.store.full and len(watched.troubles) >= 2)
            full.clear()
            await watched.until(lambda: watched.troubles[-1] is None)
            assert home.put(kept_count * 1000, 360.0)
    said = [record.levelname for record in caplog.records if record.name == "casawatt.recorder.keeper"]
    assert said == ["WARNING", "ERROR", "INFO"]
    with home_in(tmp_path / "other") as home:
        assert home.energy_wh() == pytest.approx(kept_count / 10)


async def test_a_seal_that_fails_is_tried_again_and_nothing_is_lost(
    home: TestHome, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    committing = Breaking(home, "commit_seal", monkeypatch)
    committing.error = StoreError("the disk is full")
    for second in range(100):
        home.put(second * 1000, 360.0)
    async with kept(home) as watched:
        async with asyncio.timeout(TIMEOUT_S):
            while committing.calls < 3:  # noqa: ASYNC110 (nobody tells when)
                await asyncio.sleep(0)
            assert home.store.unsealed() != {}
            assert "the disk is full" in str(watched.keeper.trouble)
            home.put(100_000, 360.0)
            committing.error = None
            while watched.keeper.trouble:  # noqa: ASYNC110 (nobody tells when)
                await asyncio.sleep(0)
    assert home.store.unsealed() == {}
    assert caplog.text.count("sealing failed, nothing is lost, it is tried again: the disk is full") == 1
    assert home.energy_wh() == 10.0
    assert home.store.check(deep=True) == []


async def test_a_stop_leaves_everything_on_the_disk_late_readings_worked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SETTLE_S", 3600.0)
    monkeypatch.setattr(keeper, "FLUSH_S", 3600.0)
    with home_in(tmp_path / "other") as home:
        home.adopt()
        async with kept(home) as watched:
            await watched.until(lambda: watched.safe)
            for second in (0, 20, 30, 10):
                ticket = home.put(second * 1000, 360.0)
        assert home.store.durable_seq == watched.keeper.safe_sequence == watched.safe[-1] == ticket
        assert not any(line.dirty_from_ms for line in home.recorder.lines())


async def test_a_stop_waits_for_a_seal_that_is_being_written(home: TestHome, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    commit = home.store.commit_seal
    ended: list[str] = []

    def slow(cut: Any) -> None:
        begun.set()
        assert go_on.wait(TIMEOUT_S)
        commit(cut)
        ended.append("committed")

    monkeypatch.setattr(home.store, "commit_seal", slow)
    for second in range(100):
        home.put(second * 1000, 360.0)
    running = asyncio.create_task(Watched(home).keeper.run())
    assert await asyncio.to_thread(begun.wait, TIMEOUT_S)
    running.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == ["committed"]
    assert home.energy_wh() == pytest.approx(9.9)


async def test_a_meter_that_falls_silent_is_an_event(home: TestHome) -> None:
    home.put(0, 100.0)
    async with kept(home) as watched:
        home.clock.time_ms = START_MS + 60_001
        await watched.until(lambda: watched.events)
    assert [event.type for event in watched.events] == ["casawatt.meter.silent"]
