"""Each day is told once, at its time, whatever happens in between."""

import asyncio
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import cast

import pytest

from casawatt.answers import daily
from casawatt.answers.daily import Daily
from casawatt.answers.home import answers_of
from casawatt.app_home import OpenHome
from casawatt.model.event import Event
from tests.answers.home_of_days import at, home_at, put_days
from tests.fakes.clock import ManualClock

TIMEOUT_S = 10.0


class Telling:
    """A `Daily` of an open home, and what it has told."""

    def __init__(self, home: OpenHome, *, told_at: str = "00:05") -> None:
        self.home = home
        self.clock = cast("ManualClock", home.clock)
        self.events: list[Event] = []
        self.changed = asyncio.Event()
        answers = answers_of(home.config, home.store, home.registry, home.recorder, home.clock)
        self.daily = Daily(
            home.store,
            answers.digests,
            home.clock,
            self._happened,
            at=time.fromisoformat(told_at),
            resolutions=(15, 60),
            currency="EUR",
        )

    def _happened(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()

    async def days(self, now: str) -> list[str]:
        """Let it be a local time, and return of which days is told then."""
        self.clock.time_ms = at(now)
        self.events.clear()
        await self.daily.tell()
        return [event.data["date"] for event in self.events]

    async def until(self, count: int) -> None:
        """Wait until so many are told."""
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.events) < count:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[OpenHome]:
    """A fridge of 30 W that was measured from 7 to 11 March."""
    with home_at(tmp_path, "2026-03-08T00:04:00") as home:
        put_days(home, "fridge", date(2026, 3, 7), date(2026, 3, 11), lambda _: 30.0, 600)
        yield home


async def test_a_day_is_told_once_a_few_minutes_after_its_midnight(home: OpenHome) -> None:
    telling = Telling(home)
    assert await telling.days("2026-03-08T00:04:59") == []
    assert await telling.days("2026-03-08T00:05:00") == ["2026-03-07"]
    (event,) = telling.events
    assert event.event_id == "home/casawatt.digest.daily/2026-03-07"
    assert (event.type, event.subject, event.time_ms) == ("casawatt.digest.daily", "home", at("2026-03-08"))
    assert event.data["meters"]["fridge"]["energy_wh"] == 720.0
    assert event.data["meters"]["fridge"]["cost"] == "0.16"  # 0.72 kWh x 0.22 EUR = 0.1584
    assert [len(each["power_w"]) for each in event.data["power"]] == [96, 24]
    for later in ("2026-03-08T00:05:01", "2026-03-08T23:59:00", "2026-03-09T00:04:00"):
        assert await telling.days(later) == []
    assert await telling.days("2026-03-09T00:05:00") == ["2026-03-08"]


async def test_days_that_were_missed_are_told_afterwards_each_once(home: OpenHome) -> None:
    telling = Telling(home)
    assert await telling.days("2026-03-08T00:05:00") == ["2026-03-07"]
    again = Telling(home)
    assert await again.days("2026-03-11T00:01:00") == ["2026-03-08", "2026-03-09"]
    assert await again.days("2026-03-11T00:05:00") == ["2026-03-10"]
    assert await Telling(home).days("2026-03-11T10:00:00") == []


async def test_at_most_the_last_400_days_are_told(home: OpenHome, monkeypatch: pytest.MonkeyPatch) -> None:
    assert daily.MISSED_DAYS_MAX == 400
    monkeypatch.setattr(daily, "MISSED_DAYS_MAX", 2)
    telling = Telling(home)
    await telling.days("2026-03-08T00:05:00")
    assert await telling.days("2026-03-12T00:05:00") == ["2026-03-10", "2026-03-11"]


async def test_days_on_which_nothing_was_measured_are_not_told(home: OpenHome) -> None:
    telling = Telling(home)
    await telling.days("2026-03-10T00:05:00")
    assert await telling.days("2026-03-20T12:00:00") == ["2026-03-10", "2026-03-11"]
    assert home.store.book.digests.done() == date(2026, 3, 19).toordinal()


async def test_the_first_time_only_yesterday_is_told(home: OpenHome) -> None:
    assert await Telling(home).days("2026-03-11T12:00:00") == ["2026-03-10"]


async def test_a_clock_that_ran_ahead_once_keeps_no_day_from_being_told(home: OpenHome) -> None:
    telling = Telling(home)
    await telling.days("2026-03-08T00:05:00")
    assert await telling.days("2031-01-01T00:05:00") == []
    assert await telling.days("2026-03-08T00:10:00") == []  # the seventh was told already
    assert await telling.days("2026-03-09T00:05:00") == ["2026-03-08"]
    assert await telling.days("2026-03-09T00:06:00") == []


async def test_a_day_whose_hour_of_telling_the_clocks_leave_out_is_told_all_the_same(home: OpenHome) -> None:
    put_days(home, "fridge", date(2026, 3, 28), date(2026, 3, 28), lambda _: 30.0, 600)
    telling = Telling(home, told_at="02:30")
    await telling.days("2026-03-28T03:00:00")
    assert await telling.days("2026-03-29T01:59:00") == []
    assert await telling.days("2026-03-29T03:31:00") == ["2026-03-28"]


async def test_what_was_told_but_not_written_down_as_an_event_is_told_at_the_next_start(home: OpenHome) -> None:
    telling = Telling(home)
    await telling.days("2026-03-08T00:05:00")
    home.store.book.events.append(telling.events[0])
    await telling.days("2026-03-09T00:05:00")  # and is killed before the event is in the log
    again = Telling(home)
    running = asyncio.create_task(again.daily.run())
    await again.until(1)
    running.cancel()
    assert [event.event_id for event in again.events] == ["home/casawatt.digest.daily/2026-03-08"]
    assert again.events == telling.events


async def test_missed_days_wait_after_a_start_until_late_readings_have_come_in(
    home: OpenHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily, "CHECK_S", 0.001)
    telling = Telling(home)
    await telling.days("2026-03-09T12:00:00")
    home.store.book.events.append(telling.events[0])
    again = Telling(home)
    again.clock.time_ms = at("2026-03-11T12:00:00")
    checked = asyncio.Event()
    asked: list[int] = []
    now_ms = again.clock.now_ms

    def ask() -> int:
        asked.append(1)
        if len(asked) > 5:
            checked.set()
        return now_ms()

    monkeypatch.setattr(again.clock, "now_ms", ask)
    running = asyncio.create_task(again.daily.run())
    await checked.wait()
    assert again.events == []
    again.clock.time_ms += 300_000
    await again.until(2)
    running.cancel()
    assert [event.data["date"] for event in again.events] == ["2026-03-09", "2026-03-10"]
