"""The demo home: virtual ECMS nodes that send real packets, a real day of real appliances again and again.

Each day the same: the local time of day is looked up in the recordings. The recordings, and whose they are, are in
`casawatt.recordings.shipped`; the 3D printer is synthetic and says so in its name.
"""

import json
import os
import secrets
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.config import Config, parse
from casawatt.model.ports import Clock
from casawatt.model.reading import Reading
from casawatt.recordings.shipped import appliances, mains
from casawatt.recordings.trace import DAY_S, Trace
from casawatt.virtual.ecms_encode import Measured, encode_v1
from casawatt.virtual.ecms_node import Measure, Node, NodeV1, NodeV2
from casawatt.virtual.ecms_radio import run_nodes

DEMO_UDP_PORT = 4454
"""Where the demo home's nodes send to on loopback: not 4444, so that a real home can run beside it."""

HISTORY_STEP_MS = 10_000
KEYS_FILE = "demo-keys.toml"
SOURCE = "ecms_udp"
VOLTAGE_V = 230.0
ZONE = "Europe/Rome"

_LIVELY_PERIOD_MS = 2_000
_PERIOD_MS = 10_000
_LIVELY_SPEED_MAX = 5.0
_OFFSET_STEP_MS = 900_000
_V1_STEPS_PER_A = 50


@dataclass(frozen=True, slots=True)
class DemoNode:
    """A node of the demo home. `name` is its recording and its meter's slug; `appliance` goes into the config.

    Version 1 wraps at 1.18 kW, so only small appliances have it. `adopted=False`: the config does not know it.
    """

    name: str
    address: str
    version: int = 2
    appliance: str | None = None
    appliance_code: int = 0
    adopted: bool = True

    @property
    def mac(self) -> bytes:
        """Return the six bytes of the address."""
        return bytes.fromhex(self.address.replace(":", ""))

    @property
    def trace(self) -> Trace:
        """Return the day that it repeats."""
        return mains() if self.name == "mains" else appliances()[self.name]


NODES = (
    DemoNode("mains", "5c:cf:7f:de:00:00", appliance="mains"),
    DemoNode("fridge", "5c:cf:7f:de:00:01", version=1, appliance="fridge", appliance_code=2),
    DemoNode("washing-machine", "5c:cf:7f:de:00:02", appliance="washing_machine", appliance_code=1),
    DemoNode("dishwasher", "5c:cf:7f:de:00:03", appliance="dishwasher", appliance_code=3),
    DemoNode("kettle", "5c:cf:7f:de:00:04", appliance="kettle"),
    DemoNode("computer", "5c:cf:7f:de:00:05", appliance="computer"),
    DemoNode("3d-printer", "5c:cf:7f:de:00:06", appliance="3d_printer"),
    DemoNode("router", "5c:cf:7f:de:00:07", appliance="router"),
    DemoNode("tv", "5c:cf:7f:de:00:08", adopted=False),
)
"""The nodes. The mains sees all of them; the TV waits to be adopted."""


HOUSEHOLD = """\
[supply]
contracted_w = 3000
limiter = "italy"

[member.anna]
name = "Anna"

[member.bruno]
name = "Bruno"

[[tariff]]
from = 2020-01-01
name = "Casa bioraria"
bands = "italian"
rates_per_kwh = {F1 = 0.1536, F23 = 0.1319}
levies_per_kwh = 0.0412
excise_per_kwh = 0.0227
excise_free_kwh_per_month = 150
fixed_per_month = 9.30
power_per_kw_year = 21.90
vat_percent = 10
"""
"""Its supply, who lives in it, and what its electricity costs; made up, in the form of an Italian household's."""

OWNERS = {"washing-machine": "claimed = true", "computer": 'owner = "anna"', "3d-printer": 'owner = "bruno"'}
"""Whose the energy of some of its meters is."""


def demo_toml(folder: Path, udp_port: int = DEMO_UDP_PORT) -> str:
    """Return the demo home's config, a whole TOML file; its keys are in `folder`, see `write_keys`."""
    keys_file = json.dumps(str((folder / KEYS_FILE).absolute()), ensure_ascii=False)
    home = f'[home]\nname = "Casa Bianchi"\ntimezone = "{ZONE}"\ncurrency = "EUR"\nnominal_voltage_v = {VOLTAGE_V:g}\n'
    source = f'[source.{SOURCE}]\nhost = "127.0.0.1"\nport = {udp_port}\nkeys_file = {keys_file}\n'
    sections = [home, source + "announce = false\nmax_packets_per_s = 20000\n", HOUSEHOLD]
    for node in NODES:
        if node.adopted:
            lines = [f"[meter.{node.name}]", f'name = "{node.trace.label}"']
            lines += [f'appliance = "{node.appliance}"'] if node.appliance else []
            lines += [f'source = "{SOURCE}"', f'address = "{node.address}"']
            lines += ['parent = "mains"'] if node.name != "mains" else []
            lines += [OWNERS[node.name]] if node.name in OWNERS else []
            sections.append("\n".join(lines) + "\n")
    return "\n".join(sections)


def demo_config(folder: Path, udp_port: int = DEMO_UDP_PORT) -> Config:
    """Return `demo_toml` as a checked config."""
    return parse(demo_toml(folder, udp_port), "the demo home's config")


def write_keys(folder: Path) -> dict[str, bytes]:
    """Return the 32-byte key of each version 2 node by its address, made at random at the first call.

    They are kept in `folder`, in a file of mode 0600 as `[source.ecms_udp] keys_file` wants it. Raises OSError.
    """
    path = folder / KEYS_FILE
    addresses = [node.address for node in NODES if node.version == 2]
    try:
        kept = tomllib.loads(path.read_text(encoding="ascii"))
        if all(address in kept for address in addresses):
            return {address: bytes.fromhex(kept[address]) for address in addresses}
    except (FileNotFoundError, ValueError):
        pass
    keys = {address: secrets.token_bytes(32) for address in addresses}
    folder.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(f'"{address}" = "{key.hex()}"\n' for address, key in keys.items())
    return keys


