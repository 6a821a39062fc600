"""How what meters at a broker is found, and how a run ends, through a real broker with TLS."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt.model.found import Found
from casawatt.model.reading import Reading
from casawatt.sources import mqtt_json
from casawatt.sources.mqtt_json import Config, discover, run
from casawatt.sources.mqtt_json_entry import Entry
from casawatt.sources.mqtt_json_search import Search
from casawatt.transports.mqtt import Message
from tests.fakes.inbox import RecordingInbox
from tests.mosquitto import TIMEOUT_S, Mosquitto, Peer, mosquitto, peer
from tests.recorder.homes import START_MS
from tests.sources.mqtt_home import connected
from tests.sources.mqtt_messages import message
from tests.virtual_plugs.esphome import VirtualEsphome
from tests.virtual_plugs.zigbee import bridge_of

SUBSCRIBED = "Sending SUBACK to casawatt-test"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker", tls=True) as server:
        yield server


class WatchedSearch(Search):
    """A search that tells when it has heard the last message."""

    heard_last: asyncio.Event

    def take(self, message: Message) -> None:
        """Leave out the mark."""
        if message.topic.startswith("homeassistant/sensor/last/"):
            self.heard_last.set()
        else:
            super().take(message)


async def searching(server: Mosquitto, devices: Peer, config: Config | None) -> list[Found]:
    WatchedSearch.heard_last = asyncio.Event()

    async def wait(_seconds: float) -> None:
        await server.until_said(SUBSCRIBED)
        await devices.publish("meters/attic", '{"p": 5}')
        await devices.publish("homeassistant/sensor/last/x/config", "{}")
        await asyncio.wait_for(WatchedSearch.heard_last.wait(), TIMEOUT_S)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mqtt_json, "Search", WatchedSearch)
        async with connected(server) as broker:
            return await discover(10, broker, config, wait)


async def test_what_zigbee2mqtt_and_esphome_announce_is_found_and_what_the_entries_hear(server: Mosquitto) -> None:
    node = VirtualEsphome("washer", lambda _: 5.0, START_MS)
    bridge = bridge_of({"Kitchen/Fridge": {"power": "W", "energy": "kWh"}, "Lamp": {}, "Door": {"battery": "%"}})
    entries = [Entry(preset="zigbee2mqtt"), Entry(topic="meters/{device}", power="p")]
    async with peer(server) as devices:
        await devices.publish("zigbee2mqtt/bridge/devices", message("", bridge).payload, retain=True)
        for each in node.advance(START_MS + 20_000):
            await devices.publish(each.topic, each.payload, retain=each.retain)
        found = await searching(server, devices, Config(topic=entries))
        assert [(each.addresses, each.name, each.model, each.options) for each in found] == [
            (("attic",), None, None, {}),
            (("esphome/washer",), "washer", "ESPHome", {"topic": [{"preset": "esphome"}]}),
            (("zigbee2mqtt/Kitchen/Fridge",), "Kitchen/Fridge", "Virtual plug", {}),
        ]


async def test_without_a_section_what_is_announced_is_found(server: Mosquitto) -> None:
    bridge = bridge_of({"Fridge": {"power": "W"}})
    async with peer(server) as devices:
        await devices.publish("zigbee2mqtt/bridge/devices", message("", bridge).payload, retain=True)
        (found,) = await searching(server, devices, None)
        assert found.addresses == ("zigbee2mqtt/Fridge",)
        assert found.options == {"topic": [{"preset": "zigbee2mqtt"}]}


async def test_an_inbox_that_fails_ends_the_run_with_its_error(server: Mosquitto) -> None:
    class BrokenInbox(RecordingInbox):
        def put(self, reading: Reading, *, hint: str | None = None) -> int:
            raise OSError(f"no place for {reading.address}, {hint}")

    config = Config(topic=[Entry(topic="meters/{device}", power="p")])
    async with connected(server) as broker, peer(server) as device:
        running = asyncio.create_task(run(config, BrokenInbox(), broker))
        await server.until_said(SUBSCRIBED)
        await device.publish("meters/attic", '{"p": 5}')
        with pytest.raises(OSError, match="no place for attic"):
            await asyncio.wait_for(running, TIMEOUT_S)
