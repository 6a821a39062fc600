"""What is published to Tasmota devices and what is not, and how they are found, through a real broker with TLS."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.found import Found
from casawatt.model.reading import Reading
from casawatt.sources import tasmota
from casawatt.sources.tasmota import Config, discover, run
from casawatt.sources.tasmota_clock import HOLD_MS
from casawatt.sources.tasmota_search import Search
from casawatt.transports.mqtt import Message
from tests.fakes.inbox import RecordingInbox
from tests.mosquitto import TIMEOUT_S, Mosquitto, Peer, mosquitto, peer
from tests.recorder.homes import START_MS
from tests.sources.mqtt_home import MqttHome, connected, mqtt_home
from tests.sources.mqtt_messages import captured, message
from tests.virtual_plugs.tasmota import VirtualTasmota, stamped

ROME = ZoneInfo("Europe/Rome")
MARK = "tele/mark/LWT"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker", tls=True) as server:
        yield server


@pytest.fixture
def plug() -> VirtualTasmota:
    return VirtualTasmota("washer", lambda _: 100.0, START_MS, ROME)


async def obeys(plug: VirtualTasmota, home: MqttHome, count: int) -> list[tuple[str, str]]:
    """Let a plug answer the next `count` commands that are published; return them."""
    heard = (await home.devices.until(count))[:count]
    del home.devices.got[:count]
    commands = [(each.topic, each.payload.decode()) for each in heard]
    for topic, payload in commands:
        for answer in plug.hear(topic, payload):
            await home.devices.publish(answer.topic, answer.payload)
    await home.settled()
    return commands


async def listen_in(home: MqttHome) -> None:
    for topic in ("cmnd/#", "+/cmnd/#"):
        await home.devices.subscribe(topic)


async def test_a_plug_is_set_to_report_more_often_once_and_only_what_differs(
    tmp_path: Path, server: Mosquitto, plug: VirtualTasmota
) -> None:
    plug.settings["PowerDelta1"] = 105
    config = Config(timezone="Europe/Rome", configure=True)
    async with mqtt_home(tmp_path / "home", server, tasmota, config, MARK) as home:
        await listen_in(home)
        await home.hears(plug.advance(START_MS + 20_000))
        assert await obeys(plug, home, 2) == [("cmnd/washer/TelePeriod", ""), ("cmnd/washer/PowerDelta1", "")]
        assert await obeys(plug, home, 1) == [("cmnd/washer/Backlog", "TelePeriod 10")]
        assert plug.settings == {"TelePeriod": 10, "PowerDelta1": 105}
        await home.hears(plug.advance(START_MS + 600_000))
        plug.restart()
        await home.hears(plug.advance(START_MS + 1_200_000))
        assert home.devices.got == []
        assert home.home.recorder.refusals.counts == {}


async def test_nothing_is_published_unless_configured(tmp_path: Path, server: Mosquitto, plug: VirtualTasmota) -> None:
    async with mqtt_home(tmp_path / "home", server, tasmota, Config(timezone="Europe/Rome"), MARK) as home:
        await listen_in(home)
        await home.hears(plug.advance(START_MS + 600_000))
        plug.restart()
        await home.hears(plug.advance(START_MS + 1_200_000))
        await home.devices.publish("cmnd/last", "")
        assert [each.topic for each in await home.devices.until(1)] == ["cmnd/last"]


async def test_a_message_that_is_held_is_put_when_its_time_is_over(server: Mosquitto) -> None:
    inbox = RecordingInbox()
    over = asyncio.Event()
    held = asyncio.Event()

    async def wait(seconds: float) -> None:
        assert seconds * 1000 == HOLD_MS
        held.set()
        await over.wait()
        over.clear()

    config = Config(timezone="Europe/Rome")
    async with connected(server) as broker, peer(server) as device:
        running = asyncio.create_task(run(config, inbox, broker, wait))
        await server.until_said("Sending SUBACK to casawatt-test")
        payload = message("", {"Time": stamped(START_MS - 3_600_000, ROME), "ENERGY": {"Power": 5}}).payload
        await device.publish("tele/plug/SENSOR", payload)
        await asyncio.wait_for(held.wait(), TIMEOUT_S)
        assert inbox.readings == []
        inbox.clock.advance(HOLD_MS)
        over.set()
        await inbox.until(lambda inbox: bool(inbox.readings))
        assert inbox.readings == [Reading(source="tasmota", address="plug", received_ms=START_MS, power_w=5)]
        assert inbox.refused == {("plug", "clock"): 1}
        running.cancel()
        await asyncio.wait({running})


async def test_an_inbox_that_fails_ends_the_run_with_its_error(server: Mosquitto) -> None:
    class BrokenInbox(RecordingInbox):
        def put(self, reading: Reading, *, hint: str | None = None) -> int:
            raise OSError(f"no place for {reading.address}, {hint}")

    async with connected(server) as broker, peer(server) as device:
        running = asyncio.create_task(run(Config(), BrokenInbox(), broker))
        await server.until_said("Sending SUBACK to casawatt-test")
        await device.publish("tele/plug/SENSOR", '{"ENERGY": {"Power": 5}}')
        with pytest.raises(OSError, match="no place for plug"):
            await asyncio.wait_for(running, TIMEOUT_S)


class WatchedSearch(Search):
    """A search that tells when it has heard of a device called `last`."""

    heard_last: asyncio.Event

    def take(self, message: Message) -> None:
        """Leave out the mark."""
        if message.topic == "tele/last/LWT":
            self.heard_last.set()
        else:
            super().take(message)


async def searching(server: Mosquitto, devices: Peer, *plugs: VirtualTasmota) -> tuple[list[Found], set[str]]:
    """Search; each half of the time ends when the plugs have answered what was asked, and that has been heard.

    Returns also the topics of what was asked.
    """
    WatchedSearch.heard_last = asyncio.Event()
    asked: set[str] = set()

    async def wait(_seconds: float) -> None:
        await server.until_said("Sending SUBACK to casawatt-test")
        await devices.publish("cmnd/the/end", "")
        while not devices.got or devices.got[-1].topic != "cmnd/the/end":
            await devices.until(len(devices.got) + 1)
        commands, devices.got = devices.got[:-1], []
        asked.update(each.topic for each in commands)
        answers = [said for each in commands for plug in plugs for said in plug.hear(each.topic, each.payload.decode())]
        for said in answers:
            await devices.publish(said.topic, said.payload)
        await devices.publish("tele/last/LWT", "Online")
        await asyncio.wait_for(WatchedSearch.heard_last.wait(), TIMEOUT_S)
        WatchedSearch.heard_last.clear()

    await devices.subscribe("cmnd/#")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasmota, "Search", WatchedSearch)
        async with connected(server) as broker:
            return await discover(10, broker, Config(), wait), asked


async def test_devices_are_found_by_what_they_announce(server: Mosquitto) -> None:
    async with peer(server) as devices:
        for each in captured("tasmota"):
            if each.topic.startswith("tasmota/discovery"):
                await devices.publish(each.topic, each.payload, retain=True)
        lamp = {"t": "lamp", "ft": "%prefix%/%topic%/", "dn": "Lamp", "fn": ["Lamp"]}
        far = {"t": "dual", "ft": "home/%prefix%/%topic%/", "dn": "Tasmota", "fn": ["Boiler"], "md": "Dual R3"}
        both = {"sn": {"Time": "2026-01-01T00:00:00", "ENERGY": {"Power": [1, 2], "Total": 1}}}
        for mac, config, sensors in (("AA", lamp, {"sn": {"Time": "2026-01-01T00:00:00"}}), ("BB", far, both)):
            await devices.publish(f"tasmota/discovery/{mac}/config", message("", config).payload, retain=True)
            await devices.publish(f"tasmota/discovery/{mac}/sensors", message("", sensors).payload, retain=True)
        found, asked = await searching(server, devices)
    assert asked == set()
    assert found == [
        Found(
            source="tasmota",
            addresses=("dual", "dual/1", "dual/2"),
            where="dual",
            name="Boiler",
            model="Dual R3",
            options={"full_topics": ["home/%prefix%/%topic%/"]},
        ),
        Found(
            source="tasmota",
            addresses=("tasmota_17E7AE",),
            where="172.19.13.2",
            name="plug-geschirrspueler",
            model="Nous A1T",
        ),
    ]


async def test_devices_that_announce_nothing_are_asked_all_at_once(server: Mosquitto, plug: VirtualTasmota) -> None:
    plug.advance(START_MS + 60_000)
    async with peer(server) as devices:
        await devices.publish("tele/washer/LWT", "Online", retain=True)
        await devices.publish("tele/away/LWT", "Offline", retain=True)
        found, asked = await searching(server, devices, plug)
    assert asked == {"cmnd/tasmotas/Status"}
    assert [(each.addresses, each.where, each.name, each.note is None) for each in found] == [
        ((), "tele/away", None, False),
        (("washer",), "tele/washer", "washer", True),
    ]
