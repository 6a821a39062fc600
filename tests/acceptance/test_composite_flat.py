"""The 29 appliances of one recorded day, split over six kinds of devices that speak their real protocols.

Shelly plugs by WebSocket on change, Kasa plugs polled every 10 s, Tasmota plugs by MQTT every 60 s, all with their own
register; Zigbee plugs by MQTT on change of 5 W and a gateway by HTTP every 10 s, by power alone; the mains by the MCEE
meter on a serial port every 5 s. A day passes in minutes.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.flat import BERLIN, DAY_S, Flat, Load, flat, hand_in
from tests.fakes.clock import ManualClock
from tests.mosquitto import Mosquitto, mosquitto
from tests.virtual_plugs.kasa import LegacyPlug, Plug
from tests.virtual_plugs.mcee import VirtualMcee
from tests.virtual_plugs.shelly import Gen2
from tests.virtual_plugs.shelly_circuits import Circuit
from tests.virtual_plugs.tasmota import VirtualTasmota
from tests.virtual_plugs.zigbee import VirtualZigbee

MIDNIGHT_MS = round(datetime(2012, 1, 15, tzinfo=BERLIN).timestamp() * 1000)
BEFORE_MS = MIDNIGHT_MS - 600_000
END_MS = MIDNIGHT_MS + DAY_S * 1000
AFTER_MS = END_MS + 120_000
"""Ten minutes before the day and two after it, in which every device speaks."""

KASA = ("Dishwasher/dev_B7E6FA", "LaundryDryer/dev_B7E43D", "PC-Desktop/dev_7296D7")
TASMOTA = (
    "Lamp/dev_D331DA",
    "PC-Desktop/dev_59ADA7",
    "Playstation3/dev_B8350E",
    "Refrigerator/dev_599393",
    "VideoProjector/dev_B814A6",
)
SHELLY = (
    "Breadcutter/dev_B7DF9D",
    "Coffeemaker/dev_D369E0",
    "Refrigerator/dev_B7E6F4",
    "Toaster/dev_98ABD2",
    "WaterKettle/dev_B80E47",
    "WaterKettle/dev_D330A3",
)
PUSHED = ("Router/dev_B8148C", "Subwoofer/dev_5534A4", "TV-LCD/dev_D33097", "TV-CRT/dev_98ABAA")
"""The others are Zigbee plugs. Registers of whole Wh are given to appliances of some hundreds of Wh at least."""

REGISTER_ERROR_MAX = 0.001
FLAT_ERROR_MAX = 0.01
TOKEN = "a-token-that-is-long-enough-for-a-gateway"


def slug_of(path: Path) -> str:
    return f"{path.parent.name}-{path.name.split('.')[0].split('_')[1]}".lower()


def kind_of(path: Path) -> str:
    name = f"{path.parent.name}/{'_'.join(path.name.split('_')[:2])}"
    kinds = {"kasa": KASA, "tasmota": TASMOTA, "shelly": SHELLY, "http_push": PUSHED}
    return next((kind for kind, names in kinds.items() if name in names), "mqtt_json")


class Devices:
    """All devices of the flat, on their own clock."""

    def __init__(self, data: Path, mains: Path) -> None:
        paths = sorted((data / "tracebase").glob("*/*2012.01.15*.csv.gz"))
        self.kinds = {slug_of(path): kind_of(path) for path in paths}
        self.loads = {slug_of(path): Load(path, MIDNIGHT_MS) for path in paths}
        self.clock = ManualClock(BEFORE_MS)
        self.mains = VirtualMcee(mains, lambda: round(sum(self.now_w(slug) for slug in self.loads)))
        self.tasmotas = [
            VirtualTasmota(slug, self.loads[slug].power_w, BEFORE_MS, BERLIN) for slug in self.of("tasmota")
        ]
        for tasmota in self.tasmotas:
            tasmota.settings["TelePeriod"] = 60
        self.zigbees = [
            VirtualZigbee(slug, self.loads[slug].power_w, BEFORE_MS, register_kwh=None) for slug in self.of("mqtt_json")
        ]
        self.kasas = {
            slug: LegacyPlug(Plug(self.loads[slug].power_w, BEFORE_MS), newer=True, mac=f"50:c7:bf:00:00:{number:02x}")
            for number, slug in enumerate(self.of("kasa"))
        }
        self.shellies = {
            slug: Gen2(self.clock, Circuit(self.loads[slug].power_w), f"shellyplugsg3-{number:012x}")
            for number, slug in enumerate(self.of("shelly"))
        }

    def of(self, kind: str) -> list[str]:
        """Return the slugs of the appliances that are measured by that kind."""
        return [slug for slug, its in self.kinds.items() if its == kind]

    def now_w(self, slug: str) -> float:
        """Return what an appliance uses now."""
        return self.loads[slug].power_w(self.clock.time_ms)

    @asynccontextmanager
    async def plugged_in(self) -> AsyncIterator[None]:
        """Let those answer that are asked, while entered."""
        async with AsyncExitStack() as stack:
            stack.enter_context(self.mains)
            for kasa in self.kasas.values():
                await stack.enter_async_context(kasa)
            for shelly in self.shellies.values():
                await stack.enter_async_context(shelly)
            self.tick(BEFORE_MS)
            yield

    def tick(self, time_ms: int) -> None:
        """Let time pass for those that speak when they are asked."""
        self.clock.time_ms = time_ms
        for shelly in self.shellies.values():
            shelly.tick(time_ms)
        for kasa in self.kasas.values():
            kasa.meters[0].advance(time_ms)

    def config(self, server: Mosquitto, tokens: Path) -> str:
        """Return the config of the home."""
        sections = [
            '[home]\ntimezone = "Europe/Berlin"',
            server.section(),
            f"[source.kasa]\nhosts = {json.dumps([kasa.address for kasa in self.kasas.values()])}\ndiscover = false",
            f"[source.shelly]\nhosts = {json.dumps([each.host for each in self.shellies.values()])}\ndiscover = false",
            '[source.tasmota]\ntimezone = "Europe/Berlin"\ngap_limit_s = 200',
            '[[source.mqtt_json.topic]]\npreset = "zigbee2mqtt"',
            f'[source.http_push]\ntokens_file = "{tokens}"\nmax_requests_per_s = 10000',
            f'[source.mcee_serial]\nport = "{self.mains.link}"\nanswer_timeout_s = 4.9',
            '[meter.mains]\nappliance = "mains"\nsource = "mcee_serial"\naddress = "mcee"',
        ]
        addresses = {slug: f"zigbee2mqtt/{slug}" for slug in self.of("mqtt_json")}
        addresses |= {slug: f"gateway/{slug}" for slug in self.of("http_push")}
        addresses |= {slug: slug for slug in self.of("tasmota")}
        addresses |= {slug: kasa.mac for slug, kasa in self.kasas.items()}
        addresses |= {slug: f"{shelly.device_id}/switch:0" for slug, shelly in self.shellies.items()}
        sections += [
            f'[meter.{slug}]\nparent = "mains"\nsource = "{kind}"\naddress = "{addresses[slug]}"'
            for slug, kind in self.kinds.items()
        ]
        return "\n\n".join(sections)

    async def live(self, living: Flat, session: aiohttp.ClientSession) -> None:
        """Live through the day, second by second, and say what there is to say."""
        await living.publish(self.zigbees[0].announced())
        for now_ms in range(BEFORE_MS + 1000, AFTER_MS + 1, 1000):
            self.tick(now_ms)
            await living.pass_until(now_ms)
            for shelly in self.shellies.values():
                await shelly.speak()
            await living.publish([sent for tasmota in self.tasmotas for sent in tasmota.advance(now_ms)])
            await living.publish([sent for zigbee in self.zigbees for sent in zigbee.advance(now_ms)])
            if now_ms % 10_000 == 0:
                readings = [{"address": slug, "power_w": self.now_w(slug)} for slug in self.of("http_push")]
                await hand_in(session, living.url, TOKEN, readings)


@contextmanager
def tokens_in(folder: Path) -> Iterator[Path]:
    """Yield a file with the gateway's token."""
    tokens = folder / "tokens.toml"
    tokens.touch(mode=0o600)
    tokens.write_text(f'gateway = "{TOKEN}"\n')
    yield tokens


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker", tls=True) as server:
        yield server


