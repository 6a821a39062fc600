"""What happened: written into the log as it happens, and told to those who follow it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from casawatt.model.errors import StoreError
from casawatt.model.event import Event, EventFilter
from casawatt.model.event_data import SourceFailed
from casawatt.model.event_types import TYPE_OF
from casawatt.recorder.keeper import in_thread
from casawatt.store.logs import EventLog

log = logging.getLogger(__name__)

WAITING_MAX = 1000
"""So many events wait while the database cannot be written; the oldest go first."""

RETRY_S = 60.0


class Events:
    """The log of what happened. Without `run` it is only read."""

    def __init__(self, book: EventLog) -> None:
        self._book = book
        self._waiting: deque[Event] = deque(maxlen=WAITING_MAX)
        self._eventful = asyncio.Event()
        self._followers: list[Callable[[], None]] = []

    def happened(self, event: Event) -> None:
        """Take an event, to be written as soon as may be."""
        if event.type != TYPE_OF[SourceFailed]:  # which the supervisor has logged, with the particulars
            log.info("%s: %s", event.type.removeprefix("casawatt."), event.subject)
        self._waiting.append(event)
        self._eventful.set()

    def list(
        self, after_seq: int | None, limit: int, wanted: EventFilter, *, newest_first: bool = False
    ) -> list[tuple[int, Event]]:
        """Return events with their numbers; see `EventLog.list`. Raises StoreError."""
        return self._book.list(after_seq, limit, wanted, newest_first=newest_first)

    def newest_seq(self) -> int:
        """Return the number of the newest event, 0 before there is any."""
        return self._book.newest_seq()

    def follow(self, follower: Callable[[], None]) -> Callable[[], None]:
        """Call `follower` whenever more was written; returns what ends it. It never raises and never waits."""
        self._followers.append(follower)
        return lambda: self._followers.remove(follower)

    async def run(self) -> None:
        """Write what happens until cancelled, off the event loop: each is a commit; in the end what is left too."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S if self._waiting else None):
                        await self._eventful.wait()
                self._eventful.clear()
                await self._write()
        finally:
            await self._write()

    async def _write(self) -> None:
        """Write what waits. What cannot be written yet goes on waiting."""
        while self._waiting:
            event = self._waiting[0]
            try:
                await in_thread(self._book.append, event)
            except StoreError as error:
                log.warning("%s of %s could not be written down yet: %s", event.type, event.subject, error)
                return
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()
            for follower in list(self._followers):
                follower()
