"""The virtual plugs behave as the real ones do: a test that rests on them proves no more than they are worth."""

import json
from zoneinfo import ZoneInfo

from tests.recorder.homes import START_MS
from tests.virtual_plugs.esphome import VirtualEsphome
from tests.virtual_plugs.tasmota import VirtualTasmota
from tests.virtual_plugs.zigbee import VirtualZigbee

ROME = ZoneInfo("Europe/Rome")
HOUR_MS = 3_600_000


def steps_w(time_ms: int) -> float:
    """Return 1000 W for ten minutes of every half hour."""
    return 1000.0 if (time_ms - START_MS) % 1_800_000 < 600_000 else 0.0


def test_a_tasmota_plug_reports_every_period_and_on_change_if_it_was_told_to() -> None:
    plug = VirtualTasmota("plug", steps_w, START_MS, ROME)
    first = plug.advance(START_MS + 12_000)
    assert [each.topic.split("/")[-1] for each in first] == [
        "LWT", "INFO1", "INFO2", "INFO3", "config", "STATE", "SENSOR"
    ]  # fmt: skip
    sensors = [each for each in plug.advance(START_MS + HOUR_MS) if each.topic.endswith("SENSOR")]
    assert [each.time_ms - START_MS for each in sensors] == list(range(312_000, HOUR_MS, 300_000))
    plug.hear("cmnd/plug/Backlog", "TelePeriod 3600; PowerDelta1 105")
    sensors = [each for each in plug.advance(START_MS + 2 * HOUR_MS) if each.topic.endswith("SENSOR")]
    changes = [(each.time_ms - START_MS) // 1000 for each in sensors]
    assert changes[:4] == [3601, 3612, 4200, 5400]


def test_a_tasmota_plug_keeps_what_it_had_at_midnight_and_forgets_the_rest_when_its_power_is_cut() -> None:
    plug = VirtualTasmota("plug", lambda _: 1000.0, START_MS, ROME)
    midnight_ms = START_MS + 23 * HOUR_MS
    plug.advance(midnight_ms + 2 * HOUR_MS)
    plug.cut()
    (gone,) = plug.advance(midnight_ms + 3 * HOUR_MS)
    assert (gone.topic, gone.payload, gone.retain) == ("tele/plug/LWT", "Offline", True)
    plug.restore()
    assert round(plug.register_wh) == 23_000
    assert round(plug.true_wh) == 25_000
    again = plug.advance(plug.time_ms + 12_000)
    assert json.loads(again[3].payload)["Info3"]["BootCount"] == 2
    assert json.loads(again[-2].payload)["UptimeSec"] == 12


def test_a_tasmota_plug_answers_its_own_commands_only_while_it_is_there() -> None:
    plug = VirtualTasmota("plug", steps_w, START_MS, ROME)
    assert plug.hear("cmnd/plug/TelePeriod", "") == []
    plug.advance(START_MS + 10_000)
    assert [each.payload for each in plug.hear("cmnd/plug/TelePeriod", "")] == ['{"TelePeriod": 300}']
    assert plug.hear("cmnd/other/TelePeriod", "") == []
    assert [each.topic for each in plug.hear("cmnd/tasmotas/Status", "0")] == ["stat/plug/STATUS", "stat/plug/STATUS10"]
    assert json.loads(plug.hear("cmnd/plug/Colour", "red")[0].payload) == {"Command": "Unknown"}


def test_a_zigbee_plug_reports_changes_and_once_an_hour_with_the_time_of_the_measurement() -> None:
    plug = VirtualZigbee("plug", steps_w, START_MS)
    sent = plug.advance(START_MS + HOUR_MS)
    assert [(each.time_ms - START_MS) // 1000 for each in sent] == [1, 600, 1800, 2400, 3600]
    assert json.loads(sent[1].payload)["last_seen"] == "2026-01-01T00:10:00.000Z"
    quiet = VirtualZigbee("plug", lambda _: 0.0, START_MS).advance(START_MS + 2 * HOUR_MS + 1000)
    assert [(each.time_ms - START_MS) // 1000 for each in quiet] == [1, 3601, 7201]


def test_an_esphome_node_says_each_quantity_alone_and_forgets_its_energy_with_its_power() -> None:
    node = VirtualEsphome("node", lambda _: 3600.0, START_MS)
    states = [each for each in node.advance(START_MS + 26_000) if each.topic.endswith("/state")]
    assert len(states) == 3 * 4
    assert [each.topic.split("/")[2] for each in states[:4]] == ["voltage", "current", "power", "energy"]
    node.cut()
    node.advance(START_MS + 60_000)
    node.restore()
    assert node.register_wh == 0
    assert round(node.true_wh) == 26