@pytest.mark.timeout(1500)
async def test_a_flat_of_29_appliances_measured_in_five_ways_adds_up(
    shared_data: Path, tmp_path: Path, server: Mosquitto
) -> None:
    devices = Devices(shared_data, tmp_path / "mains")
    assert len(devices.loads) == 29
    async with devices.plugged_in(), aiohttp.ClientSession() as session:
        with tokens_in(tmp_path) as tokens:
            toml = devices.config(server, tokens)
        async with flat(tmp_path / "home", toml, server, BEFORE_MS) as living:
            await devices.live(living, session)
            measured_wh = living.energies_wh(MIDNIGHT_MS, END_MS)
            refused = dict(living.home.recorder.refusals.counts)
    true_wh = {slug: load.energy_wh for slug, load in devices.loads.items()}
    lines = [f"{slug} by {devices.kinds[slug]}: {measured_wh[slug]:.2f} of {wh:.2f} Wh" for slug, wh in true_wh.items()]
    told = "\n".join([*lines, f"mains {measured_wh['mains']:.1f}", f"refused: {refused}"])
    assert refused == {}, told
    whole_wh = sum(true_wh.values())
    assert sum(measured_wh[slug] for slug in true_wh) == pytest.approx(whole_wh, rel=FLAT_ERROR_MAX), told
    assert measured_wh["mains"] == pytest.approx(whole_wh, rel=FLAT_ERROR_MAX), told
    for kind in ("kasa", "tasmota", "shelly"):
        for slug in devices.of(kind):
            assert measured_wh[slug] == pytest.approx(true_wh[slug], rel=REGISTER_ERROR_MAX), told
