"""What happens gets into the log, also when that cannot be written at once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from casawatt.model.errors import StoreFullError
from casawatt.model.event import ALL, Event
from casawatt.model.event_data import MeterSilent, SourceFailed
from casawatt.model.event_types import event_of
from casawatt.recorder import events
from casawatt.recorder.events import Events
from casawatt.store.logs import EventLog
from tests.recorder.homes import home_in


@pytest.fixture
def book(tmp_path: Path) -> Iterator[EventLog]:
    with home_in(tmp_path) as home:
        yield home.store.book.events


def silent(heard_ms: int) -> Event:
    return event_of(MeterSilent(heard_ms), heard_ms, "fridge", heard_ms)


class Following:
    """Waits for what the log tells its followers."""

    def __init__(self, log: Events) -> None:
        self.told = 0
        self._log = log
        self._woken = asyncio.Event()
        self.end = log.follow(self._tell)

    def _tell(self) -> None:
        self.told += 1
        self._woken.set()

    async def until(self, condition: Callable[[list[int]], bool]) -> None:
        """Wait until the log holds events of meters that were last heard at such times."""
        async with asyncio.timeout(10):
            while not condition(heard(self._log)):
                self._woken.clear()
                await self._woken.wait()


def heard(log: Events) -> list[int]:
    return [event.data["heard_ms"] for _, event in log.list(None, 1000, ALL)]


@asynccontextmanager
async def writing(log: Events) -> AsyncIterator[Following]:
    task = asyncio.create_task(log.run())
    yield Following(log)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_happens_is_written_in_its_order_and_those_who_follow_hear_of_it(book: EventLog) -> None:
    log = Events(book)
    async with writing(log) as following:
        for number in range(10):
            log.happened(silent(number))
        await following.until(lambda known: len(known) == 10)
        assert heard(log) == list(range(10))
        assert log.newest_seq() == 10
        following.end()
        told = following.told
        log.happened(silent(99))
    assert heard(log)[-1] == 99, "what was left when it was stopped is not written"
    assert following.told == told


async def test_what_cannot_be_written_waits_and_is_tried_again(
    book: EventLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(events, "RETRY_S", 0.001)
    log, append, failures = Events(book), book.append, 3

    def full(event: Event) -> int | None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreFullError("casawatt.db: the disk is full")
        return append(event)

    monkeypatch.setattr(book, "append", full)
    async with writing(log) as following:
        log.happened(silent(1))
        log.happened(silent(2))
        await following.until(lambda known: known == [1, 2])
    assert "could not be written down yet: casawatt.db: the disk is full" in caplog.text


async def test_of_more_than_can_wait_the_oldest_go(book: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "WAITING_MAX", 3)
    log = Events(book)
    for number in range(10):
        log.happened(silent(number))
    async with writing(log) as following:
        await following.until(lambda known: len(known) == 3)
    assert heard(log) == [7, 8, 9]


def test_what_happens_is_in_the_services_log_once(book: EventLog, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = Events(book)
    log.happened(silent(1))
    log.happened(event_of(SourceFailed("gone", 1), 1, "kasa", 1))
    assert [record.message for record in caplog.records] == ["meter.silent: fridge"]