class TimeOfDay:
    """Turns UTC milliseconds into the local time of day, in seconds since the wall clock's midnight."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._quarter = -1
        self._offset_ms = 0

    def second(self, time_ms: int) -> float:
        """Return 0 to before 86,400; offsets from UTC change only at quarter-hours, so they are kept for one."""
        if time_ms // _OFFSET_STEP_MS != self._quarter:
            self._quarter = time_ms // _OFFSET_STEP_MS
            offset = datetime.fromtimestamp(time_ms / 1000, tz=self._zone).utcoffset() or timedelta()
            self._offset_ms = round(offset.total_seconds() * 1000)
        return (time_ms + self._offset_ms) % (DAY_S * 1000) / 1000


def measure_of(trace: Trace, time_of_day: TimeOfDay) -> Measure:
    """Return what the sensors of a node show whose appliance uses what `trace` says: its power as amperes at 230 V."""

    def measure(time_ms: int) -> Measured:
        return Measured(trace.power_at(time_of_day.second(time_ms)) / VOLTAGE_V, VOLTAGE_V, 1.0)

    return measure


async def run_demo(
    folder: Path, clock: Clock, port: int = DEMO_UDP_PORT, *, speed: float = 1.0, zone: str = ZONE
) -> None:
    """Let the nodes live by `clock`, which runs `speed` times as fast as the wall's, until cancelled.

    They send to `port` on loopback. Raises OSError when keys or sockets cannot be had.
    """
    keys = write_keys(folder)
    now_ms, time_of_day = clock.now_ms(), TimeOfDay(ZoneInfo(zone))
    period_ms = _LIVELY_PERIOD_MS if speed <= _LIVELY_SPEED_MAX else _PERIOD_MS
    nodes: list[Node] = []
    for each in NODES:
        measure = measure_of(each.trace, time_of_day)
        if each.version == 1:
            nodes.append(NodeV1(each.mac, measure, now_ms, appliance_code=each.appliance_code, period_ms=_PERIOD_MS))
        else:
            seed, code = secrets.randbits(64), each.appliance_code
            key = keys[each.address]
            nodes.append(NodeV2(each.mac, key, measure, now_ms, appliance_code=code, period_ms=period_ms, seed=seed))
    await run_nodes(nodes, ("127.0.0.1", port), clock, speed=speed)


def history(start_ms: int, end_ms: int, zone: ZoneInfo) -> Iterator[Reading]:
    """Yield, in time order, what the adopted nodes would have sent from `start_ms` to before `end_ms`, every 10 s.

    As `ecms_udp` would have understood it: version 1 truncated to its steps of 20 mA, version 2 with voltage
    and a charge register that began at `start_ms`.
    """
    time_of_day = TimeOfDay(zone)
    nodes = [node for node in NODES if node.adopted]
    energy_ws = dict.fromkeys((node.name for node in nodes), 0.0)
    before_ms = start_ms
    for time_ms in range(-(-start_ms // HISTORY_STEP_MS) * HISTORY_STEP_MS, end_ms, HISTORY_STEP_MS):
        passed_s, second_before = (time_ms - before_ms) / 1000, time_of_day.second(before_ms)
        second = time_of_day.second(time_ms)
        for node in nodes:
            trace = node.trace
            energy_ws[node.name] += _energy_ws(trace, second_before, passed_s)
            yield _reading(node, time_ms, trace.power_at(second) / VOLTAGE_V, energy_ws[node.name], start_ms)
        before_ms = time_ms


def _energy_ws(trace: Trace, second: float, passed_s: float) -> float:
    """Return the energy of `passed_s` seconds (at most a day) from a second of the day on, past midnight too."""
    end = second + passed_s
    if end <= DAY_S:
        return trace.energy_before_ws(end) - trace.energy_before_ws(second)
    return trace.energy_before_ws(DAY_S) - trace.energy_before_ws(second) + trace.energy_before_ws(end - DAY_S)


def _reading(node: DemoNode, time_ms: int, current_a: float, energy_ws: float, boot_id: int) -> Reading:
    if node.version == 1:
        steps = encode_v1(node.mac, time_ms // 1000, node.appliance_code, current_a)[-1]
        current_a = steps / _V1_STEPS_PER_A
        return Reading(source=SOURCE, address=node.address, received_ms=time_ms, time_ms=time_ms, current_a=current_a)
    return Reading(
        source=SOURCE,
        address=node.address,
        received_ms=time_ms,
        time_ms=time_ms,
        current_a=round(current_a, 3),
        voltage_v=VOLTAGE_V,
        power_factor_ratio=1.0,
        charge_as=int(energy_ws / VOLTAGE_V * 1000) / 1000,
        boot_id=boot_id,
    )


def fill_history(put: Callable[[Reading], int], newest_ms: int | None, now_ms: int, zone: ZoneInfo) -> int:
    """Put into the home what the nodes sent before now, so that a fresh demo has curves; return how many readings.

    From after the last reading there is (`newest_ms`), but no earlier than yesterday's local midnight.
    """
    today = datetime.fromtimestamp(now_ms / 1000, tz=zone)
    yesterday = datetime(today.year, today.month, today.day, tzinfo=zone) - timedelta(days=1)
    start_ms = max(round(yesterday.timestamp() * 1000), 0 if newest_ms is None else newest_ms + 1)
    count = 0
    for reading in history(start_ms, now_ms, zone):
        put(reading)
        count += 1
    return count
