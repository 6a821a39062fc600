"""An MQTT broker, as sources and sinks see it: one connection, shared by all of them.

What is promised: a message sent at QoS 1 is acknowledged only when whoever took it has it safe, so that a killed
process gets it again; the session outlives us, so that what is sent while we are away waits at the broker.
"""

import asyncio
import logging
import os
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import msgspec
from paho.mqtt.client import topic_matches_sub

from casawatt.model.broker import BrokerOptions
from casawatt.transports.mqtt_link import UNACKNOWLEDGED_MAX, Arrived, Link, identifier_of
from casawatt.transports.secrets import load_password

log = logging.getLogger(__name__)

FIRST_LISTENERS_S = 5.0
"""The longest wait, before the first connection, for those who will listen."""

HELD_S = 120.0
"""So long a message waits for a source that is being started again; its longest pause is shorter."""

HELD_MAX = UNACKNOWLEDGED_MAX // 2
HELD_MAX_3 = 10
"""Most messages that wait so, by MQTT 5 and 3.1.1. They take up room of what the broker sends unacknowledged."""

TOPICS_KNOWN = 10_000
"""For so many topics it is remembered who takes them."""

GATHER_S = 0.05
GATHER_MAX = 8
"""So long, or until so many are there, messages gather before they are kept: a hand-over costs more than a message.
No broker sends fewer than twice as many ahead."""

PARTING_S = 2.0
"""The longest wait, at the end, for what was taken to be acknowledged."""


class Message(NamedTuple):
    """A message of a topic. `retained`: it was sent at some time before, and kept by the broker for newcomers."""

    topic: str
    payload: bytes
    retained: bool


class Listening:
    """What somebody listens to, while they do."""

    def __init__(
        self, topics: Sequence[str], take: Callable[[Message], None], kept: Callable[[], Awaitable[None]]
    ) -> None:
        self.topics = tuple(dict.fromkeys(topics))
        self.kept = kept
        self._take = take
        self._filters = {identifier_of(topic): topic for topic in self.topics}
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def failed(self) -> None:
        """Wait for ever; raise what `take` raised, or PermissionError when the broker refused a topic."""
        await asyncio.shield(self._failure)

    def wants(self, topic: str, identifiers: tuple[int, ...]) -> bool:
        """Say whether a message is for us: of the subscription that it came by, where that is known."""
        if self._failure.done():
            return False
        filters: Iterable[str] = self.topics
        if identifiers:
            filters = [self._filters[number] for number in identifiers if number in self._filters]
        return any(topic_matches_sub(pattern, topic) for pattern in filters)

    def give(self, message: Message) -> bool:
        """Hand over a message. Where `take` raises it comes out of `failed`, and no more is wanted: returns False."""
        try:
            self._take(message)
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits for it
            log.warning("a message of %s could not be taken, and will not come again", message.topic)
            self.fail(error)
            return False
        return True

    def fail(self, error: Exception) -> None:
        """Let `failed` raise this, unless it raises already."""
        if not self._failure.done():
            self._failure.set_exception(error)
            self._failure.exception()  # it may be that nobody waits for it


