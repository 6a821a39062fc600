"""Changes as they happen, as server-sent events.

Each kind of change is sent at once and then at most every `GAP_S`, always with the newest state. What a slow
reader has not taken yet is replaced by what is newer, so that it holds one event of each kind at most.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus

from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Stream

from casawatt.model.errors import CasawattError
from casawatt.web.discovery import discovery_document
from casawatt.web.documents import (
    health_document,
    meter_document,
    meters_document,
    new_devices_document,
)
from casawatt.web.ports import Ports
from casawatt.web.problem import ProblemError, encode
from casawatt.web.requests import answers, document
from casawatt.web.times import today_start

GAP_S = 0.1
KEEP_ALIVE_S = 15.0
READERS_MAX = 100
RETRY = b"retry: 2000\n\n"
STILL_HERE = b": still here\n\n"

log = logging.getLogger("casawatt.web")


def event(name: str, content: object) -> bytes:
    """Return one server-sent event with a JSON document."""
    return b"event: " + name.encode() + b"\ndata: " + encode(content) + b"\n\n"


class Reader:
    """One open stream and the newest events that it has not taken yet, by kind."""

    def __init__(self) -> None:
        self._waiting: dict[str | int, bytes] = {}
        self._wake = asyncio.Event()

    def put(self, kind: str | int, what: bytes) -> None:
        """Leave an event for the reader; an older one of the same kind is dropped."""
        self._waiting.pop(kind, None)
        self._waiting[kind] = what
        self._wake.set()

    def wake(self) -> None:
        """Let the reader see that it shall end."""
        self._wake.set()

    async def take(self) -> bytes:
        """Return all that is waiting, as soon as there is something; a comment when nothing came for long."""
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                await self._wake.wait()
        except TimeoutError:
            return STILL_HERE
        self._wake.clear()
        taken = b"".join(self._waiting.values())
        self._waiting.clear()
        return taken


class Feed:
    """Hears what changes at home (it is a `Watcher`) and passes it to every open stream."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._readers: set[Reader] = set()
        self._scheduled: dict[str | int, asyncio.TimerHandle] = {}
        self._sent_s: dict[str | int, float] = {}
        self._today_ms = 0
        self._closed = False

    def __len__(self) -> int:
        """Return how many streams are open."""
        return len(self._readers)

    def meter(self, meter_id: int) -> None:
        """Send the meter soon."""
        self._schedule(meter_id)

    def new_devices(self) -> None:
        """Send the list of new devices soon."""
        self._schedule("new_devices")

    def health(self) -> None:
        """Send the health soon."""
        self._schedule("health")

    def discovery(self) -> None:
        """Send what the search for devices has found soon."""
        self._schedule("discovery")

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for handle in self._scheduled.values():
            handle.cancel()
        self._scheduled.clear()
        for reader in self._readers:
            reader.wake()

    def check(self) -> None:
        """Raise ProblemError if no more streams can be opened, StoreError if there is nothing to begin one with."""
        if self._closed or len(self._readers) >= READERS_MAX:
            why = "the service is stopping" if self._closed else f"{READERS_MAX} streams are open already"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, f"no further stream can be opened: {why}")
        meters_document(self._ports)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield a snapshot of the home and then every change, until the feed is closed."""
        reader = Reader()
        self._readers.add(reader)
        try:
            yield RETRY + event("snapshot", meters_document(self._ports))
            while not self._closed:
                taken = await reader.take()
                if taken == STILL_HERE:
                    self._check_day()
                yield taken
        finally:
            self._readers.discard(reader)

    def _schedule(self, kind: str | int) -> None:
        if not self._readers or self._closed or kind in self._scheduled:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._sent_s.get(kind, 0.0) + GAP_S - loop.time()
        self._scheduled[kind] = loop.call_later(max(0.0, wait_s), self._send, kind)

    def _send(self, kind: str | int) -> None:
        del self._scheduled[kind]
        self._sent_s[kind] = asyncio.get_running_loop().time()
        try:
            what = self._event(kind)
        except CasawattError as error:
            log.warning("a change could not be sent to the open pages: %s", error)
            return
        for reader in self._readers:
            reader.put(kind, what)
        self._check_day()

    def _event(self, kind: str | int) -> bytes:
        if kind == "health":
            return event("health", health_document(self._ports))
        if kind == "new_devices":
            return event("new_devices", new_devices_document(self._ports))
        if kind == "discovery":
            return event("discovery", discovery_document(self._ports))
        return b"".join(
            event("meter", meter_document(self._ports, meter))
            for meter in self._ports.meters.meters()
            if meter.meter_id == kind
        )

    def _check_day(self) -> None:
        """Send every meter when a new day has begun: what it used today is none."""
        today_ms = today_start(self._ports.clock.now_ms(), self._ports.home.zone)
        if self._today_ms not in {0, today_ms}:
            for meter in self._ports.meters.meters():
                self._schedule(meter.meter_id)
        self._today_ms = today_ms


ServedFeed = NamedDependency[SkipValidation[Feed]]
"""The feed of changes, as a handler's `feed`."""


@get(
    "/live",
    summary="Changes as they happen",
    operation_id="get_live",
    tags=["live"],
    media_type="text/event-stream",
    responses=answers(
        HTTPStatus.SERVICE_UNAVAILABLE,
        ok=document(
            str,
            "Server-sent events, their data being JSON: `snapshot` (as /api/v1/meters) at first, then `meter` (one of "
            "its meters), `new_devices` (that part of it alone), `health` (as /healthz) and `discovery` (as "
            "/api/v1/discovery), each when it has changed",
            media_type="text/event-stream",
        ),
    ),
)
async def get_live(feed: ServedFeed) -> Stream:
    """Return a stream that begins with all meters and goes on with every change."""
    feed.check()
    return Stream(feed.stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
