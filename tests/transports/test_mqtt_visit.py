"""A visit to a real Mosquitto leaves nothing there and takes nothing away."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt.config_sections import BrokerConfig
from casawatt.transports.mqtt import Broker, Message
from casawatt.transports.mqtt_visit import visit
from tests.mosquitto import HOST, TIMEOUT_S, Mosquitto, free_port, mosquitto, peer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as server:
        yield server


def options(server: Mosquitto, **more: str | int) -> BrokerConfig:
    return BrokerConfig(host=HOST, port=server.port, **more)  # type: ignore[arg-type] # each of its option's type


async def first_message(broker: Broker) -> Message:
    """Return the first message of the topic `found/#`."""
    heard: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    async def kept() -> None:
        """It need not be kept."""

    async with broker.listening(["found/#"], heard.set_result, kept), asyncio.timeout(TIMEOUT_S):
        return await heard


async def test_a_visitor_hears_what_was_kept_for_newcomers(server: Mosquitto) -> None:
    async with peer(server) as device:
        await device.publish("found/plug", "here", retain=True)
    assert await visit("home", options(server), first_message) == Message("found/plug", b"here", retained=True)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_waits_for_casawatt_is_not_taken_by_its_visit(server: Mosquitto, protocol: str) -> None:
    usual = options(server, client_id="casawatt-home", protocol=protocol)

    async def subscribe(broker: Broker) -> None:
        connected = asyncio.create_task(broker.run())
        async with peer(server) as device:
            waiting = asyncio.create_task(first_message(broker))
            await server.until_said("Sending SUBACK to casawatt-home")
            await device.publish("found/first", "1")
            assert (await waiting).payload == b"1"
        connected.cancel()
        await asyncio.wait({connected})

    await subscribe(Broker("home", usual, "", listeners=1))
    async with peer(server) as device:
        await device.publish("found/while-away", "2")
        await device.publish("found/retained", "3", qos=0, retain=True)
    assert (await visit("home", usual, first_message)).payload == b"3"
    back = Broker("home", usual, "", listeners=1)
    connected = asyncio.create_task(back.run())
    assert (await first_message(back)).payload == b"2"
    connected.cancel()
    await asyncio.wait({connected})


async def test_a_broker_that_is_not_there_ends_the_visit_with_the_reason() -> None:
    port = free_port()
    with pytest.raises(ConnectionError, match=str(port)):
        await visit("home", BrokerConfig(host=HOST, port=port), first_message)


async def test_what_the_visitor_fails_with_is_raised(server: Mosquitto) -> None:
    async def fail(_broker: Broker) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await visit("home", options(server), fail)
