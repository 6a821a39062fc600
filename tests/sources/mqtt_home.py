"""A home that hears by a real broker over TLS, in virtual time: a message arrives when the clock shows its time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from casawatt.model.broker import BrokerOptions
from casawatt.model.reading import Record
from casawatt.recorder.inbox import SourceInbox
from casawatt.recorder.keeper import Keeper
from casawatt.transports.mqtt import Broker
from tests.mosquitto import HOST, TIMEOUT_S, Mosquitto, Peer, peer
from tests.recorder.homes import FAR_MS, START_MS, TestHome, home_in


class Timed(Protocol):
    """A message and when it is published (UTC ms)."""

    @property
    def time_ms(self) -> int:
        """When."""
        ...

    @property
    def topic(self) -> str:
        """Where."""
        ...

    @property
    def payload(self) -> str:
        """What."""
        ...

    @property
    def retain(self) -> bool:
        """Whether the broker keeps it."""
        ...


class MarkedInbox(SourceInbox):
    """The real inbox, which also tells whether a device called `mark` was last said to be there."""

    def __init__(self, source: str, home: TestHome) -> None:
        keeper = Keeper(home.store, home.recorder, sync_s=1, on_event=print)
        super().__init__(source, home.recorder, keeper)
        self.mark: bool | None = None
        self.changed = asyncio.Event()

    def presence(self, address: str, *, online: bool) -> None:
        """Note a mark, and pass on what is none."""
        if address.endswith("mark"):
            self.mark = online
            self.changed.set()
        else:
            super().presence(address, online=online)


class MqttHome:
    """A home, its source, which runs, and a client that speaks for the devices."""

    def __init__(self, home: TestHome, inbox: MarkedInbox, devices: Peer, mark: str) -> None:
        self.home = home
        self.devices = devices
        self._inbox = inbox
        self._mark = mark
        self._is_there = False

    async def hears(self, messages: Iterable[Timed], *, qos: int = 1) -> None:
        """Publish messages in order of time, each when the home's clock shows its time; return when all are taken."""
        now_ms = None
        for message in sorted(messages, key=lambda each: each.time_ms):
            if now_ms is not None and message.time_ms != now_ms:
                await self.settled()
            now_ms = message.time_ms
            self.home.clock.time_ms = now_ms
            self.devices._client.publish(message.topic, message.payload, qos, message.retain)
        await self.settled()

    async def settled(self) -> None:
        """Return when everything that was published is taken: when a device that was there has gone, or the reverse."""
        self._is_there = not self._is_there
        self.devices._client.publish(self._mark, "online" if self._is_there else "offline", 1)
        async with asyncio.timeout(TIMEOUT_S):
            while self._inbox.mark is not self._is_there:
                self._inbox.changed.clear()
                await self._inbox.changed.wait()

    def records(self, slug: str) -> list[Record]:
        """Return everything that is recorded of a meter."""
        columns = self.home.store.columns(self.home.registry.meter(slug).meter_id, -FAR_MS, FAR_MS)
        return list(columns.records())


@asynccontextmanager
async def mqtt_home(
    folder: Path, server: Mosquitto, module: ModuleType, config: Any, mark: str, now_ms: int = START_MS
) -> AsyncIterator[MqttHome]:
    """Run a source on the home in a folder while entered.

    `mark` is the topic of presence of a device `mark`, `now_ms` what the home's clock shows at first.
    """
    source = module.__name__.rpartition(".")[2]
    options = BrokerOptions(host=HOST, port=server.port, tls=server.ca_file is not None, ca_file=str(server.ca_file))
    with home_in(folder) as home:
        home.registry._traits[source] = config.traits
        home.clock.time_ms = now_ms
        inbox = MarkedInbox(source, home)
        broker = Broker("home", options, "casawatt-test", listeners=1)
        tasks = [
            asyncio.create_task(broker.run()),
            asyncio.create_task(module.run(config, inbox, broker)),
        ]
        try:
            async with peer(server) as devices:
                listening = MqttHome(home, inbox, devices, mark)
                await subscribed(listening)
                yield listening
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            inbox.close()


async def subscribed(home: MqttHome) -> None:
    """Return when the home hears what is published, and no mark of before is on its way."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await home.settled()
                break
    await home.settled()
    await home.settled()


@asynccontextmanager
async def connected(server: Mosquitto) -> AsyncIterator[Broker]:
    """Run a broker's connection while entered."""
    options = BrokerOptions(host=HOST, port=server.port, tls=True, ca_file=str(server.ca_file))
    broker = Broker("home", options, "casawatt-test")
    task = asyncio.create_task(broker.run())
    try:
        yield broker
    finally:
        task.cancel()
        await asyncio.wait({task})
