"""Whatever a device says in the place of whatever it should say: nothing it sends ends a source for all the others."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from casawatt.config_sections import BrokerConfig
from casawatt.engine import clean
from casawatt.model.errors import PacketError
from casawatt.model.meter import Cadence, Traits
from casawatt.model.reading import Reading
from casawatt.sources import (
    ecms_mqtt,
    kasa_legacy,
    kasa_link,
    kasa_tapo,
    mqtt_json,
    mqtt_json_collector,
    shelly_gen1,
    shelly_hosts,
    shelly_mqtt,
    tasmota,
    tasmota_collector,
)
from casawatt.sources.mqtt_json_announced import ANNOUNCED_MAX
from casawatt.sources.mqtt_json_entry import Entry
from casawatt.sources.tasmota_settings import Settings
from casawatt.transports.mqtt import Broker, Message
from tests.fakes.inbox import RecordingInbox

HUGE = "1" + "0" * 400
NASTY = (
    *("null", "true", '"x"', '""', "[]", "{}", "[null]", "5", "-1", "1e308", "-1e308", "1e999", HUGE, f"-{HUGE}"),
    *('"1e999"', '"NaN"', "NaN", "Infinity", "-99999999999", "99999999999999999999", '["a",5,null]', '[{"a":1}]'),
    *('"0001-01-01T00:00:00"', '"9999-12-31T23:59:59"', '"9999-12-31T23:59:59-14:00"', '"9999-12-31 23:59:59"'),
    *('"\\u0000"', '"\\ud800"', f"[{HUGE},1.5]", f'{{"a":{HUGE}}}'),
)
BROKEN = (b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"\x00" * 10)

SENSOR = {"Total": 6.294, "Power": 2635, "ApparentPower": 2650, "Factor": 0.99, "Voltage": 227, "Current": 11.661}
CHANNELS = {"Total": [1.0, 2.0], "Power": [10, 20], "Factor": [0.9, 0.9], "Voltage": 227, "Current": [1.1, 1.2]}
SWITCH = {
    "apower": 0.8,
    "voltage": 222.6,
    "aenergy": {"total": 922.2, "by_minute": [10.3, 14.3], "minute_ts": 1_767_225_600},
    "ret_aenergy": {"total": 1.0, "by_minute": [1, 2], "minute_ts": 1_767_225_600},
}
PHASES = {"em:0": {"a_act_power": 1, "a_voltage": 230, "total_act_power": 2}, "emdata:0": {"total_act": 1}}
SHELLY = {"sys": {"unixtime": 1_767_225_600, "uptime": 77}, "switch:0": SWITCH, **PHASES}
EXPOSED = [{"property": "power", "unit": "W", "features": [{"property": "current", "unit": "A"}]}]
TIME = "2026-01-01T01:00:00"

SAID: dict[str, list[tuple[str, Any]]] = {
    "tasmota": [
        ("tele/plug/SENSOR", {"Time": TIME, "ENERGY": SENSOR}),
        ("tele/plug/SENSOR", {"Time": TIME, "ENERGY": CHANNELS}),
        ("stat/plug/STATUS10", {"StatusSNS": {"Time": TIME, "ENERGY": SENSOR}}),
        ("tele/plug/STATE", {"Time": TIME, "UptimeSec": 77}),
        ("tasmota/discovery/AABBCC/config", {"dn": "Plug", "fn": ["a", None], "t": "plug", "ft": "%prefix%/%topic%/"}),
        ("stat/plug/RESULT", {"TelePeriod": 300, "PowerDelta1": 105, "Command": "Unknown"}),
    ],
    "ecms_mqtt": [
        (
            "energy_consumption",
            {"macAddress": "5c:cf:7f:01:02:03", "timestamp": 1_767_225_600, "device": 1, "data": 1.2},
        )
    ],
    "mqtt_json": [
        ("zigbee2mqtt/a", {"current": 383, "energy": None, "power": 71, "last_seen": "2026-01-01T00:00:00Z"}),
        ("zigbee2mqtt/bridge/devices", [{"friendly_name": "a", "definition": {"vendor": "x", "exposes": EXPOSED}}]),
        ("zigbee2mqtt/a/availability", {"state": "online"}),
        ("node/sensor/power/state", 12.3),
        ("node/status", "online"),
        ("homeassistant/sensor/node/energy/config", {"~": "node", "stat_t": "~/s", "dev_cla": "energy", "dev": {}}),
        ("rtl_433/h/events", {"model": "Efergy", "id": 1, "current": 1.2, "power_W": 5}),
        ("meters/x/data", {"ENERGY": {"Power": 5, "Total": 5}, "ts": 1_767_225_600, "boot": 7}),
    ],
    "shelly": [
        (
            "p/events/rpc",
            {"src": "shelly-1", "method": "NotifyFullStatus", "params": {"ts": 1_767_225_600.5, **SHELLY}},
        ),
        ("p/events/rpc", {"src": "shelly-1", "method": "NotifyStatus", "params": {"ts": 1_767_225_601.5, **SHELLY}}),
        ("q/status/switch:0", SWITCH),
        ("casawatt-shelly/rpc", {"id": 1, "src": "shelly-1", "result": SHELLY}),
    ],
}


def spoilt(said: Any) -> Iterator[bytes]:
    """Yield a document, then with each of its values, and the whole, in turn put in the place of by each nasty one."""
    yield json.dumps(said).encode()
    for spoilt_once in with_a_mark(said):
        text = json.dumps(spoilt_once)
        yield from (text.replace('"@@"', nasty).encode() for nasty in NASTY)
    yield from BROKEN


def with_a_mark(said: Any) -> Iterator[Any]:
    yield "@@"
    if isinstance(said, dict):
        for key, value in said.items():
            yield from ({**said, key: each} for each in with_a_mark(value))
    elif isinstance(said, list):
        for at, value in enumerate(said):
            yield from ([*said[:at], each, *said[at + 1 :]] for each in with_a_mark(value))


def takers(inbox: RecordingInbox) -> dict[str, Callable[[Message], None]]:
    settings = Settings(10, 5, lambda device, why: inbox.refuse(device, "configure", why))
    patterns = tasmota.Config().patterns()
    zone = tasmota.Config(timezone="America/Los_Angeles").zone()
    own = Entry(topic="meters/{device}/data", power="ENERGY.Power", register="ENERGY.Total", time="ts", boot="boot")
    presets = [Entry(preset="zigbee2mqtt"), Entry(preset="esphome"), Entry(preset="rtl_433")]
    mappings = mqtt_json.Config(topic=[*presets, own]).mappings()
    return {
        "tasmota": tasmota_collector.Collector(inbox, patterns, zone, settings).take,
        "ecms_mqtt": ecms_mqtt.taker(inbox),
        "mqtt_json": mqtt_json_collector.Collector(inbox, mappings).take,
        "shelly": shelly_mqtt.Listener(
            Broker("home", BrokerConfig(host="h"), "c"), inbox, shelly_hosts.Claims(), ["+"]
        ).take,
    }


@pytest.mark.parametrize("source", SAID)
async def test_nothing_that_a_device_publishes_ends_the_source(source: str) -> None:
    inbox = RecordingInbox()
    take = takers(inbox)[source]
    for topic, said in SAID[source]:
        for payload in spoilt(said):
            for retained in (False, True):
                take(Message(topic, payload, retained))
    assert inbox.refused
    assert inbox.readings
    for reading in inbox.readings:
        is_sound(reading)


def test_made_up_announcements_and_topics_without_a_unit_do_not_fill_the_memory() -> None:
    inbox = RecordingInbox()
    take = takers(inbox)["mqtt_json"]
    for number in range(ANNOUNCED_MAX + 10):
        announced = b'{"stat_t": "%d/sensor/power/state", "unit_of_meas": "W"}' % number
        take(Message(f"homeassistant/sensor/{number}/p/config", announced, retained=True))
        take(Message(f"{number}/sensor/energy/state", b"5", retained=False))
    assert inbox.causes()["flood"] >= 10
    assert inbox.causes()["unit"] == mqtt_json_collector.DEVICES_MAX
    assert all(cause in {"flood", "unit"} for cause in inbox.causes())


def is_sound(reading: Reading) -> None:
    """See that a reading can be judged, and its address written down."""
    clean.step(clean.START, reading, 1, Traits(Cadence.POLLED, 60_000, time_grid_ms=100, clock_tolerance_ms=2000))
    reading.address.encode()


def asked_months(said: Any) -> object:
    return kasa_tapo.months_request(kasa_tapo.parse_usage(said).local.year, ZoneInfo("America/Los_Angeles"))


SETTINGS = kasa_link.settings_of(kasa_link.Host("192.168.1.9"), None, *kasa_link.WAYS[0])
SYSINFO = {"mac": "50:C7:BF:00:00:01", "feature": "TIM:ENE", "model": "HS300(EU)", "children": [{"id": "1"}]}
FOUND_LEGACY = {"system": {"get_sysinfo": {**SYSINFO, "alias": "Strip"}}}
FOUND_TAPO = {"result": {"mac": "48-22-54-00-00-01", "device_model": "P110(EU)"}}
GEN1 = {"uptime": 5, "meters": [{"power": 5.0, "total": 60, "is_valid": True}], "emeters": [{"power": 1, "total": 2}]}
USAGE = {"current_power": 5000, "today_energy": 46, "month_energy": 430, "local_time": "2026-01-31 23:59:50"}
PURE: list[tuple[Callable[[Any], object], Any]] = [
    (lambda said: shelly_gen1.parse(said, "SHPLG-S"), GEN1),
    (lambda said: shelly_gen1.device_id(said, said), {"type": "SHPLG-S", "mac": "AA", "device": {"hostname": "h"}}),
    (kasa_legacy.parse_realtime, {"emeter": {"get_realtime": {"power": 0.9, "total": 55.1, "voltage": 231.0}}}),
    (kasa_legacy.children_of, {"children": [{"id": "a", "alias": "one"}, {"id": "b", "alias": "two"}]}),
    (kasa_tapo.parse_usage, {"get_energy_usage": USAGE, "get_emeter_data": {"power_mw": 5}}),
    (lambda said: kasa_link.seen_of("192.168.1.9", said, SETTINGS), FOUND_LEGACY),
    (lambda said: kasa_link.seen_of("192.168.1.9", said, SETTINGS), FOUND_TAPO),
    (asked_months, {"get_energy_usage": USAGE}),
    (kasa_tapo.parse_zone, {"region": "Europe/Rome", "time_diff": 60}),
    (kasa_tapo.parse_months, {"data": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}),
    (kasa_tapo.children_of, {"child_device_list": [{"device_id": "a", "position": 1}, {"device_id": "b"}]}),
]


@pytest.mark.parametrize(("parse", "said"), PURE, ids=range(len(PURE)))
def test_nothing_that_a_device_answers_is_more_than_refused(parse: Callable[[Any], object], said: object) -> None:
    parse(said)
    for spoilt_once in spoilt(said):
        try:
            document = json.loads(spoilt_once)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            try:
                parse(document)
            except PacketError:
                continue
