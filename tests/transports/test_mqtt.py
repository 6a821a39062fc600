"""The broker as sources and sinks see it, against a real Mosquitto."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from casawatt.config import BrokerConfig
from casawatt.transports.mqtt import Broker, Message
from tests.mosquitto import HOST, TIMEOUT_S, Mosquitto, mosquitto, peer

SUBSCRIBED = "Sending SUBACK to casawatt-test"


class Taker:
    """Somebody who listens: what it took, and whether it has it safe."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.safe = asyncio.Event()
        self.safe.set()
        self._changed = asyncio.Event()

    def take(self, message: Message) -> None:
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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as server:
        yield server


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_message_reaches_who_listens(server: Mosquitto, protocol: str) -> None:
    taker = Taker()
    broker = Broker("home", options(server, protocol=protocol), "casawatt-test", listeners=1)
    async with running(broker), broker.listening(["a/+"], taker.take, taker.kept), peer(server) as device:
        await server.until_said(SUBSCRIBED)
        await device.publish("a/b", "1")
        assert await taker.until(1) == ["1"]
        assert taker.got == [Message("a/b", b"1", retained=False)]
