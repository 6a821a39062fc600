"""What the layers ask of each other, so that none needs to know who answers."""

from collections.abc import Callable
from typing import Protocol

from casawatt.model.meter import Traits
from casawatt.model.reading import Reading

NOT_NOW = 0
"""In the place of a ticket: this reading was not recorded, it may be later."""

NEVER = -1
"""In the place of a ticket: this reading will not be recorded, however often it comes."""


class Clock(Protocol):
    """The home's clock. The demo's may run faster than the wall's."""

    def now_ms(self) -> int:
        """Return the time now in UTC milliseconds since 1970."""
        ...


class Inbox(Protocol):
    """Where a source puts what its devices say."""

    @property
    def clock(self) -> Clock:
        """The home's clock."""
        ...

    def put(self, reading: Reading, *, hint: str | None = None) -> int:
        """Take in one reading.

        Returns its ticket: the reading is safe on the disk once `safe_ticket()` has reached it. Returns `NOT_NOW` if
        it was not recorded and may be sent again: the device belongs to no meter yet, or the disk is full. Returns
        `NEVER` if it makes no sense; that is counted and shown. `hint` is what the device says it is attached to.
        """
        ...

    def safe_ticket(self) -> int:
        """Return the highest ticket up to which everything would survive a power cut."""
        ...

    def when_safer(self, listener: Callable[[int], None]) -> None:
        """Call `listener(safe_ticket)` each time more has become safe, for as long as the source runs."""
        ...

    async def kept(self) -> None:
        """Wait until everything put so far survives a killed process: only then may a message be acknowledged.

        While the disk cannot be written it waits for as long as that lasts.
        """
        ...

    def presence(self, address: str, *, online: bool) -> None:
        """Say that a device has gone, or is back, where that is known for sure: a broker told of its last will.

        A meter whose device has gone is silent at once, not only after the gap limit. A reading of it says it is back.
        """
        ...

    def refuse(self, sender: str, cause: str, detail: str) -> None:
        """Count something that could not be used; it is logged once per sender and cause."""
        ...


class SourceConfig(Protocol):
    """The options of a source, as `[source.<name>]` in the config; one class `Config` per source file.

    A source whose devices are not all alike also has `traits_of(address) -> Traits`, which is asked before `traits`.
    """

    @property
    def traits(self) -> Traits:
        """What the readings of this source are like."""
        ...
