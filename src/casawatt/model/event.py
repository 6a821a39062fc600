"""Something that happened, in CloudEvents 1.0 terms."""

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True):
    """An event of the home. `type` is like `casawatt.meter.silent`; `subject` a meter's slug or a source.

    `event_id` is the same when the same thing is found again, so that repeats are recognised.
    """

    event_id: str
    type: str
    time_ms: int
    subject: str
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class EventFilter(msgspec.Struct, frozen=True):
    """Which events are wanted: all that fit everything that is said.

    `types`: one of these, all when empty; `start_ms <= time_ms < end_ms`.
    """

    types: tuple[str, ...] = ()
    subject: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None


ALL = EventFilter()
