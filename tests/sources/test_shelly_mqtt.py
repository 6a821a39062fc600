"""Shellys through a real broker."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from casawatt.config_sections import BrokerConfig
from casawatt.sources import shelly
from casawatt.sources.shelly_hosts import Claims
from casawatt.sources.shelly_mqtt import DEVICES_MAX, Listener
from casawatt.transports.mqtt import Broker, Message
from tests.fakes.clock import START_MS
from tests.fakes.inbox import RecordingInbox
from tests.mosquitto import HOST, Mosquitto, mosquitto, peer
from tests.virtual_plugs.shelly_circuits import Circuit
from tests.virtual_plugs.shelly_mqtt import Gen2OverMqtt
from tests.virtual_plugs.shelly_time import VirtualTime, play

PLUG = "shellyplugsg3-e4b063d8a1b4"
TOPICS = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path, tls=True) as server:
        yield server


@pytest.fixture
def inbox() -> RecordingInbox:
    return RecordingInbox()


@pytest.fixture
def time(inbox: RecordingInbox) -> VirtualTime:
    return VirtualTime(inbox.clock)


@asynccontextmanager
async def listening(
    server: Mosquitto, inbox: RecordingInbox, time: VirtualTime, **options: object
) -> AsyncIterator[None]:
    """Run the source on a broker while entered."""
    connection = BrokerConfig(host=HOST, port=server.port, tls=True, ca_file=str(server.ca_file))
    broker = Broker("home", connection, "casawatt-test", listeners=1)
    config = shelly.Config(discover=False, broker="home", **options)  # type: ignore[arg-type] # see there
    tasks = [
        asyncio.create_task(broker.run()),
        asyncio.create_task(shelly.run(config, inbox, broker, wait=time.wait)),
    ]
    subscribed = sum("Sending SUBACK to casawatt-test" in line for line in server.said)
    try:
        await server.until_said("Sending SUBACK to casawatt-test", subscribed + TOPICS)
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def changing() -> Circuit:
    """Return a load that changes every half minute, off the full minutes."""
    circuit = Circuit(lambda now_ms: 60.0 * ((now_ms - START_MS + 20_000) // 30_000 % 4))
    circuit.tick(START_MS)
    return circuit


async def test_notifications_tell_all_changes_with_their_own_stamps(
    server: Mosquitto, inbox: RecordingInbox, time: VirtualTime
) -> None:
    async with peer(server) as connection, listening(server, inbox, time, refresh_s=3600):
        plug = Gen2OverMqtt(inbox.clock, changing(), connection)
        await plug.connect()
        await play(time, [plug], START_MS + 120_000)
        await inbox.until(lambda inbox: len(inbox.readings) >= 8)
    last = inbox.readings[-1]
    assert (last.address, last.time_ms) == (f"{PLUG}/switch:0", START_MS + 120_000)
    assert last.register_wh == pytest.approx(plug.components.used.total_wh, abs=0.001)  # type: ignore[attr-defined] # it is a Circuit
    assert all(reading.boot_id == START_MS // 60_000 for reading in inbox.readings)
    assert not inbox.refused


async def test_what_was_sent_while_casawatt_was_down_finds_its_place(
    server: Mosquitto, inbox: RecordingInbox, time: VirtualTime
) -> None:
    async with peer(server) as connection:
        plug = Gen2OverMqtt(inbox.clock, changing(), connection)
        async with listening(server, inbox, time, refresh_s=3600):
            await plug.connect()
            await inbox.until(lambda inbox: len(inbox.readings) == 1)
        await play(time, [plug], START_MS + 600_000)
        inbox.clock.advance(3_600_000)
        async with listening(server, inbox, time, refresh_s=3600):
            await inbox.until(lambda inbox: inbox.readings[-1].time_ms == START_MS + 600_000)
    told = [reading for reading in inbox.readings if reading.received_ms == START_MS + 4_200_000]
    ticks = [reading.time_ms for reading in told if reading.register_wh is not None]
    assert ticks == [START_MS + 1000, *range(START_MS + 60_000, START_MS + 600_001, 60_000)]
    assert not inbox.refused


async def test_a_device_is_asked_for_its_status_and_its_will_is_its_presence(
    server: Mosquitto, inbox: RecordingInbox, time: VirtualTime
) -> None:
    async with peer(server) as connection, listening(server, inbox, time, refresh_s=30):
        plug = Gen2OverMqtt(inbox.clock, Circuit(lambda _: 60.0), connection)
        await plug.connect()
        await inbox.until(lambda inbox: len(inbox.readings) == 1)
        await time.until(lambda: time.sleeping == 1)
        plug.tick(START_MS + 1000)
        await time.advance(START_MS + 30_000)
        await plug.answer()
        await inbox.until(lambda inbox: len(inbox.readings) == 2)
        assert plug.faults == []
        assert (inbox.readings[1].power_w, inbox.readings[1].time_ms) == (60.0, START_MS + 30_000)
        await connection.publish(f"{PLUG}/online", "false", retain=True)
        await inbox.until(lambda inbox: inbox.online == {f"{PLUG}/switch:0": False})
        await connection.publish("somebody-else/online", "false", retain=True)
        await connection.publish(f"{PLUG}/online", "true", retain=True)
        await inbox.until(lambda inbox: inbox.online == {f"{PLUG}/switch:0": True})


async def test_a_device_set_to_send_whole_status_only_is_heard_too(
    server: Mosquitto, inbox: RecordingInbox, time: VirtualTime
) -> None:
    options = {"prefixes": ["home/+"], "refresh_s": 3600}
    async with peer(server) as connection, listening(server, inbox, time, **options):
        plug = Gen2OverMqtt(inbox.clock, changing(), connection, prefix="home/kettle", rpc_ntf=False)
        await play(time, [plug], START_MS + 60_000)
        await inbox.until(lambda inbox: len(inbox.readings) >= 4)
        await connection.publish("home/kettle/status/sys", '{"uptime": 5}')
        await connection.publish("home/kettle/status/switch:0", "{}")
        await connection.publish("home/kettle/status/switch:0", "Offline")
        await inbox.until(lambda inbox: bool(inbox.refused))
    assert {reading.address for reading in inbox.readings} == {"home/kettle/switch:0"}
    assert [reading.register_wh is not None for reading in inbox.readings] == [True] * len(inbox.readings)
    assert inbox.refused == {("home/kettle/status/switch:0", "format"): 1}


def taken_by(inbox: RecordingInbox, claims: Claims, *messages: Message) -> None:
    listener = Listener(Broker("home", BrokerConfig(host=HOST), "casawatt-test"), inbox, claims, ["+"])
    for message in messages:
        listener.take(message)


def event(params: dict[str, object], src: object = PLUG) -> Message:
    frame = {"src": src, "method": "NotifyStatus", "params": {"ts": START_MS / 1000, **params}}
    return Message(f"{PLUG}/events/rpc", json.dumps(frame).encode(), retained=False)


STATUS = Message(f"{PLUG}/status/switch:0", b'{"id": 0, "apower": 7.0}', retained=False)
EVENT = event({"switch:0": {"apower": 5.0}})


def test_whole_status_adds_nothing_to_notifications_and_what_was_retained_is_of_unknown_age(
    inbox: RecordingInbox,
) -> None:
    taken_by(inbox, Claims(), STATUS._replace(retained=True), EVENT._replace(retained=True), EVENT, STATUS)
    assert [reading.power_w for reading in inbox.readings] == [5.0]


def test_a_device_that_is_read_at_its_address_is_left_alone_here(inbox: RecordingInbox) -> None:
    claims = Claims()
    with claims.hold(PLUG):
        taken_by(inbox, claims, EVENT, STATUS)
    assert inbox.readings == []


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (EVENT._replace(payload=b'{"src": "shel'), "format"),
        (EVENT._replace(payload=b"\xff\xfe"), "format"),
        (event({}, src=None), "format"),
        (event({"switch:0": {"apower": "much"}}), "number"),
        (STATUS._replace(payload=b"[]"), "format"),
        (Message("casawatt-shelly/rpc", b"no", retained=False), "format"),
        (EVENT._replace(payload=b" " * 1_000_000 + EVENT.payload), "length"),
    ],
)
def test_messages_that_make_no_sense_are_refused(inbox: RecordingInbox, message: Message, cause: str) -> None:
    taken_by(inbox, Claims(), message, EVENT)
    assert inbox.causes() == {cause: 1}
    assert len(inbox.readings) == 1


@pytest.mark.parametrize("made_up", ["id", "prefix", "component"])
def test_a_flood_of_what_is_made_up_is_refused_and_those_that_were_there_are_heard(
    inbox: RecordingInbox, made_up: str
) -> None:
    listener = Listener(Broker("home", BrokerConfig(host=HOST), "casawatt-test"), inbox, Claims(), ["+"])
    listener.take(EVENT)
    for number in range(2 * DEVICES_MAX):
        forged = event({"switch:0": {"apower": 5.0}})
        if made_up == "id":
            forged = event({"switch:0": {"apower": 5.0}}, src=f"shelly-{number}")
        elif made_up == "component":
            forged = event({f"switch:{number}": {"apower": 5.0}})
        listener.take(forged._replace(topic=f"{number}/events/rpc") if made_up == "prefix" else forged)
    assert inbox.causes()["flood"] >= DEVICES_MAX
    assert len({reading.address for reading in inbox.readings}) <= DEVICES_MAX
    heard = len(inbox.readings)
    listener.take(EVENT)
    assert len(inbox.readings) == heard + 1


def test_an_answer_that_is_none_is_refused(inbox: RecordingInbox) -> None:
    answer = {"id": 1, "src": PLUG, "error": {"code": 404, "message": "No handler"}}
    message = Message("casawatt-shelly/rpc", json.dumps(answer).encode(), retained=False)
    taken_by(inbox, Claims(), message, EVENT, message)
    assert inbox.causes() == {"answer": 1}
