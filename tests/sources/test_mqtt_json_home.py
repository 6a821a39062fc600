"""Devices behind zigbee2mqtt and ESPHome, a real broker with TLS, and the store: their energy, whatever restarts."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from casawatt.sources import mqtt_json
from casawatt.sources.mqtt_json import Config
from casawatt.sources.mqtt_json_entry import Entry
from tests.mosquitto import Mosquitto, mosquitto, peer
from tests.recorder.homes import START_MS
from tests.sources.mqtt_home import MqttHome, mqtt_home
from tests.virtual_plugs.esphome import VirtualEsphome
from tests.virtual_plugs.zigbee import VirtualZigbee

HOUR_MS = 3_600_000
SLUG = "pump"
ZIGBEE = Config(topic=[Entry(preset="zigbee2mqtt")]), "zigbee2mqtt/mark/availability", "zigbee2mqtt/pump"
ESPHOME = Config(topic=[Entry(preset="esphome")]), "mark/status", "esphome/pump"

UNHEARD_WH = 850 * (2 * 6 + 2 * 30) / 3600
"""The most that goes through a node while it starts, twice, and after its last message, twice."""


def pump_w(time_ms: int) -> float:
    """Return what a pump uses: 850 W for seven minutes of every twenty, else 3 W."""
    return 850.0 if time_ms // 1000 % 1200 < 420 else 3.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker", "max_queued_messages 100000", tls=True) as server:
        yield server


@asynccontextmanager
async def at_home(
    folder: Path, server: Mosquitto, kind: tuple[Config, str, str], now_ms: int = START_MS
) -> AsyncIterator[MqttHome]:
    config, mark, address = kind
    async with mqtt_home(folder / "home", server, mqtt_json, config, mark, now_ms) as home:
        if not home.home.registry.meters():
            home.home.adopt(SLUG, "mqtt_json", address)
        yield home


@pytest.mark.parametrize("register_kwh", [12.345, None], ids=["register", "power only"])
async def test_a_zigbee_plug_is_counted_through_restarts_of_everything(
    tmp_path: Path, server: Mosquitto, register_kwh: float | None
) -> None:
    plug = VirtualZigbee("pump", pump_w, START_MS, register_kwh=register_kwh, current_unit="mA")
    async with at_home(tmp_path, server, ZIGBEE) as home:
        await home.hears([*plug.announced(), *plug.advance(START_MS + 3 * HOUR_MS)])
        first = home.records(SLUG)[0]
        assert (first.power_mw, first.current_ma) == (850_000, 3_696)
    async with peer(server) as zigbee2mqtt:
        for each in plug.advance(START_MS + 5 * HOUR_MS):
            await zigbee2mqtt.publish(each.topic, each.payload)
    server.stop()
    server.start()
    async with at_home(tmp_path, server, ZIGBEE, plug.time_ms) as home:
        await home.hears([*plug.announced(), plug.state(), *plug.advance(START_MS + 8 * HOUR_MS), plug.state()])
        assert home.home.energy_wh(SLUG) == pytest.approx(plug.true_wh, rel=0.01, abs=2)
        assert home.home.recorder.refusals.counts == {}


async def test_a_zigbee_register_that_starts_from_zero_keeps_the_total(tmp_path: Path, server: Mosquitto) -> None:
    plug = VirtualZigbee("pump", pump_w, START_MS, register_kwh=12.345)
    async with at_home(tmp_path, server, ZIGBEE) as home:
        await home.hears([*plug.announced(), *plug.advance(START_MS + 3 * HOUR_MS)])
        plug.pair_anew()
        await home.hears(plug.advance(START_MS + 6 * HOUR_MS))
        assert home.home.energy_wh(SLUG) == pytest.approx(plug.true_wh, rel=0.01)


@pytest.mark.parametrize("energy_unit", ["kWh", "Wh", None])
async def test_an_esphome_node_is_counted_in_its_own_unit_and_through_a_power_cut(
    tmp_path: Path, server: Mosquitto, energy_unit: str | None
) -> None:
    node = VirtualEsphome("pump", pump_w, START_MS, energy_unit=energy_unit, update_s=30)
    async with at_home(tmp_path, server, ESPHOME) as home:
        await home.hears(node.advance(START_MS + HOUR_MS))
        await home.hears(node.cut())
        assert home.home.recorder.is_silent(home.home.recorder.lines()[0])
        node.advance(START_MS + 2 * HOUR_MS)
        node.restore()
    server.stop()
    server.start()
    async with at_home(tmp_path, server, ESPHOME, node.time_ms) as home:
        await home.hears(node.advance(START_MS + 3 * HOUR_MS))
        records = home.records(SLUG)
        assert all(record.power_mw is not None for record in records)
        assert home.home.energy_wh(SLUG) == pytest.approx(node.true_wh, abs=UNHEARD_WH)
        assert home.home.recorder.refusals.counts == {}


async def test_no_moment_has_a_power_that_the_node_never_had(tmp_path: Path, server: Mosquitto) -> None:
    node = VirtualEsphome("pump", pump_w, START_MS, update_s=30)
    async with at_home(tmp_path, server, ESPHOME) as home:
        await home.hears(node.advance(START_MS + HOUR_MS))
        assert {record.power_mw for record in home.records(SLUG)} == {850_000, 3_000}
        quarters = home.home.intervals(SLUG)
        assert min(each.min_mw or 0 for each in quarters) == 3_000
        assert max(each.max_mw or 0 for each in quarters) == 850_000
