"""What the web layer asks of the log of events."""

from collections.abc import Callable
from typing import Protocol

from casawatt.model.event import Event, EventFilter


class EventsPort(Protocol):
    """What happened. The questions raise StoreError."""

    def list(
        self, after_seq: int | None, limit: int, wanted: EventFilter, *, newest_first: bool = False
    ) -> list[tuple[int, Event]]:
        """Return up to `limit` of the wanted events after the one of number `after_seq`, each with its number.

        They come as they were written, or newest first; None begins with the first of that order.
        """
        ...

    def newest_seq(self) -> int:
        """Return the number of the newest event, 0 before there is any."""
        ...

    def follow(self, follower: Callable[[], None]) -> Callable[[], None]:
        """Call `follower` whenever more was written; returns what ends it. It never raises and never waits."""
        ...
