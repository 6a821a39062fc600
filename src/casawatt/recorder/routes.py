"""Which meter a device's reading belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass

from casawatt.engine.clean import believed_time
from casawatt.model.meter import Device, Traits
from casawatt.model.reading import Reading
from casawatt.recorder.line import FAR_MS, Line


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

    That time is the one it will be recorded at: a stamp that is not believed decides nothing.
    """
    if len(routes) == 1 and routes[0].from_ms <= 0 and routes[0].to_ms == FAR_MS:
        return routes[0]
    if not routes:
        return None
    time_ms, _ = believed_time(reading, routes[0].traits)
    for route in reversed(routes):
        if route.from_ms <= time_ms < route.to_ms:
            return route
    return None
