"""ECMS nodes by MQTT: what a message means, and its way through a real broker."""

import asyncio
from pathlib import Path

import pytest

from casawatt.model.errors import PacketError
from casawatt.sources.ecms_mqtt import SOURCE, Config, parse, run, taker
from casawatt.transports.mqtt import Broker, Message
from tests.fakes.clock import START_MS
from tests.fakes.inbox import RecordingInbox
from tests.mosquitto import mosquitto, peer
from tests.transports.taker import CLIENT, SUBSCRIBED, options, running

CAPTURE = Path(__file__).parents[1] / "captures" / "ecms_mqtt" / "v1-made-by-hand.jsonl"
LINES = CAPTURE.read_text(encoding="utf-8").splitlines()
RECEIVED_MS = 1_716_200_011_500


def test_a_message_gives_its_node_its_time_and_its_current() -> None:
    reading, code = parse(LINES[0].encode(), RECEIVED_MS)
    assert (reading.source, reading.address, reading.received_ms) == (SOURCE, "5c:cf:7f:01:02:03", RECEIVED_MS)
    assert (reading.time_ms, reading.current_a, code) == (1_716_200_000_000, 1.24, 1)
    assert (reading.power_w, reading.voltage_v, reading.register_wh) == (None, None, None)


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (b"", "format"),
        (b"12", "format"),
        (b"\xff\xfe", "format"),
        (b'{"macAddress": "5c:cf:7f:01:02:03", "timestamp": 1716200000, "device": 1', "format"),
        (b'{"macAddress": "5c:cf:7f:01:02:03", "timestamp": 1716200000, "device": 1}', "format"),
        (b'{"macAddress": "5c:cf:7f:01:02:03", "timestamp": "now", "device": 1, "data": 1}', "format"),
        (b'{"macAddress": "5c:cf:7f:01:02:03", "timestamp": 1716200000, "device": 1, "data": NaN}', "format"),
        (b'{"macAddress": "fridge", "timestamp": 1716200000, "device": 1, "data": 1}', "address"),
    ],
)
def test_what_cannot_be_understood_says_why(payload: bytes, cause: str) -> None:
    with pytest.raises(PacketError) as raised:
        parse(payload, RECEIVED_MS)
    assert raised.value.cause == cause


def test_the_capture_gives_its_readings_with_what_the_nodes_are_attached_to() -> None:
    inbox = RecordingInbox()
    take = taker(inbox)
    for line in LINES:
        take(Message("energy_consumption", line.encode(), retained=False))
    assert [(r.address[-2:], r.time_ms, r.current_a) for r in inbox.readings] == [
        ("03", 1_716_200_000_000, 1.24),
        ("04", 1_716_200_003_000, 0.66),
        ("05", None, 0.0),
        ("03", 1_716_200_010_000, 9.06),
    ]
    assert inbox.hints == ["washing_machine", "fridge", "oven", "washing_machine"]
    assert inbox.refused == {("5c:cf:7f:01:02:05", "clock"): 1}


def test_an_unknown_appliance_is_counted_and_the_reading_taken() -> None:
    inbox = RecordingInbox()
    taker(inbox)(Message("t", LINES[0].replace('"device": 1', '"device": 9').encode(), retained=False))
    assert inbox.refused == {("5c:cf:7f:01:02:03", "appliance"): 1}
    assert inbox.hints == [None]


def test_a_retained_message_counts_only_where_it_says_when_it_was() -> None:
    inbox = RecordingInbox()
    for line in (LINES[0], LINES[2]):
        taker(inbox)(Message("t", line.encode(), retained=True))
    assert [reading.current_a for reading in inbox.readings] == [1.24]


def test_what_waited_at_the_broker_keeps_its_time() -> None:
    assert Config().traits.clock_tolerance_ms is None


async def test_nodes_are_heard_through_a_broker_with_encryption_and_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASAWATT_BROKER_HOME_PASSWORD", "hunter2")
    inbox = RecordingInbox()
    users = {"casawatt": "hunter2", "node": "hunter3"}
    with mosquitto(tmp_path, tls=True, users=users) as server:
        broker = Broker("home", options(server, user="casawatt"), CLIENT, listeners=1)
        source = asyncio.create_task(run(Config(), inbox, broker))
        async with running(broker), peer(server, user="node", password="hunter3") as node:
            await server.until_said(SUBSCRIBED)
            for line in [*LINES, "{}"]:
                await node.publish("energy_consumption", line, qos=0)
            await inbox.until(lambda box: ("energy_consumption", "format") in box.refused)
        assert len(inbox.readings) == len(LINES)
        assert inbox.readings[2].received_ms == START_MS
        source.cancel()
        await asyncio.wait({source})