class Broker:
    """One connection to one broker, shared by all sources and sinks that use it.

    `run` must run for it to be connected; `listeners` is how many will listen, for which the first connection waits.
    """

    def __init__(self, name: str, options: BrokerOptions, client_id: str, *, listeners: int = 0) -> None:
        self.name = name
        self._options = options
        self._client_id = options.client_id or client_id
        self._expected = listeners
        self._listeners: list[Listening] = []
        self._joined = asyncio.Event()
        self._takers: dict[tuple[str, tuple[int, ...]], tuple[Listening, ...]] = {}
        self._held: deque[tuple[float, Arrived]] = deque()
        self._held_max = HELD_MAX if options.protocol == "5" else HELD_MAX_3
        self._link: Link | None = None
        self._taken: list[tuple[int, tuple[Listening, ...]]] = []
        self._some_taken, self._many_taken = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def listening(
        self, topics: Sequence[str], take: Callable[[Message], None], kept: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[Listening]:
        """Give `take` every message of the topics, which may have wildcards but should not overlap, while entered.

        It is called on the event loop. A message of QoS 1 is acknowledged after `kept()` has returned. One that makes
        `take` raise is acknowledged too, as it would do so for ever; `Listening.failed` raises it. What comes while
        nobody listens waits for a while, so that a source may be started again without losing any.
        """
        listening = Listening(topics, take, kept)
        self._listeners.append(listening)
        self._takers.clear()
        self._joined.set()
        try:
            self._give_held()
            with suppress(ConnectionError):  # subscribed again with the next connection
                if self._link is not None:
                    await self._subscribe(self._link, [listening])
            yield listening
        finally:
            self._listeners.remove(listening)
            self._takers.clear()

    async def publish(self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False) -> None:
        """Send a message; with QoS 1 return only when the broker has acknowledged it.

        Raises ConnectionError when there is no connection, or it is lost before that; PermissionError when the
        broker refused it.
        """
        if self._link is None:
            raise ConnectionError(f"not connected to [broker.{self.name}]")
        await self._link.publish(topic, payload, qos=qos, retain=retain)

    async def run(self) -> None:
        """Connect, and hand out what comes, until the connection is lost or refused.

        Raises ConnectionError that says why, ConfigError when the password file cannot be used. What is not
        acknowledged by then comes again with the next connection.
        """
        await self._until_listened_to()
        link = Link(self._options, self._client_id, password_of(self.name, self._options), self._take)
        acknowledging = asyncio.create_task(self._keep_acknowledging(link))
        try:
            await link.open()
            self._link = link
            log.info("connected to the broker at %s:%d", self._options.host, self._options.tcp_port)
            await self._subscribe(link, self._listeners)
            await link.lost()
        finally:
            self._link = None
            acknowledging.cancel()
            await asyncio.wait({acknowledging})
            with suppress(TimeoutError):
                async with asyncio.timeout(PARTING_S):
                    await self._acknowledge(link)
            link.close()
            self._forget_unacknowledged()

    async def _until_listened_to(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LISTENERS_S):
                while len(self._listeners) < self._expected:
                    self._joined.clear()
                    await self._joined.wait()
        self._expected = 0

    async def _subscribe(self, link: Link, listeners: Iterable[Listening]) -> None:
        """Subscribe to all topics, also those that the session knows: what is retained is sent only then."""
        wanted = {topic: None for listening in listeners for topic in listening.topics}
        refused = await link.subscribe(list(wanted))
        for topic, why in refused.items():
            error = PermissionError(f"[broker.{self.name}] does not let us have the topic {topic!r}: {why}")
            for listening in self._listeners:
                if topic in listening.topics:
                    listening.fail(error)
        self._takers.clear()

    def _take(self, arrived: Arrived) -> None:
        key = arrived.topic, arrived.identifiers
        takers = self._takers.get(key)
        if takers is None:
            takers = tuple(listening for listening in self._listeners if listening.wants(*key))
            if len(self._takers) >= TOPICS_KNOWN:
                self._takers.clear()
            self._takers[key] = takers
        if not takers:
            self._hold(arrived)
            return
        message = Message(arrived.topic, arrived.payload, arrived.retained)
        for listening in takers:
            if not listening.give(message):
                self._takers.clear()
        self._to_acknowledge(arrived, takers)

    def _to_acknowledge(self, arrived: Arrived, takers: tuple[Listening, ...]) -> None:
        if arrived.mid:
            self._taken.append((arrived.mid, takers))
            self._some_taken.set()
            if len(self._taken) >= GATHER_MAX:
                self._many_taken.set()

    def _hold(self, arrived: Arrived) -> None:
        """Keep a message that nobody listens to, for a while. What is retained is sent again to who asks for it."""
        if arrived.retained:
            self._drop(arrived)
            return
        now_s = asyncio.get_running_loop().time()
        self._held.append((now_s, arrived))
        while len(self._held) > self._held_max or self._held[0][0] < now_s - HELD_S:
            self._drop(self._held.popleft()[1])

    def _drop(self, arrived: Arrived) -> None:
        log.debug("nobody listens to %s", arrived.topic)
        self._to_acknowledge(arrived, ())

    def _give_held(self) -> None:
        """Hand out again what was held."""
        held, self._held = self._held, deque()
        for since_s, arrived in held:
            if any(listening.wants(arrived.topic, arrived.identifiers) for listening in self._listeners):
                self._take(arrived)
            else:
                self._held.append((since_s, arrived))

    def _forget_unacknowledged(self) -> None:
        """Forget what the broker will send again."""
        self._taken.clear()
        self._held = deque(entry for entry in self._held if not entry[1].mid)

    async def _keep_acknowledging(self, link: Link) -> None:
        while True:
            await self._some_taken.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._many_taken.wait()
            await self._acknowledge(link)

    async def _acknowledge(self, link: Link) -> None:
        """Wait until all that was taken is kept, and acknowledge it. Where keeping fails it is not acknowledged."""
        self._some_taken.clear()
        self._many_taken.clear()
        taken = self._taken.copy()
        unkept = set()
        for listening in {listening for _, takers in taken for listening in takers}:
            try:
                await listening.kept()
            except Exception as error:  # noqa: BLE001 - handed on to whoever listens
                listening.fail(error)
                self._takers.clear()
                unkept.add(listening)
        del self._taken[: len(taken)]
        link.acknowledge(mid for mid, takers in taken if not unkept.intersection(takers))


async def try_out(name: str, options: BrokerOptions) -> None:
    """Connect to a broker and leave again, beside any service that runs; raises as `Broker.run` does."""
    visit = msgspec.structs.replace(options, session_expiry_s=0)
    link = Link(visit, f"casawatt-visit-{secrets.token_hex(4)}", password_of(name, options), lambda _arrived: None)
    try:
        await link.open()
    finally:
        link.close()


def password_of(name: str, options: BrokerOptions) -> str | None:
    """Return the password for a broker: of the environment, else of its file; None when there is none.

    Raises ConfigError when the file cannot be used.
    """
    given = os.environ.get(f"CASAWATT_BROKER_{name.upper().replace('-', '_')}_PASSWORD")
    if given is None and options.password_file is not None:
        return load_password(options.password_file)
    return given
