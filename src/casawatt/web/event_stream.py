"""Events as they are written, as server-sent events that can be taken up again where they broke off.

Each stream reads the log at its reader's pace, from its own position on: nothing waits in memory for a slow one, and
none is left out.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from casawatt.model.errors import CasawattError
from casawatt.model.event import EventFilter
from casawatt.web.events_documents import cloud_event
from casawatt.web.ports import Ports
from casawatt.web.problem import ProblemError, encode

KEEP_ALIVE_S = 15.0
FOLLOWERS_MAX = 100
PAGE = 100
"""So many events are read from the log at once."""

RETRY = b"retry: 2000\n"
STILL_HERE = b": still here\n\n"

log = logging.getLogger("casawatt.web")


class EventStreams:
    """All open streams of events."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._wakes: set[asyncio.Event] = set()
        self._closed = False

    def __len__(self) -> int:
        """Return how many streams are open."""
        return len(self._wakes)

    def wake(self) -> None:
        """Let every stream see that there is more in the log."""
        for each in self._wakes:
            each.set()

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self.wake()

    def check(self) -> None:
        """Raise ProblemError if no more streams can be opened."""
        if self._closed or len(self._wakes) >= FOLLOWERS_MAX:
            why = "the service is stopping" if self._closed else f"{FOLLOWERS_MAX} streams are open already"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, f"no further stream can be opened: {why}")

    async def stream(self, after_seq: int, wanted: EventFilter) -> AsyncIterator[bytes]:
        """Yield each wanted event after that of number `after_seq`, as soon as it is written, until closed.

        The first thing said is the position, so that a stream that breaks off before any event is resumed there too.
        """
        wake = asyncio.Event()
        self._wakes.add(wake)
        position = after_seq
        try:
            yield RETRY + f"id: {position}\n\n".encode()
            while not self._closed:
                wake.clear()
                found = self._ports.events.list(position, PAGE, wanted)
                if found:
                    position = found[-1][0]
                    yield b"".join(
                        f"id: {seq}\nevent: {event.type}\ndata: ".encode()
                        + encode(cloud_event(event, self._ports.home))
                        + b"\n\n"
                        for seq, event in found
                    )
                elif not await _is_set_soon(wake):
                    yield STILL_HERE
        except CasawattError as error:
            log.warning("a stream of events ends: %s", error)
        finally:
            self._wakes.discard(wake)


async def _is_set_soon(wake: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            return await wake.wait()
    except TimeoutError:
        return False


ServedStreams = NamedDependency[SkipValidation[EventStreams]]
"""The streams of events, as a handler's `streams`."""
