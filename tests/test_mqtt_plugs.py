"""Plugs behind a broker, through the whole service: what they used is counted, whoever was away meanwhile."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.service import Service, stop
from tests.mosquitto import Mosquitto, Peer, mosquitto, peer
from tests.test_nodes_and_kills import asked
from tests.test_service import TestPlace, meter, until
from tests.virtual_plugs.tasmota import VirtualTasmota
from tests.virtual_plugs.zigbee import VirtualZigbee

ROME = ZoneInfo("Europe/Rome")
MINUTE_MS = 60_000
SPAN_MS = 70 * MINUTE_MS
SOURCES = """
[source.tasmota]
timezone = "Europe/Rome"

[source.mqtt_json]

[[source.mqtt_json.topic]]
preset = "zigbee2mqtt"

[meter.washer]
source = "tasmota"
address = "washer"

[meter.heater]
source = "mqtt_json"
address = "zigbee2mqtt/Bath/Heater"
"""


def washer_w(time_ms: int) -> float:
    second = time_ms // 1000
    return 2000.0 if second % 1000 < 300 else 120.0 if second % 60 < 35 else 5.0


class Plugs:
    """A Tasmota and a Zigbee plug that lived for the last seventy minutes, and what they published."""

    def __init__(self, device: Peer) -> None:
        self.start_ms = (int(time.time()) * 1000) - SPAN_MS
        self.tasmota = VirtualTasmota("washer", washer_w, self.start_ms, ROME, total_kwh=3.5)
        self.tasmota.settings["TelePeriod"] = 60
        self.zigbee = VirtualZigbee("Bath/Heater", washer_w, self.start_ms, register_kwh=None)
        self.times: dict[str, list[int]] = {"washer": [], "heater": []}
        self.device = device

    async def live(self, minutes: int) -> None:
        """Let time pass, and publish what there is to say."""
        to_ms = min(self.tasmota.time_ms, self.zigbee.time_ms) + minutes * MINUTE_MS
        for each in self.tasmota.advance(to_ms):
            self.times["washer"] += [each.time_ms] if each.topic.endswith("SENSOR") else []
            await self.device.publish(each.topic, each.payload, retain=each.retain)
        for report in self.zigbee.advance(to_ms):
            self.times["heater"].append(report.time_ms)
            await self.device.publish(report.topic, report.payload)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker", "max_queued_messages 100000", tls=True) as server:
        yield server


@pytest.fixture
def place(tmp_path: Path, server: Mosquitto) -> Iterator[TestPlace]:
    with TestPlace(tmp_path, server.section() + SOURCES) as place:
        yield place


def recorded(service: Service, slug: str, plugs: Plugs) -> dict[str, Any]:
    found: dict[str, Any] = asked(
        service, f"{slug}/readings?resolution=raw&", plugs.start_ms, plugs.start_ms + SPAN_MS + MINUTE_MS
    )
    return found


def energy_wh(service: Service, slug: str, plugs: Plugs) -> float:
    total = asked(service, f"{slug}/energy?bucket=hour&", plugs.start_ms, plugs.start_ms + SPAN_MS)["total"]
    return float(total["energy_wh"])


async def test_what_plugs_used_is_counted_while_casawatt_and_the_broker_are_restarted(
    place: TestPlace, server: Mosquitto
) -> None:
    service = place.start()
    await server.until_said("Sending SUBACK to casawatt-")
    async with peer(server) as device:
        plugs = Plugs(device)
        await plugs.live(20)
        until(lambda: recorded(service, "washer", plugs)["time_ms"] == plugs.times["washer"])
        stop(service)
        await plugs.live(25)
    server.stop()
    server.start()
    service = place.start()
    async with peer(server) as device:
        plugs.device = device
        await plugs.live(24)
        for slug, times in plugs.times.items():
            until(lambda: recorded(service, slug, plugs)["time_ms"] == times)  # noqa: B023 - asked at once
    registers = recorded(service, "washer", plugs)["register_wh"]
    assert len(registers) == 69
    until(lambda: energy_wh(service, "washer", plugs) == pytest.approx(registers[-1] - registers[0], abs=0.01))
    heater = recorded(service, "heater", plugs)
    held_wh = sum(
        power_w * (later_ms - at_ms) / 3_600_000
        for power_w, at_ms, later_ms in zip(heater["power_w"], heater["time_ms"], heater["time_ms"][1:], strict=False)
    )
    until(lambda: energy_wh(service, "heater", plugs) == pytest.approx(held_wh, abs=0.01))
    assert meter(service, "washer")["silent"] is False
    stop(service)
    place.run("doctor", "--deep", "--rebuild")
