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
