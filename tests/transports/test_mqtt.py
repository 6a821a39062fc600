"""The broker as sources and sinks see it, against a real Mosquitto: what comes, is acknowledged, and comes again."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from casawatt.transports import mqtt
from casawatt.transports.mqtt import Broker, Message
from tests.mosquitto import Mosquitto, Peer, mosquitto, peer
from tests.transports.taker import CLIENT, SUBSCRIBED, Taker, options, running, until_connected

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as server:
        yield server


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def send(device: Peer, topic: str, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await device.publish(topic, str(number))


def texts(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


async def test_a_message_reaches_who_listens(server: Mosquitto, protocol: str) -> None:
    taker = Taker()
    broker = Broker("home", options(server, protocol=protocol), CLIENT, listeners=1)
    async with running(broker), broker.listening(["a/+"], taker.take, taker.kept), peer(server) as device:
        await server.until_said(SUBSCRIBED)
        await device.publish("a/b", "1")
        assert await taker.until(1) == ["1"]
        assert taker.got == [Message("a/b", b"1", retained=False)]


async def test_all_who_listen_share_one_connection_and_each_gets_a_message_once(
    server: Mosquitto, protocol: str
) -> None:
    narrow, wide, other = Taker(), Taker(), Taker()
    broker = Broker("home", options(server, protocol=protocol), CLIENT, listeners=3)
    async with (
        running(broker),
        broker.listening(["tele/+/SENSOR"], narrow.take, narrow.kept),
        broker.listening(["tele/#"], wide.take, wide.kept),
        broker.listening(["other"], other.take, other.kept),
        peer(server) as device,
    ):
        await server.until_said(SUBSCRIBED, 3)
        await device.publish("tele/plug/SENSOR", "1")
        await device.publish("tele/plug/LWT", "2")
        await device.publish("other", "3")
        assert await other.until(1) == ["3"]
        assert await wide.until(2) == ["1", "2"]
        assert narrow.payloads == ["1"]
    assert sum(f"as {CLIENT}" in line for line in server.said) == 1


async def test_what_is_sent_while_we_are_away_arrives_after(server: Mosquitto, protocol: str) -> None:
    taker = Taker()
    broker = Broker("home", options(server, protocol=protocol), CLIENT, listeners=1)
    async with broker.listening(["a"], taker.take, taker.kept), peer(server) as device:
        async with running(broker):
            await server.until_said(SUBSCRIBED)
        await send(device, "a", 1, 50)
        async with running(broker):
            assert await taker.until(50) == texts(1, 50)


async def test_what_waits_at_a_broker_that_is_started_again_arrives_too(server: Mosquitto) -> None:
    taker = Taker()
    broker = Broker("home", options(server), CLIENT, listeners=1)
    async with broker.listening(["a"], taker.take, taker.kept):
        async with running(broker):
            await server.until_said(SUBSCRIBED)
        async with peer(server) as device:
            await send(device, "a", 1, 5)
        server.stop()
        server.start()
        async with running(broker):
            assert await taker.until(5) == texts(1, 5)


async def test_a_message_is_acknowledged_only_when_it_is_kept(
    server: Mosquitto, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "PARTING_S", 0.01)
    taker = Taker()
    broker = Broker("home", options(server, protocol=protocol), CLIENT, listeners=1)
    async with broker.listening(["a"], taker.take, taker.kept), peer(server) as device:
        taker.safe.clear()
        async with running(broker):
            await server.until_said(SUBSCRIBED)
            await send(device, "a", 1, 3)
            await taker.until(3)
        async with running(broker):
            assert await taker.until(6) == texts(1, 3) + texts(1, 3)
            taker.safe.set()
            await server.until_said(f"Received PUBACK from {CLIENT}", 3)
        async with running(broker):
            await device.publish("a", "4")
            assert (await taker.until(7))[6:] == ["4"]


async def test_what_could_not_be_kept_fails_its_taker_and_comes_again(server: Mosquitto) -> None:
    taker, again = Taker(), Taker()

    async def kept() -> None:
        raise OSError("the disk is gone")

    broker = Broker("home", options(server), CLIENT, listeners=1)
    async with peer(server) as device:
        async with running(broker), broker.listening(["a"], taker.take, kept) as listening:
            await server.until_said(SUBSCRIBED)
            await device.publish("a", "1")
            with pytest.raises(OSError, match="the disk is gone"):
                await listening.failed()
        async with running(broker), broker.listening(["a"], again.take, again.kept):
            assert await again.until(1) == ["1"]
            await server.until_said(f"Received PUBACK from {CLIENT}", 1)


async def test_what_a_killed_process_had_taken_but_not_kept_comes_again(server: Mosquitto) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.transports.taking_child",
        str(server.port),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )
    assert child.stdout is not None
    async with peer(server) as device:
        await server.until_said(SUBSCRIBED)
        await send(device, "a", 1, 3)
        taken = [(await child.stdout.readline()).decode().strip() for _ in range(3)]
        child.kill()
        await child.wait()
        assert taken == texts(1, 3)
        taker = Taker()
        broker = Broker("home", options(server), CLIENT, listeners=1)
        async with running(broker), broker.listening(["a"], taker.take, taker.kept):
            assert await taker.until(3) == texts(1, 3)


async def test_by_mqtt_5_a_broker_sends_far_ahead_of_our_acknowledgements(server: Mosquitto) -> None:
    taker = Taker()
    taker.safe.clear()
    broker = Broker("home", options(server), CLIENT, listeners=1)
    async with broker.listening(["a"], taker.take, taker.kept), peer(server) as device, running(broker):
        await server.until_said(SUBSCRIBED)
        await send(device, "a", 1, 100)
        assert await taker.until(100) == texts(1, 100)
        taker.safe.set()


async def test_after_a_broker_has_forgotten_us_we_subscribe_again(tmp_path: Path) -> None:
    with mosquitto(tmp_path, persistent=False) as server:
        taker = Taker()
        broker = Broker("home", options(server), CLIENT, listeners=1)
        async with broker.listening(["a"], taker.take, taker.kept):
            async with running(broker) as connection:
                await server.until_said(SUBSCRIBED)
                server.kill()
                with pytest.raises(ConnectionError, match=f"{server.port}: the connection was lost"):
                    await connection
            server.start()
            async with running(broker), peer(server) as device:
                await server.until_said(SUBSCRIBED, 2)
                await device.publish("a", "1")
                assert await taker.until(1) == ["1"]


async def test_what_is_retained_says_so_and_comes_again_to_who_listens_anew(server: Mosquitto) -> None:
    broker = Broker("home", options(server), CLIENT, listeners=1)
    async with peer(server) as device, AsyncExitStack() as connection:
        await device.publish("plug/LWT", "Online", retain=True)
        for count in range(2):
            taker = Taker()
            async with broker.listening(["plug/+"], taker.take, taker.kept):
                if not count:
                    await connection.enter_async_context(running(broker))
                await taker.until(1)
                await device.publish("plug/LWT", "Online", retain=True)
                await taker.until(2)
                assert [message.retained for message in taker.got] == [True, False]


async def test_a_message_that_cannot_be_taken_fails_its_taker_alone_and_does_not_come_again(server: Mosquitto) -> None:
    well, ill, again = Taker(), Taker(), Taker()
    ill.poison = b"2"
    broker = Broker("home", options(server), CLIENT, listeners=2)
    async with running(broker), broker.listening(["a/#"], well.take, well.kept), peer(server) as device:
        async with broker.listening(["a/b"], ill.take, ill.kept) as listening:
            await server.until_said(SUBSCRIBED, 2)
            await send(device, "a/b", 1, 3)
            with pytest.raises(ValueError, match="poison"):
                await listening.failed()
            await well.until(3)
        await send(device, "a/b", 4, 5)
        await well.until(5)
        async with broker.listening(["a/b"], again.take, again.kept):
            await send(device, "a/b", 6, 6)
            assert await again.until(4) == texts(3, 6)
            assert await well.until(6) == texts(1, 6)
    assert ill.payloads == ["1"]


async def test_what_comes_while_a_source_is_started_again_waits_for_it(server: Mosquitto, protocol: str) -> None:
    first, again = Taker(), Taker()
    broker = Broker("home", options(server, protocol=protocol), CLIENT, listeners=1)
    async with running(broker), peer(server) as device:
        async with broker.listening(["a"], first.take, first.kept):
            await server.until_said(SUBSCRIBED)
        await send(device, "a", 1, 5)
        await device.publish("a", "6", qos=0)
        await server.until_said(f"Sending PUBLISH to {CLIENT}", 6)
        async with broker.listening(["a"], again.take, again.kept):
            assert await again.until(6) == texts(1, 6)
            await server.until_said(f"Received PUBACK from {CLIENT}", 5)


async def test_what_waits_unacknowledged_comes_again_after_a_lost_connection(server: Mosquitto) -> None:
    first, again = Taker(), Taker()
    broker = Broker("home", options(server), CLIENT, listeners=1)
    async with peer(server) as device:
        async with running(broker):
            async with broker.listening(["a"], first.take, first.kept):
                await server.until_said(SUBSCRIBED)
            await send(device, "a", 1, 3)
            await server.until_said(f"Sending PUBLISH to {CLIENT}", 3)
        async with running(broker), broker.listening(["a"], again.take, again.kept):
            await device.publish("a", "4")
            assert await again.until(4) == texts(1, 4)


async def test_of_what_nobody_listens_to_only_so_much_waits(server: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "HELD_MAX", 2)
    first, again = Taker(), Taker()
    broker = Broker("home", options(server), CLIENT, listeners=1)
    async with running(broker), peer(server) as device:
        async with broker.listening(["a"], first.take, first.kept):
            await server.until_said(SUBSCRIBED)
        await send(device, "a", 1, 5)
        await server.until_said(f"Received PUBACK from {CLIENT}", 3)
        async with broker.listening(["a"], again.take, again.kept):
            assert await again.until(2) == texts(4, 5)


async def test_the_first_connection_waits_for_all_who_will_listen(server: Mosquitto) -> None:
    taker, late = Taker(), Taker()
    broker = Broker("home", options(server), CLIENT, listeners=1)
    async with peer(server) as device:
        async with running(broker), broker.listening(["a", "b"], taker.take, taker.kept):
            await server.until_said(SUBSCRIBED, 2)
        await device.publish("a", "1")
        await device.publish("b", "2")
        broker = Broker("home", options(server), CLIENT, listeners=2)
        async with running(broker), broker.listening(["a"], taker.take, taker.kept):
            await device.publish("a", "3")
            assert sum(f"as {CLIENT}" in line for line in server.said) == 1
            async with broker.listening(["b"], late.take, late.kept):
                assert await late.until(1) == ["2"]
                assert await taker.until(2) == ["1", "3"]


async def test_a_published_message_of_qos_1_is_with_the_broker_when_publish_returns(server: Mosquitto) -> None:
    broker = Broker("home", options(server), CLIENT)
    with pytest.raises(ConnectionError, match=r"not connected to \[broker.home\]"):
        await broker.publish("a", "1", qos=1)
    async with running(broker), peer(server) as listener:
        await listener.subscribe("a")
        await until_connected(broker)
        await broker.publish("a", "1", qos=1)
        assert f"Received PUBLISH from {CLIENT}" in "".join(server.said)
        await broker.publish("a", b"2", retain=True)
        assert [message.payload for message in await listener.until(2)] == [b"1", b"2"]
    async with peer(server) as newcomer:
        await newcomer.subscribe("a")
        (kept,) = await newcomer.until(1)
        assert (kept.payload, kept.retain) == (b"2", True)


async def test_many_messages_of_qos_1_are_published_side_by_side(server: Mosquitto) -> None:
    broker = Broker("home", options(server), CLIENT)
    async with running(broker), peer(server) as listener:
        await listener.subscribe("a")
        await until_connected(broker)
        await asyncio.gather(*(broker.publish("a", str(number), qos=1) for number in range(200)))
        assert len(await listener.until(200)) == 200


async def test_a_message_that_cannot_be_known_to_have_arrived_is_an_error(server: Mosquitto) -> None:
    broker = Broker("home", options(server), CLIENT)
    async with running(broker):
        await until_connected(broker)
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        publishing = asyncio.create_task(broker.publish("a", "1", qos=1))
        await asyncio.sleep(0)
        server.kill()
        with pytest.raises(ConnectionError, match="the connection was lost"):
            await publishing
