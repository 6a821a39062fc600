"""Which meter a device's reading belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass

from casawatt.model.meter import Device, Traits
from casawatt.model.reading import Reading
from casawatt.recorder.line import Line


@dataclass(frozen=True, slots=True)
class Route:
    """A device's readings of `from_ms <= time < to_ms` belong to `line`."""

    from_ms: int
    to_ms: int
    line: Line
    device: Device
    traits: Traits


def choose(routes: Sequence[Route], reading: Reading) -> Route | None:
    """Return the route that holds at the time of the reading, None when the device was bound to no meter then."""
    time_ms = reading.received_ms if reading.time_ms is None else reading.time_ms
    for route in reversed(routes):
        if route.from_ms <= time_ms < route.to_ms:
            return route
    return None
