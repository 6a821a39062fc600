"""Somebody who listens to a broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from casawatt.config_sections import BrokerConfig
from casawatt.transports.mqtt import Broker, Message
from tests.mosquitto import HOST, TIMEOUT_S, Mosquitto

CLIENT = "casawatt-test"
SUBSCRIBED = f"Sending SUBACK to {CLIENT}"
"""What Mosquitto logs then."""


class Taker:
    """Somebody who listens: what it took, and whether it has it `safe`. A payload that is `poison` it cannot take."""

    def __init__(self) -> None:
        self.poison: bytes | None = None
        self.got: list[Message] = []
        self.safe = asyncio.Event()
        self.safe.set()
        self._changed = asyncio.Event()

    def take(self, message: Message) -> None:
        if message.payload == self.poison:
            raise ValueError("poison")
        self.got.append(message)
        self._changed.set()

    async def kept(self) -> None:
        await self.safe.wait()

    @property
    def payloads(self) -> list[str]:
        return [message.payload.decode() for message in self.got]

    async def until(self, count: int) -> list[str]:
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.got) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.payloads


def options(server: Mosquitto, **more: Any) -> BrokerConfig:
    given: dict[str, Any] = {"host": HOST, "port": server.port}
    if server.ca_file is not None:
        given |= {"tls": True, "ca_file": str(server.ca_file)}
    return BrokerConfig(**given | more)


@asynccontextmanager
async def running(broker: Broker) -> AsyncIterator[asyncio.Task[None]]:
    """Run a broker's connection while entered."""
    task = asyncio.create_task(broker.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until_connected(broker: Broker) -> None:
    """Wait until the broker can be told something."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                await broker.publish("hello", "")
            except ConnectionError:
                await asyncio.sleep(0)
            else:
                return
