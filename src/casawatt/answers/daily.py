"""Tells of each local day when it is over, once, also of those on which the service was off."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, time

from casawatt.answers.digest_event import event_of
from casawatt.answers.digests import Digests
from casawatt.engine.localtime import local_date
from casawatt.model.digest import Digest
from casawatt.model.event import Event
from casawatt.model.ports import Clock
from casawatt.recorder.keeper import in_thread
from casawatt.store.store import Store

log = logging.getLogger(__name__)

CHECK_S = 1.0
"""How often it is looked whether a day is over."""

MISSED_DAYS_MAX = 400
"""Of days that were missed so many are told, the last ones."""

SETTLE_MS = 300_000
"""After a start missed days are told so much later, or as long after as a day after its midnight: what devices kept
meanwhile comes in first."""


class Daily:
    """Makes the digest of each day as soon as it is `at` o'clock on the next."""

    def __init__(
        self,
        store: Store,
        digests: Digests,
        clock: Clock,
        on_event: Callable[[Event], None],
        *,
        at: time,
        resolutions: Sequence[int],
        currency: str,
    ) -> None:
        """Give what is told to `on_event`, with the home's power at `resolutions` (minutes)."""
        self._store = store
        self._digests = digests
        self._clock = clock
        self._on_event = on_event
        self._at = at
        self._resolutions = tuple(resolutions)
        self._currency = currency

    async def run(self) -> None:
        """Tell of days until cancelled; of those missed first. Raises StoreError."""
        for event in self._store.book.digests.unheard():
            self._on_event(event)
        after_midnight_ms = (self._at.hour * 60 + self._at.minute) * 60_000
        settled_ms = self._clock.now_ms() + min(SETTLE_MS, after_midnight_ms)
        while True:
            if self._clock.now_ms() >= settled_ms:
                await self.tell()
            await asyncio.sleep(CHECK_S)

    async def tell(self) -> None:
        """Tell of all whole days that were not told yet, if it is time to. Raises StoreError.

        A day on which nothing was measured is not told of. The very first time there is nothing before yesterday.
        """
        first, last = self._due()
        if first > last:
            return
        days = self._digests.between(date.fromordinal(first), date.fromordinal(last), self._resolutions)
        for digest in days:
            await self._tell_of(digest)
            await asyncio.sleep(0)

    def _due(self) -> tuple[int, int]:
        """Return the numbers of the first and the last day to tell of; none when the first is later than the last."""
        now_ms, zone = self._clock.now_ms(), self._store.zone
        today = local_date(zone, now_ms)
        is_time = now_ms >= datetime.combine(today, self._at, zone).timestamp() * 1000
        last = today.toordinal() - (1 if is_time else 2)
        yesterday = today.toordinal() - 1
        done = self._store.book.digests.done()
        if not done or done > yesterday:  # a clock that ran ahead once must not keep days from being told for good
            done = yesterday - 1
        return max(done + 1, last - MISSED_DAYS_MAX + 1), last

    async def _tell_of(self, digest: Digest) -> None:
        """Write down what is told before it is said: a service that ends in between says it when it starts again."""
        book, day = self._store.book.digests, digest.day
        measured = any(part.measured_ms or part.energy_mwh for part in (digest.home, *digest.meters))
        event = event_of(digest, self._store.zone, self._currency) if measured else None
        if book.told(day.isoformat()) is not None:
            event = None
        await in_thread(book.put, day.isoformat(), day.toordinal(), self._clock.now_ms(), event)
        if event is not None:
            self._on_event(event)
