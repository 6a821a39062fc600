"""Keeps what comes in safe: hands it to the operating system, forces it to the disk, seals it."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from casawatt.engine import pipeline
from casawatt.model.errors import StoreError
from casawatt.model.event import Event
from casawatt.recorder.line import Line
from casawatt.recorder.recorder import Recorder
from casawatt.recorder.runs import News
from casawatt.store.seal import Cut as SealCut
from casawatt.store.seal import RunStates
from casawatt.store.store import Store

log = logging.getLogger(__name__)

FLUSH_S = 0.25
"""How often the newest readings are handed to the operating system: a killed process loses no more."""

SETTLE_S = 1.0
"""How often late readings are worked in and silent meters looked for."""

SEAL_CHECK_S = 10.0
SEAL_RETRY_S = 60.0

Answer = TypeVar("Answer")


class Keeper:
    """Runs the store's housekeeping beside the event loop, and tells who waits for safety."""

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        *,
        sync_s: float,
        on_event: Callable[[Event], None],
        on_trouble: Callable[[], None] = lambda: None,
        on_news: Callable[[News], None] = lambda _news: None,
    ) -> None:
        """Keep house for `store`.

        `on_trouble` is called when the disk begins or ceases to be in trouble, `on_news` when a run began or ended.
        """
        self.safe_sequence = 0
        self._store = store
        self._recorder = recorder
        self._sync_s = sync_s
        self._on_event = on_event
        self._on_trouble = on_trouble
        self._on_news = on_news
        self._known_trouble = (False, False)
        self._seal_trouble: str | None = None
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
            await self._flush()
            await self._sync()

    @property
    def trouble(self) -> str | None:
        """What keeps readings from the disk, or from being sealed there, for a person; None when nothing does."""
        return self._store.trouble or self._seal_trouble

    def when_safer(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener(safe_sequence)` whenever more is safe; returns what ends it."""
        self._safer.append(listener)
        return lambda: self._safer.remove(listener)

    async def hand_over(self) -> None:
        """Hand what came in until now to the operating system; ends when that has it, however long it takes."""
        sequence = self._store.appended_seq
        while self._store.written_seq < sequence:
            await self._flush()
            if self._store.written_seq < sequence:
                await asyncio.sleep(FLUSH_S)

    async def _every(self, period_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(period_s)
            await work()

    async def _flush(self) -> None:
        """Hand over what is new. What goes wrong is the store's trouble: it is reported, and tried again soon."""
        with suppress(OSError):
            await in_thread(self._store.flush)
        self._look_for_trouble()

    async def _sync(self) -> None:
        with suppress(OSError):
            self.safe_sequence = await in_thread(self._store.sync)
            for listener in list(self._safer):
                listener(self.safe_sequence)
        self._look_for_trouble()

    def _look_for_trouble(self) -> None:
        """Say once that the disk is in trouble, that readings are lost by it, and that it is well again."""
        trouble, full = self._store.trouble, self._store.full
        now = (trouble is not None, full)
        if now == self._known_trouble:
            return
        self._known_trouble = now
        if full:
            log.error("readings are lost from now on: %s", trouble)
        elif trouble is not None:
            log.warning("readings do not reach the disk: %s", trouble)
        else:
            log.info("readings reach the disk again, with those that waited")
        self._on_trouble()

    async def _settle(self) -> None:
        self._recorder.settle()
        for event in self._recorder.watch_silence():
            self._on_event(event)
        for news in self._recorder.runs.tick():
            self._on_news(news)
            self._recorder.tell(news.meter.meter_id)

    async def _seal_if_due(self) -> None:
        if not self._store.should_seal():
            return
        try:
            await self.seal()
        except (StoreError, sqlite3.Error, OSError) as error:
            self._sealing_says(f"sealing failed, nothing is lost, it is tried again: {error}")
            await asyncio.sleep(SEAL_RETRY_S)
        else:
            self._sealing_says(None)

    def _sealing_says(self, trouble: str | None) -> None:
        """Say once that sealing fails, and that it works again."""
        known, self._seal_trouble = self._seal_trouble, trouble
        if known == trouble:
            return
        log.error("%s", trouble) if trouble else log.info("sealing works again")
        self._on_trouble()

    async def seal(self) -> None:
        """Move the tail into segments, one meter at a time, while readings keep coming in."""
        for line in waiting(self._store, self._recorder):
            cut = begin(self._store, self._recorder, line)
            await in_thread(self._store.commit_seal, cut.token)
            finish(self._store, self._recorder, line, cut)


async def in_thread(work: Callable[..., Answer], *given: object) -> Answer:
    """Return what `work` returns, done in a thread; being cancelled does not leave it behind half done."""
    doing = asyncio.ensure_future(asyncio.to_thread(work, *given))
    try:
        return await asyncio.shield(doing)
    finally:
        if not doing.done():
            await asyncio.wait([doing])


@dataclass(frozen=True, slots=True)
class Cut:
    """What of one meter is being sealed: the store's token, and the states that go with it."""

    token: SealCut
    segments: dict[int, pipeline.MeterState]
    runs: RunStates


def waiting(store: Store, recorder: Recorder) -> list[Line]:
    """Return the meters that have something to seal; a commit for any other would wear the disk for nothing."""
    recorder.settle()
    unsealed = store.unsealed()
    return [line for line in recorder.lines() if line.meter_id in unsealed]


def begin(store: Store, recorder: Recorder, line: Line) -> Cut:
    """Bring a meter's figures up to date and note what is to be sealed."""
    recorder.settle_line(line)
    segments = dict(line.snapshots.segments)
    dumped = [(at_ms, pipeline.dump(state)) for at_ms, state in sorted(segments.items())]
    runs = recorder.runs.to_seal(line)
    return Cut(store.begin_seal(line.meter_id, pipeline.dump(line.state), dumped, runs), segments, runs)


def finish(store: Store, recorder: Recorder, line: Line, cut: Cut) -> None:
    """Forget what is sealed."""
    store.finish_seal(cut.token)
    line.snapshots.saved(cut.segments)
    recorder.runs.sealed(line, cut.runs)


def seal(store: Store, recorder: Recorder) -> None:
    """Seal everything at once, for work without a running service."""
    for line in waiting(store, recorder):
        cut = begin(store, recorder, line)
        store.commit_seal(cut.token)
        finish(store, recorder, line, cut)


def keep(store: Store, recorder: Recorder) -> None:
    """Do what the running service does now and then: hand over, and seal when it is time."""
    store.flush()
    if store.should_seal():
        seal(store, recorder)
