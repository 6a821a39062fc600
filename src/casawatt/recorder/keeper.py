"""Keeps what comes in safe: hands it to the operating system, forces it to the disk, seals it."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from casawatt.engine import pipeline
from casawatt.model.errors import StoreError
from casawatt.model.event import Event
from casawatt.recorder.line import Line
from casawatt.recorder.recorder import Recorder
from casawatt.store.seal import Cut as SealCut
from casawatt.store.store import Store

log = logging.getLogger(__name__)

FLUSH_S = 0.25
"""How often the newest readings are handed to the operating system: a killed process loses no more."""

SETTLE_S = 1.0
"""How often late readings are worked in and silent meters looked for."""

SEAL_CHECK_S = 10.0
SEAL_RETRY_S = 60.0


class Keeper:
    """Runs the store's housekeeping beside the event loop, and tells who waits for safety."""

    def __init__(self, store: Store, recorder: Recorder, *, sync_s: float, on_event: Callable[[Event], None]) -> None:
        self.safe_sequence = 0
        self._store = store
        self._recorder = recorder
        self._sync_s = sync_s
        self._on_event = on_event
        self._disk_error: str | None = None
        self._safer: list[Callable[[int], None]] = []

    async def run(self) -> None:
        """Keep house until cancelled; then everything that came in is on the disk."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._every(FLUSH_S, self._flush))
                group.create_task(self._every(self._sync_s, self._sync))
                group.create_task(self._every(SETTLE_S, self._settle))
                group.create_task(self._every(SEAL_CHECK_S, self._seal_if_due))
        finally:
            self._recorder.settle()
            self._store.flush()
            await self._sync()

    def when_safer(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener(safe_sequence)` whenever more is safe; returns what ends it."""
        self._safer.append(listener)
        return lambda: self._safer.remove(listener)

    async def _every(self, period_s: float, work: Callable[[], Any]) -> None:
        while True:
            await asyncio.sleep(period_s)
            await work()

    async def _flush(self) -> None:
        await asyncio.to_thread(self._store.flush)

    async def _sync(self) -> None:
        try:
            self.safe_sequence = await asyncio.to_thread(self._store.sync)
        except OSError as error:
            self._disk_says(str(error))
            return
        self._disk_says(None)
        for listener in list(self._safer):
            listener(self.safe_sequence)

    def _disk_says(self, error: str | None) -> None:
        """Log that the disk cannot be written, once, and that it can again."""
        if error != self._disk_error:
            log.warning("the disk cannot be written: %s", error) if error else log.info("the disk can be written again")
        self._disk_error = error

    async def _settle(self) -> None:
        self._recorder.settle()
        for event in self._recorder.watch_silence():
            self._on_event(event)

    async def _seal_if_due(self) -> None:
        if not self._store.should_seal():
            return
        try:
            await self.seal()
        except (StoreError, sqlite3.Error, OSError) as error:
            log.error("sealing failed, nothing is lost, it is tried again: %s", error)  # noqa: TRY400 - a person reads it
            await asyncio.sleep(SEAL_RETRY_S)

    async def seal(self) -> None:
        """Move the tail into segments, one meter at a time, while readings keep coming in."""
        for line in self._recorder.lines():
            cut = begin(self._store, self._recorder, line)
            await asyncio.to_thread(self._store.commit_seal, cut.token)
            finish(self._store, line, cut)


@dataclass(frozen=True, slots=True)
class Cut:
    """What of one meter is being sealed: the store's token, and the states that go with it."""

    token: SealCut
    segments: dict[int, pipeline.MeterState]


def begin(store: Store, recorder: Recorder, line: Line) -> Cut:
    """Bring a meter's figures up to date and note what is to be sealed."""
    recorder.settle_line(line)
    segments = dict(line.snapshots.segments)
    dumped = [(at_ms, pipeline.dump(state)) for at_ms, state in sorted(segments.items())]
    return Cut(store.begin_seal(line.meter_id, pipeline.dump(line.state), dumped), segments)


def finish(store: Store, line: Line, cut: Cut) -> None:
    """Forget what is sealed."""
    store.finish_seal(cut.token)
    line.snapshots.saved(cut.segments)


def seal(store: Store, recorder: Recorder) -> None:
    """Seal everything at once, for work without a running service."""
    for line in recorder.lines():
        cut = begin(store, recorder, line)
        store.commit_seal(cut.token)
        finish(store, line, cut)


def keep(store: Store, recorder: Recorder) -> None:
    """Do what the running service does now and then: hand over, and seal when it is time."""
    store.flush()
    if store.should_seal():
        seal(store, recorder)
