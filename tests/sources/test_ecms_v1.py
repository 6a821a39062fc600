"""Packet version 1 through a real socket: every fault is counted, and none harms another station."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.model.errors import PacketError
from casawatt.model.meter import Cadence
from casawatt.sources.ecms_udp import Config, listening, run
from casawatt.sources.ecms_wire import may_have_wrapped, parse_v1
from tests.fakes.clock import START_MS
from tests.fakes.inbox import RecordingInbox

START_S = START_MS // 1000
FRIDGE = "5c:cf:7f:01:02:03"


def packet(unix_s: int = START_S, code: int = 2, steps: int = 50, mac: str = FRIDGE) -> bytes:
    return bytes.fromhex(mac.replace(":", "")) + unix_s.to_bytes(4, "big") + bytes([code, steps])


class Wire:
    """A source that listens on loopback, and a node's socket that sends to it."""

    def __init__(self, inbox: RecordingInbox, address: tuple[str, int]) -> None:
        self.inbox = inbox
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(address)

    async def send(self, *packets: bytes) -> None:
        """Send all and wait until each was taken or refused (a packet that is both counts as one taken)."""
        inbox = self.inbox
        sentinel = packet(mac="5c:cf:7f:ff:ff:ff")
        for data in (*packets, sentinel):
            self.socket.send(data)
        await inbox.until(lambda i: any(r.address == "5c:cf:7f:ff:ff:ff" for r in i.heard))
        inbox.heard[:] = [r for r in inbox.heard if r.address != "5c:cf:7f:ff:ff:ff"]
        inbox.readings[:] = [r for r in inbox.readings if r.address != "5c:cf:7f:ff:ff:ff"]


@asynccontextmanager
async def wire(**options: object) -> AsyncIterator[Wire]:
    inbox = RecordingInbox()
    config = Config(host="127.0.0.1", port=0, announce=False, **options)  # type: ignore[arg-type]
    async with listening(config, inbox) as endpoint:
        connected = Wire(inbox, endpoint.address)
        with connected.socket:
            yield connected


@pytest.mark.asyncio
async def test_a_packet_made_by_hand_is_a_reading() -> None:
    async with wire() as w:
        await w.send(bytes.fromhex("5ccf7f010203") + bytes.fromhex("6955b900") + b"\x02\x32")
        (reading,) = w.inbox.readings
        assert reading.address == FRIDGE
        assert reading.source == "ecms_udp"
        assert reading.time_ms == START_MS
        assert reading.received_ms == START_MS
        assert reading.current_a == 1.0
        assert (reading.power_w, reading.voltage_v, reading.charge_as, reading.boot_id) == (None, None, None, None)
        assert w.inbox.hints[0] == "fridge"
        assert not w.inbox.refused


@pytest.mark.asyncio
@pytest.mark.parametrize("unix_s", [0, 12, START_S + 365 * 86_400, START_S - 121, START_S + 121])
async def test_a_clock_that_is_wrong_is_counted_and_the_arrival_taken(unix_s: int) -> None:
    async with wire() as w:
        await w.send(packet(unix_s=unix_s))
        assert w.inbox.readings[0].time_ms is None
        assert w.inbox.readings[0].received_ms == START_MS
        assert w.inbox.refused == {(FRIDGE, "clock"): 1}


@pytest.mark.asyncio
@pytest.mark.parametrize("unix_s", [START_S - 120, START_S + 120])
async def test_a_clock_that_is_nearly_right_is_believed(unix_s: int) -> None:
    async with wire() as w:
        await w.send(packet(unix_s=unix_s))
        assert w.inbox.readings[0].time_ms == unix_s * 1000
        assert not w.inbox.refused


@pytest.mark.asyncio
async def test_an_unknown_appliance_is_counted_and_its_reading_taken_without_a_hint() -> None:
    async with wire() as w:
        await w.send(packet(code=0), packet(code=8))
        assert [r.current_a for r in w.inbox.readings] == [1.0, 1.0]
        assert w.inbox.hints[:2] == [None, None]
        assert w.inbox.refused == {(FRIDGE, "appliance"): 2}


@pytest.mark.asyncio
@pytest.mark.parametrize("length", [0, 1, 11, 13, 1200, 2048, 9000])
async def test_a_wrong_length_is_refused_and_the_next_packet_is_read(length: int) -> None:
    async with wire() as w:
        await w.send(bytes(length), packet())
        assert len(w.inbox.readings) == 1
        assert w.inbox.refused == {("127.0.0.1", "length"): 1}


@pytest.mark.asyncio
async def test_a_flood_is_cut_to_what_one_sender_may_send() -> None:
    async with wire(max_packets_per_s=0.001) as w:
        for data in (packet(), packet(), packet(), packet()):
            w.socket.send(data)
        await w.inbox.until(lambda i: i.causes()["flood"] == 3)
        assert len(w.inbox.readings) == 1


@pytest.mark.asyncio
async def test_a_station_with_a_key_is_never_believed_in_version_1(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'"{FRIDGE}" = "{"00" * 32}"\n')
    keys.chmod(0o600)
    async with wire(keys_file=str(keys)) as w:
        await w.send(packet(), packet(mac="5c:cf:7f:01:02:04"))
        assert [r.address for r in w.inbox.readings] == ["5c:cf:7f:01:02:04"]
        assert w.inbox.refused == {("127.0.0.1", "downgrade"): 1}


@pytest.mark.asyncio
async def test_version_1_can_be_refused_altogether() -> None:
    inbox = RecordingInbox()
    config = Config(host="127.0.0.1", port=0, announce=False, require_v2=True)
    async with listening(config, inbox) as endpoint:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
            node.sendto(packet(), endpoint.address)
            await inbox.until(lambda i: i.causes()["version"] == 1)
    assert not inbox.heard


@pytest.mark.asyncio
async def test_a_current_that_seems_to_start_again_from_zero_is_counted_but_not_changed() -> None:
    async with wire() as w:
        await w.send(packet(steps=250), packet(START_S + 10, steps=9), packet(START_S + 20, steps=9))
        assert [r.current_a for r in w.inbox.readings] == [5.0, 0.18, 0.18]
        assert w.inbox.refused == {(FRIDGE, "wrap"): 1}


def test_switching_off_does_not_look_like_a_wrap() -> None:
    assert may_have_wrapped(250, 9)
    assert not may_have_wrapped(250, 0)
    assert not may_have_wrapped(250, 100)
    assert not may_have_wrapped(100, 9)
    assert not may_have_wrapped(9, 250)


@pytest.mark.asyncio
async def test_what_the_inbox_fails_with_comes_out_of_run() -> None:
    inbox = RecordingInbox()

    def fail(_: object) -> bool:
        raise ZeroDivisionError

    inbox.nonsense = fail
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    running = asyncio.create_task(run(Config(host="127.0.0.1", port=port, announce=False), inbox))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
        await asyncio.sleep(0)
        node.sendto(packet(), ("127.0.0.1", port))
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(running, 10)


def test_the_traits_are_those_of_an_evenly_polled_device() -> None:
    traits = Config(gap_limit_s=90).traits
    assert traits.cadence is Cadence.POLLED
    assert (traits.gap_limit_ms, traits.time_grid_ms, traits.clock_tolerance_ms) == (90_000, 1000, None)


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_a_packet_error(data: bytes) -> None:
    try:
        parsed = parse_v1(data)
    except PacketError as error:
        assert error.cause == "length"  # noqa: PT017 - any bytes may or may not be a packet
    else:
        assert data == packet(parsed.unix_s, parsed.appliance_code, parsed.current_steps, parsed.mac.hex(":"))
