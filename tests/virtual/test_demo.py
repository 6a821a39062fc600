import asyncio
import stat
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.clock import DemoClock
from casawatt.model.reading import Reading
from casawatt.recordings.shipped import appliances, mains
from casawatt.recordings.trace import DAY_S
from casawatt.sources import ecms_udp
from casawatt.virtual.demo import (
    KEYS_FILE,
    NODES,
    TimeOfDay,
    demo_config,
    fill_history,
    history,
    measure_of,
    run_demo,
    write_keys,
)
from tests.fakes.inbox import RecordingInbox

ROME = ZoneInfo("Europe/Rome")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NEW_YEAR_MS = 1_767_222_000_000  # 2026-01-01T00:00 in Rome
CHANGE_DAY_MS = 1_603_576_800_000  # 2020-10-25T00:00 in Rome, a day of 25 hours
ADOPTED = {node.address: node.name for node in NODES if node.adopted}


def readings_of(name: str, start_ms: int, end_ms: int) -> list[Reading]:
    return [reading for reading in history(start_ms, end_ms, ROME) if ADOPTED[reading.address] == name]


async def test_every_node_reaches_the_source_by_real_packets_and_the_tv_waits_to_be_adopted(tmp_path: Path) -> None:
    clock = DemoClock(60.0)
    clock.set(NEW_YEAR_MS + 10 * HOUR_MS)
    clock.go()
    inbox = RecordingInbox(adopted=set(ADOPTED))
    inbox.clock = clock  # type: ignore[assignment]  # the demo's instead of one that stands
    write_keys(tmp_path)
    config = demo_config(tmp_path, udp_port=0)
    options = config.source_options("ecms_udp", ecms_udp.Config)
    addresses = {node.address for node in NODES}
    async with ecms_udp.listening(options, inbox) as endpoint:
        demo = asyncio.create_task(run_demo(tmp_path, clock, endpoint.address[1], speed=60.0))
        try:
            await inbox.until(lambda seen: {reading.address for reading in seen.heard} == addresses)
        finally:
            demo.cancel()
    assert {reading.address for reading in inbox.readings} == set(ADOPTED)
    assert not inbox.refused
    printer = next(reading for reading in inbox.readings if ADOPTED[reading.address] == "3d-printer")
    assert (printer.current_a or 0) * (printer.voltage_v or 0) > 20  # it prints at ten in the morning
    assert "fridge" in inbox.hints


def test_the_config_is_whole_names_every_meter_and_labels_the_printer_synthetic(tmp_path: Path) -> None:
    config = demo_config(tmp_path)
    assert set(config.meters) == set(ADOPTED.values())
    assert config.meters["3d-printer"].name == "3D printer (synthetic)"
    assert {meter.parent for slug, meter in config.meters.items() if slug != "mains"} == {"mains"}
    options = config.source_options("ecms_udp", ecms_udp.Config)
    assert (options.host, options.announce) == ("127.0.0.1", False)


def test_a_folder_with_an_odd_name_still_gives_a_valid_config(tmp_path: Path) -> None:
    folder = tmp_path / 'über "uns"\\heim'
    options = demo_config(folder).source_options("ecms_udp", ecms_udp.Config)
    assert options.keys_file == str(folder / KEYS_FILE)


def test_keys_are_made_once_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    keys = write_keys(tmp_path / "new")
    assert write_keys(tmp_path / "new") == keys
    assert len(set(keys.values())) == len(keys) == sum(node.version == 2 for node in NODES)
    assert stat.S_IMODE((tmp_path / "new" / KEYS_FILE).stat().st_mode) == 0o600


def test_keys_that_lack_a_node_are_made_anew(tmp_path: Path) -> None:
    (tmp_path / KEYS_FILE).write_text('"5c:cf:7f:de:00:00" = "00"\n')
    assert len(write_keys(tmp_path)) == sum(node.version == 2 for node in NODES)


def test_history_follows_the_wall_clock_on_a_day_of_25_hours() -> None:
    times = TimeOfDay(ROME)
    seconds = [times.second(CHANGE_DAY_MS + hours * HOUR_MS) / 3600 for hours in (0, 1, 2, 3, 4, 24)]
    assert seconds == [0, 1, 2, 2, 3, 23]
    kettle = readings_of("kettle", CHANGE_DAY_MS, CHANGE_DAY_MS + 25 * HOUR_MS)
    trace = appliances()["kettle"]
    twice_ws = trace.energy_before_ws(3 * 3600) - trace.energy_before_ws(2 * 3600)
    expected_as = (trace.energy_before_ws(DAY_S) + twice_ws) / 230
    assert kettle[-1].charge_as == pytest.approx(expected_as, abs=0.001)


def test_a_charge_register_of_history_only_grows_and_holds_the_exact_energy_of_each_day() -> None:
    readings = readings_of("mains", NEW_YEAR_MS, NEW_YEAR_MS + 2 * DAY_MS + 1)
    charges = [reading.charge_as or 0.0 for reading in readings]
    assert all(a <= b for a, b in pairwise(charges))
    assert charges[-1] == pytest.approx(2 * mains().energy_before_ws(DAY_S) / 230, abs=0.001)
    assert {b.received_ms - a.received_ms for a, b in pairwise(readings)} == {10_000}


def test_history_is_what_the_source_would_have_understood() -> None:
    start_ms = NEW_YEAR_MS + 11 * HOUR_MS
    time_of_day = TimeOfDay(ROME)
    for reading in history(start_ms, start_ms + 10_000, ROME):
        node = next(node for node in NODES if node.address == reading.address)
        shown = measure_of(node.trace, time_of_day)(start_ms)
        if node.version == 1:
            assert reading.current_a == int(shown.current_a * 50) / 50
            assert reading.charge_as is None
        else:
            assert reading.current_a == round(shown.current_a, 3)
            assert (reading.voltage_v, reading.power_factor_ratio) == (shown.voltage_v, shown.power_factor_ratio)


def test_a_fresh_home_is_filled_from_yesterdays_midnight_and_a_used_one_from_its_last_reading() -> None:
    put: list[Reading] = []

    def take(reading: Reading) -> int:
        put.append(reading)
        return len(put)

    now_ms = NEW_YEAR_MS + DAY_MS + HOUR_MS
    assert fill_history(take, None, now_ms, ROME) == len(put) == 25 * 360 * len(ADOPTED)
    assert put[0].time_ms == NEW_YEAR_MS
    put.clear()
    assert fill_history(take, now_ms - 60_000, now_ms, ROME) == 5 * len(ADOPTED)
    assert put[0].time_ms == now_ms - 50_000


def test_small_appliances_only_have_version_1_nodes() -> None:
    for node in NODES:
        if node.version == 1:
            assert max(node.trace.power_w) < 1177
