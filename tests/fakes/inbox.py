"""An inbox that remembers everything it was given."""

import asyncio
from collections import Counter
from collections.abc import Callable

from casawatt.model.ports import NEVER, NOT_NOW
from casawatt.model.reading import Reading
from tests.fakes.clock import ManualClock

TIMEOUT_S = 10.0


class RecordingInbox:
    """A `model.ports.Inbox`. Tickets count up from 1; nothing is safe until `make_safe` is called.

    `adopted` holds the addresses that belong to a meter, None meaning all. `nonsense` decides which readings of
    theirs are refused nevertheless, `full` when there is no room.
    """

    def __init__(self, clock: ManualClock | None = None, adopted: set[str] | None = None) -> None:
        self.clock = clock or ManualClock()
        self.adopted = adopted
        self.nonsense: Callable[[Reading], bool] = lambda _: False
        self.full: Callable[[], bool] = lambda: False
        self.readings: list[Reading] = []
        self.heard: list[Reading] = []
        self.hints: list[str | None] = []
        self.refused: Counter[tuple[str, str]] = Counter()
        self.details: list[str] = []
        self.online: dict[str, bool] = {}
        self._ticket = 0
        self._safe = 0
        self._listeners: list[Callable[[int], None]] = []
        self._changed = asyncio.Event()

    def put(self, reading: Reading, *, hint: str | None = None) -> int:
        """Keep the reading in `heard`, and in `readings` when it is recorded; return its ticket, or why none."""
        self.heard.append(reading)
        self.hints.append(hint)
        self._changed.set()
        if self.nonsense(reading):
            return NEVER
        if (self.adopted is not None and reading.address not in self.adopted) or self.full():
            return NOT_NOW
        self.readings.append(reading)
        self._ticket += 1
        return self._ticket

    def safe_ticket(self) -> int:
        """Return the last ticket that `make_safe` covered."""
        return self._safe

    def when_safer(self, listener: Callable[[int], None]) -> None:
        """Call `listener` at each `make_safe`."""
        self._listeners.append(listener)

    async def kept(self) -> None:
        """Return at once: what is put is kept."""

    def presence(self, address: str, *, online: bool) -> None:
        """Remember what was said last of each device."""
        self.online[address] = online
        self._changed.set()

    def refuse(self, sender: str, cause: str, detail: str) -> None:
        """Count by sender and cause."""
        self.refused[sender, cause] += 1
        self.details.append(detail)
        self._changed.set()

    def causes(self) -> Counter[str]:
        """Return how often each cause was given, whoever the sender."""
        counted: Counter[str] = Counter()
        for (_, cause), count in self.refused.items():
            counted[cause] += count
        return counted

    def make_safe(self, ticket: int | None = None) -> None:
        """Make everything so far (or up to `ticket`) safe, and say so."""
        self._safe = self._ticket if ticket is None else ticket
        for listener in self._listeners:
            listener(self._safe)

    async def until(self, condition: Callable[["RecordingInbox"], bool]) -> None:
        """Wait until `condition(self)` holds; TimeoutError after ten seconds."""
        async with asyncio.timeout(TIMEOUT_S):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()
