"""The types of events there are, and how an event is made of its data."""

import msgspec

from casawatt.model.event import Event
from casawatt.model.event_data import (
    DigestDaily,
    MeterBack,
    MeterSilent,
    PowerNormal,
    PowerOver,
    PriceDiffers,
    RunFinished,
    RunStarted,
    SourceFailed,
    TripWarning,
)

EVENT_TYPES: dict[str, type[msgspec.Struct]] = {
    "casawatt.digest.daily": DigestDaily,
    "casawatt.meter.back": MeterBack,
    "casawatt.meter.silent": MeterSilent,
    "casawatt.power.normal": PowerNormal,
    "casawatt.power.over": PowerOver,
    "casawatt.price.differs": PriceDiffers,
    "casawatt.run.finished": RunFinished,
    "casawatt.run.started": RunStarted,
    "casawatt.source.failed": SourceFailed,
    "casawatt.trip.warning": TripWarning,
}
"""The data of each type."""

TYPE_OF: dict[type[msgspec.Struct], str] = {data: name for name, data in EVENT_TYPES.items()}


def event_of(data: msgspec.Struct, time_ms: int, subject: str, key: str | int) -> Event:
    """Return the event with this data. `subject`: what it is about, the slug of a meter or another name.

    `key` tells it from others of its type and subject, and follows from what happened alone: found again, the same
    thing has the same `event_id`, `subject/type/key`. Raises msgspec.ValidationError for data that is not what its
    class says, which is a bug of whoever made it.
    """
    fields = msgspec.to_builtins(data)
    msgspec.convert(fields, type(data))
    name = TYPE_OF[type(data)]
    return Event(f"{subject}/{name}/{key}", name, time_ms, subject, fields)
