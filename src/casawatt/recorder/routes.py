"""Which meter a device's reading belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass

from casawatt.engine.clean import believed_time
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
    """Return the route that holds at the time of the reading, None when the device was bound to no meter then.

    Its time is that which it will be recorded at: a clock that was never set is not asked.
    """
    if not routes:
        return None
    time_ms, _ = believed_time(reading, routes[0].traits)
    for route in reversed(routes):
        if route.from_ms <= time_ms < route.to_ms:
            return route
    return None
