"""Virtual nodes and the real source, joined by real sockets on loopback."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from casawatt.model.errors import ConfigError
from casawatt.sources import ecms_udp
from casawatt.sources.ecms_udp import Config, announced, listening, run
from casawatt.transports.udp import Address
from casawatt.virtual.ecms_encode import Measured
from casawatt.virtual.ecms_node import Node, NodeV1, NodeV2
from casawatt.virtual.ecms_radio import Radio, run_nodes
from tests.fakes.clock import START_MS, ManualClock
from tests.fakes.inbox import TIMEOUT_S, RecordingInbox

KEY = bytes(range(32))
FRIDGE, KETTLE = bytes.fromhex("5ccf7f010203"), bytes.fromhex("5ccf7f010204")


def two_amperes(_: int) -> Measured:
    return Measured(2.0)


class Watched(NodeV2):
    """A version 2 node whose held samples a test can wait for."""

    changed: asyncio.Event

    def hear(self, data: bytes, now_ms: int) -> list[bytes]:
        answer = super().hear(data, now_ms)
        self.changed.set()
        return answer

    async def until(self, condition: Callable[["Watched"], bool]) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def keys_file(tmp_path: Path) -> str:
    file = tmp_path / "keys.toml"
    file.write_text(f'"{FRIDGE.hex(":")}" = "{KEY.hex()}"\n')
    file.chmod(0o600)
    return str(file)


@asynccontextmanager
async def source(inbox: RecordingInbox, keys_file: str | None = None) -> AsyncIterator[Address]:
    config = Config(host="127.0.0.1", port=0, announce=False, keys_file=keys_file)
    async with listening(config, inbox) as endpoint:
        yield endpoint.address


@pytest.mark.asyncio
async def test_a_version_1_node_is_heard() -> None:
    inbox = RecordingInbox()
    node = NodeV1(KETTLE, two_amperes, START_MS, appliance_code=6)
    async with source(inbox) as target:
        with Radio(node, target, inbox.clock) as radio:
            radio.tick()
            inbox.clock.advance(9_999)
            radio.tick()
            inbox.clock.advance(1)
            radio.tick()
            await inbox.until(lambda i: len(i.readings) == 2)
    assert [r.time_ms for r in inbox.readings] == [START_MS, START_MS + 10_000]
    assert [r.current_a for r in inbox.readings] == [2.0, 2.0]
    assert inbox.hints == ["oven", "oven"]


@pytest.mark.asyncio
async def test_a_version_1_node_without_the_time_stamps_1970_also_after_a_reboot() -> None:
    inbox = RecordingInbox()
    node = NodeV1(KETTLE, two_amperes, START_MS - 5000, knows_time=False)
    async with source(inbox) as target:
        with Radio(node, target, inbox.clock) as radio:
            radio.tick()
            node.reboot(inbox.clock.now_ms())
            inbox.clock.advance(10_000)
            radio.tick()
            await inbox.until(lambda i: len(i.readings) == 2)
    assert [r.time_ms for r in inbox.readings] == [None, None]
    assert inbox.causes() == {"clock": 2}


@pytest.mark.asyncio
async def test_a_version_2_node_keeps_its_samples_until_the_collector_says_they_are_safe(keys_file: str) -> None:
    inbox = RecordingInbox()
    node = Watched(FRIDGE, KEY, two_amperes, START_MS)
    node.changed = asyncio.Event()
    async with source(inbox, keys_file) as target:
        with Radio(node, target, inbox.clock) as radio:
            for second in range(1, 6):
                inbox.clock.advance(1000)
                radio.tick()
                await inbox.until(lambda i, n=second: len(i.readings) == n)  # type: ignore[misc]
                heard = radio.sent
                await node.until(lambda _, n=heard: radio.heard == n)  # type: ignore[misc]
            assert node.held == 5
            inbox.make_safe()
            await node.until(lambda n: n.held == 0)
    assert [r.charge_as for r in inbox.readings] == [2.0, 4.0, 6.0, 8.0, 10.0]
    assert not inbox.refused


@pytest.mark.asyncio
async def test_a_forged_report_harms_no_other_station(keys_file: str) -> None:
    inbox = RecordingInbox()
    forger = NodeV2(FRIDGE, bytes(32), two_amperes, START_MS)
    kettle = NodeV1(KETTLE, two_amperes, START_MS)
    inbox.clock.advance(10_000)
    async with source(inbox, keys_file) as target:
        with Radio(forger, target, inbox.clock) as one, Radio(kettle, target, inbox.clock) as other:
            one.tick()
            other.tick()
            await inbox.until(lambda i: i.causes()["signature"] == 1 and len(i.readings) == 1)
    assert inbox.readings[0].address == KETTLE.hex(":")


@pytest.mark.asyncio
async def test_a_lossy_link_loses_the_share_it_was_told_and_the_same_one_again() -> None:
    inbox = RecordingInbox()
    async with source(inbox) as target:
        counts = []
        for _ in range(2):
            clock = ManualClock()
            node = NodeV1(KETTLE, two_amperes, START_MS)
            with Radio(node, target, clock, loss_ratio=0.3, seed=4) as radio:
                for _ in range(100):
                    radio.tick()
                    clock.advance(10_000)
                counts.append(radio.sent)
    assert counts[0] == counts[1]
    assert 55 <= counts[0] <= 85


class HastyClock(ManualClock):
    """Every look at it moves it on by a minute, so that whoever waits for a time never has to."""

    def now_ms(self) -> int:
        return self.advance(60_000)


@pytest.mark.asyncio
async def test_the_runner_keeps_several_nodes_sending() -> None:
    inbox = RecordingInbox()
    nodes: list[Node] = [NodeV1(mac, two_amperes, START_MS) for mac in (FRIDGE, KETTLE)]
    async with source(inbox) as target:
        running = asyncio.create_task(run_nodes(nodes, target, HastyClock(), speed=1000))
        await inbox.until(lambda i: len({r.address for r in i.heard}) == 2 and len(i.heard) >= 4)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


@pytest.mark.asyncio
async def test_a_network_without_mdns_is_a_warning_and_the_source_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __init__(self, *_: object) -> None:
            pass

        async def __aenter__(self) -> None:
            message = "no multicast here"
            raise OSError(message)

        async def __aexit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(ecms_udp, "Announcement", Broken)
    config = Config(host="127.0.0.1", port=0)
    async with listening(config, RecordingInbox()) as endpoint:
        with caplog.at_level(logging.WARNING):
            async with announced(config, endpoint):
                assert "cannot announce by mDNS" in caplog.text
                assert "no multicast here" in caplog.text


@pytest.mark.asyncio
async def test_a_keys_file_that_cannot_be_used_stops_the_source_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the keys"):
        await run(Config(keys_file=str(tmp_path / "none.toml")), RecordingInbox())
