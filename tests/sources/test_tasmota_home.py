"""A Tasmota plug, a real broker with TLS, and the store: its energy, whatever restarts."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.sources import tasmota
from casawatt.sources.tasmota import Config
from tests.mosquitto import Mosquitto, mosquitto, peer
from tests.recorder.homes import START_MS
from tests.sources.mqtt_home import MqttHome, mqtt_home
from tests.virtual_plugs.tasmota import VirtualTasmota

ROME = ZoneInfo("Europe/Rome")
HOUR_MS = 3_600_000
OUT_MS = 30 * 60_000
CONNECTING_WH = 2000 * (2 * 12 + 60) / 3600
"""At most this goes through the plug while it starts, twice, and before it is cut, and is not heard of."""
PERIOD_WH = 2000 * 300 / 3600
"""The most that may have gone through since the last telemetry."""
MARK = "tele/mark/LWT"
CONFIG = Config(timezone="Europe/Rome")


def washer_w(time_ms: int) -> float:
    """Return what a machine uses: now and then 2 kW for some minutes, else a motor that comes and goes."""
    second = time_ms // 1000
    return 2000.0 if second % 4000 < 700 else 150.0 if second % 60 < 35 else 5.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker", "max_queued_messages 100000", tls=True) as server:
        yield server


@pytest.fixture
def plug() -> VirtualTasmota:
    return VirtualTasmota("washer", washer_w, START_MS, ROME, total_kwh=6.294)


@asynccontextmanager
async def at_home(folder: Path, server: Mosquitto, now_ms: int = START_MS) -> AsyncIterator[MqttHome]:
    async with mqtt_home(folder / "home", server, tasmota, CONFIG, MARK, now_ms) as home:
        if not home.home.registry.meters():
            home.home.adopt("washer", "tasmota", "washer")
        yield home


def first_register_wh(home: MqttHome) -> float:
    return next(record.register_mwh for record in home.records("washer") if record.register_mwh is not None) / 1000


def last_register_wh(home: MqttHome) -> float:
    return (home.records("washer")[-1].register_mwh or 0) / 1000


async def test_the_energy_of_half_a_day_is_what_went_through_the_plug(
    tmp_path: Path, server: Mosquitto, plug: VirtualTasmota
) -> None:
    async with at_home(tmp_path, server) as home:
        await home.hears(plug.advance(START_MS + 12 * HOUR_MS))
        assert home.home.energy_wh("washer") == pytest.approx(last_register_wh(home) - first_register_wh(home))
        assert home.home.energy_wh("washer") == pytest.approx(plug.true_wh, abs=PERIOD_WH)
        assert home.home.recorder.refusals.counts == {}


async def test_what_was_sent_while_casawatt_was_away_is_counted_at_its_own_time(
    tmp_path: Path, server: Mosquitto, plug: VirtualTasmota
) -> None:
    plug.settings["TelePeriod"] = 60
    async with at_home(tmp_path, server) as home:
        await home.hears(plug.advance(START_MS + HOUR_MS))
        first_wh = first_register_wh(home)
    away = plug.advance(START_MS + 3 * HOUR_MS)
    async with peer(server) as device:
        for each in away:
            await device.publish(each.topic, each.payload, retain=each.retain)
    async with at_home(tmp_path, server, plug.time_ms) as home:
        times = {record.time_ms for record in home.records("washer")}
        sent = [each for each in away if each.topic.endswith("SENSOR")]
        assert len(sent) == 120
        assert {each.time_ms for each in sent} <= times
        await home.hears(plug.advance(START_MS + 4 * HOUR_MS))
        assert home.home.energy_wh("washer") == pytest.approx(last_register_wh(home) - first_wh)
        assert home.home.energy_wh("washer") == pytest.approx(plug.true_wh, abs=PERIOD_WH)


@pytest.mark.parametrize("restarts", ["device", "device and casawatt", "device, broker and casawatt"])
async def test_a_total_that_falls_back_at_a_power_cut_is_counted_on_from_there(
    tmp_path: Path, server: Mosquitto, plug: VirtualTasmota, restarts: str
) -> None:
    plug.settings |= {"TelePeriod": 60, "PowerDelta1": 105}
    async with at_home(tmp_path, server) as home:
        await home.hears(plug.advance(START_MS + HOUR_MS))
        heard_wh = last_register_wh(home) - first_register_wh(home)
        plug.cut()
        gone = plug.advance(START_MS + HOUR_MS + OUT_MS)
        await home.hears(gone)
        plug.restore()
        if restarts == "device":
            await home.hears(plug.advance(START_MS + 3 * HOUR_MS))
    if restarts != "device":
        if "broker" in restarts:
            server.stop()
            server.start()
        async with at_home(tmp_path, server, plug.time_ms) as home:
            await home.hears(plug.advance(START_MS + 3 * HOUR_MS))
    async with at_home(tmp_path, server, plug.time_ms) as home:
        after = [each for each in home.records("washer") if each.time_ms > START_MS + HOUR_MS + OUT_MS]
        heard_wh += last_register_wh(home) - (after[0].register_mwh or 0) / 1000
        assert len({each.boot_id for each in home.records("washer") if each.boot_id}) == 2
        assert home.home.energy_wh("washer") == pytest.approx(heard_wh, abs=1)
        assert plug.true_wh - CONNECTING_WH < home.home.energy_wh("washer") <= plug.true_wh


async def test_a_plug_with_a_wrong_zone_is_counted_at_arrival_and_named(tmp_path: Path, server: Mosquitto) -> None:
    plug = VirtualTasmota("washer", washer_w, START_MS, ZoneInfo("Asia/Kolkata"))
    async with at_home(tmp_path, server) as home:
        await home.hears(plug.advance(START_MS + 2 * HOUR_MS))
        records = home.records("washer")
        sent = START_MS + 12_000
        assert [record.time_ms for record in records] == list(range(sent, START_MS + 2 * HOUR_MS, 300_000))
        refused = home.home.recorder.refusals.counts
        assert {key: count for key, count in refused.items() if "clock" in key} == {("tasmota", "washer", "clock"): 1}


@pytest.mark.parametrize("saved_kwh", [80.0, 0.7])
async def test_a_plug_that_was_unplugged_for_days_counts_nothing_twice(
    tmp_path: Path, server: Mosquitto, saved_kwh: float
) -> None:
    plug = VirtualTasmota("washer", washer_w, START_MS, ROME, total_kwh=saved_kwh)
    async with at_home(tmp_path, server) as home:
        await home.hears(plug.advance(START_MS + 2 * HOUR_MS))
        plug.cut()
        await home.hears(plug.advance(START_MS + 96 * HOUR_MS))
        plug.restore()
        await home.hears(plug.advance(START_MS + 98 * HOUR_MS))
        assert home.home.energy_wh("washer") == pytest.approx(plug.true_wh, abs=2 * PERIOD_WH)
