"""Messages of configured topics, into readings."""

from typing import Any

import msgspec
import pytest

from casawatt.model.meter import Cadence
from casawatt.model.reading import Reading
from casawatt.sources.mqtt_json import Config
from casawatt.sources.mqtt_json_collector import DEVICES_MAX, Collector
from tests.fakes.clock import START_MS
from tests.fakes.inbox import RecordingInbox
from tests.sources.mqtt_messages import captured, message
from tests.virtual_plugs.zigbee import bridge_of

ZIGBEE = {"preset": "zigbee2mqtt"}
ESPHOME = {"preset": "esphome"}
METER = {"topic": "meters/{device}", "power": "p", "register": "e", "voltage": "u", "current": "i", "time": "t"}


class TestListener:
    """A collector with some entries, and what it puts."""

    __test__ = False

    def __init__(self, *entries: dict[str, Any]) -> None:
        self.inbox = RecordingInbox()
        self.config = msgspec.convert({"topic": list(entries)}, Config)
        self.collector = Collector(self.inbox, self.config.mappings())

    def hears(self, topic: str, payload: Any, *, at_ms: int = 0, retained: bool = False) -> None:
        self.inbox.clock.time_ms = START_MS + at_ms
        self.collector.take(message(topic, payload, retained=retained))

    def said(self, *names: str) -> list[tuple[Any, ...]]:
        """Return time since the start, address and some values of each reading."""
        times = [each.received_ms if each.time_ms is None else each.time_ms for each in self.inbox.readings]
        return [
            (at_ms - START_MS, each.address, *(getattr(each, name) for name in names))
            for at_ms, each in zip(times, self.inbox.readings, strict=True)
        ]


def test_every_captured_message_is_read_or_rightly_left() -> None:
    listener = TestListener(ZIGBEE, ESPHOME, {"preset": "rtl_433"})
    for each in captured("mqtt_json"):
        listener.collector.take(each)
    assert listener.said("power_w", "register_wh", "current_a")[:5] == [
        (0, "zigbee2mqtt/Kitchen/Fridge", 71, None, None),
        (5000, "zigbee2mqtt/Washer", 88, 12500, None),
        (5000, "zigbee2mqtt/Dryer", 0, 3010, None),
        (0, "esphome/athom-plug", 71.3, None, None),
        (0, "esphome/athom-plug", None, None, None),
    ]
    listener.collector.take(next(each for each in captured("mqtt_json") if b"Efergy" in each.payload))
    assert listener.said("power_w", "current_a")[-5:] == [
        (0, "rtl_433/CurrentCost-TX/2302", 1073, None),
        (0, "rtl_433/CurrentCost-TX/2302/1", 0, None),
        (0, "rtl_433/CurrentCost-TX/2302/2", 0, None),
        (0, "rtl_433/Efergy-e2CT/16386", None, 18.781),
        (0, "rtl_433/Efergy-e2CT/16386", None, 18.781),
    ]
    assert listener.inbox.online == {"zigbee2mqtt/Washer": True, "esphome/athom-plug": True}
    assert listener.inbox.refused == {("athom-plug/sensor/energy/state", "unit"): 1}


def test_current_is_taken_in_the_unit_that_the_device_announces() -> None:
    listener = TestListener(ZIGBEE)
    payload = {"current": 383, "energy": None, "power": 71, "voltage": 243}
    listener.hears("zigbee2mqtt/Fridge", payload)
    listener.hears(
        "zigbee2mqtt/bridge/devices", bridge_of({"Fridge": {"current": "mA", "voltage": "V"}}), retained=True
    )
    listener.hears("zigbee2mqtt/Fridge", payload, at_ms=10_000)
    assert listener.said("power_w", "current_a", "voltage_v", "register_wh") == [
        (0, "zigbee2mqtt/Fridge", 71, None, None, None),
        (10_000, "zigbee2mqtt/Fridge", 71, 0.383, 243, None),
    ]


def test_a_unit_that_is_configured_goes_before_and_only_for_its_devices() -> None:
    listener = TestListener({**ZIGBEE, "devices": ["Heater"], "current_unit": "mA", "power_unit": "kW"}, ZIGBEE)
    bridge = bridge_of({"Heater": {"current": "A"}, "Fridge": {"current": "A"}})
    listener.hears("zigbee2mqtt/bridge/devices", bridge)
    for name in ("Heater", "Fridge"):
        listener.hears(f"zigbee2mqtt/{name}", {"power": 2, "current": 500})
        listener.hears(f"zigbee2mqtt/{name}/availability", "offline")
    assert listener.said("power_w", "current_a") == [
        (0, "zigbee2mqtt/Heater", 2000, 0.5),
        (0, "zigbee2mqtt/Fridge", 2, 500),
    ]
    assert listener.inbox.online == {"zigbee2mqtt/Heater": False, "zigbee2mqtt/Fridge": False}


@pytest.mark.parametrize("about", ["set", "get", "availability", "power"])
def test_what_is_no_state_of_a_zigbee_device_is_left(about: str) -> None:
    listener = TestListener(ZIGBEE)
    payload = "online" if about == "availability" else "71" if about == "power" else {"power": 71}
    listener.hears(f"zigbee2mqtt/Fridge/{about}", payload)
    listener.hears("zigbee2mqtt/bridge/logging", {"power": 1})
    listener.hears("zigbee2mqtt/Group", {"state": "ON"})
    assert listener.inbox.heard == []
    assert listener.inbox.refused == {}


def test_what_the_broker_kept_is_used_only_with_a_time_of_its_own() -> None:
    listener = TestListener(ZIGBEE)
    listener.hears("zigbee2mqtt/Fridge", {"power": 71}, at_ms=60_000, retained=True)
    listener.hears("zigbee2mqtt/Fridge", {"power": 72, "last_seen": START_MS}, at_ms=60_000, retained=True)
    assert listener.said("power_w") == [(0, "zigbee2mqtt/Fridge", 72)]


def test_quantities_in_messages_of_their_own_are_one_reading() -> None:
    listener = TestListener(ESPHOME)
    config = {"stat_t": "plug/sensor/energy/state", "unit_of_meas": "Wh"}
    listener.hears("homeassistant/sensor/plug/energy/config", config, retained=True)
    for round_ms in (0, 10_000):
        for number, (name, value) in enumerate(
            [("current", "0.31"), ("power", "71.3"), ("energy", "12"), ("voltage", "230")]
        ):
            listener.hears(f"plug/sensor/{name}/state", value, at_ms=round_ms + number * 50)
    assert listener.said("power_w", "register_wh", "voltage_v", "current_a") == [
        (50, "esphome/plug", 71.3, None, None, 0.31),
        (50, "esphome/plug", None, 12, None, None),
        (50, "esphome/plug", None, None, 230, None),
        (10_050, "esphome/plug", 71.3, None, None, 0.31),
        (10_050, "esphome/plug", None, 12, None, None),
        (10_050, "esphome/plug", None, None, 230, None),
    ]


def test_power_and_register_in_messages_of_their_own_make_no_zero_of_each_other() -> None:
    listener = TestListener(METER)
    for at_ms, said in [(0, {"p": 5}), (500, {"e": 1}), (9000, {"e": 2}), (9500, {"p": 6}), (9800, {"p": 7})]:
        listener.hears("meters/a", said, at_ms=at_ms)
    assert listener.said("power_w", "register_wh") == [
        (0, "a", 5, None), (0, "a", None, 1000), (9000, "a", None, 2000), (9000, "a", 6, None), (9800, "a", 7, None)
    ]  # fmt: skip


def test_a_current_alone_waits_for_its_power_also_over_rounds() -> None:
    listener = TestListener(METER)
    listener.hears("meters/a", {"p": 5})
    listener.hears("meters/a", {"i": 0.1}, at_ms=5000)
    listener.hears("meters/a", {"i": 0.2}, at_ms=9000)
    listener.hears("meters/a", {"p": 6}, at_ms=10_000)
    assert listener.said("power_w", "current_a") == [(0, "a", 5, None), (10_000, "a", 6, 0.2)]


def test_a_device_that_says_nothing_but_its_current_is_read_by_it_and_loses_none() -> None:
    listener = TestListener(METER)
    for at_ms in (0, 10_000, 20_000):
        listener.hears("meters/clamp", {"i": 2 + at_ms / 1e4}, at_ms=at_ms)
    assert listener.said("current_a") == [(0, "clamp", 2), (10_000, "clamp", 3), (20_000, "clamp", 4)]
    alone = TestListener({"topic": "clamps/{device}", "field": "current", "current_unit": "mA"})
    alone.hears("clamps/a", "1500")
    assert alone.said("current_a") == [(0, "a", 1.5)]


def test_a_part_of_an_esphome_node_is_a_device_of_its_own_and_goes_with_it() -> None:
    listener = TestListener(ESPHOME)
    listener.hears("node/sensor/pump_power/state", "12")
    listener.hears("node/sensor/power/state", "30")
    listener.hears("node/sensor/total_daily_energy/state", "1.5")
    listener.hears("node/sensor/reactive_power_factor_x/state", "1.5")
    listener.hears("node/status", "offline", retained=True)
    assert listener.said("power_w") == [(0, "esphome/node/pump", 12), (0, "esphome/node", 30)]
    assert listener.inbox.online == {"esphome/node": False, "esphome/node/pump": False}


def test_a_register_of_the_day_can_be_named_and_is_the_nodes() -> None:
    listener = TestListener({**ESPHOME, "register": "total_daily_energy", "register_unit": "kWh"})
    listener.hears("node/sensor/power/state", "30")
    listener.hears("node/sensor/total_daily_energy/state", "1.5")
    listener.hears("node/sensor/energy/state", "7")
    assert listener.said("power_w", "register_wh") == [(0, "esphome/node", 30, None), (0, "esphome/node", None, 1500)]


def test_a_meter_of_its_own_kind_is_read_as_configured() -> None:
    listener = TestListener(
        {
            "topic": "rtl_433/{host}/events",
            "address": "meter/{model}/{id}",
            "register": ["consumption_data", "Consumption"],
            "register_unit": "Wh",
            "register_step": 10,
            "time": "time",
            "timezone": "Europe/Rome",
            "boot": "restarts",
        }
    )
    said = {
        "model": "ERT-SCM",
        "id": 4198071,
        "consumption_data": 5200778,
        "time": "2026-01-01 00:59:00",
        "restarts": 3,
    }
    listener.hears("rtl_433/attic/events", said)
    (reading,) = listener.inbox.readings
    assert reading == Reading(
        source="mqtt_json",
        address="meter/ERT-SCM/4198071",
        received_ms=START_MS,
        time_ms=START_MS - 60_000,
        register_wh=52_007_780,
        boot_id=3,
    )


def test_plain_numbers_are_read_and_words_for_none_are_left() -> None:
    listener = TestListener({"topic": "house/power", "address": "house", "field": "power", "power_unit": "kW"})
    for at_ms, payload in enumerate(["1.5", '"2.5"', "unavailable", "null", ""]):
        listener.hears("house/power", payload, at_ms=at_ms * 10_000)
    assert listener.said("power_w") == [(0, "house", 1500), (10_000, "house", 2500)]
    assert listener.inbox.refused == {}


def test_null_is_absent_or_zero_as_configured_but_never_a_register_of_zero() -> None:
    for null, powers in [("absent", []), ("zero", [(0, "a", 0, None)])]:
        listener = TestListener({**METER, "null": null})
        listener.hears("meters/a", {"p": None, "e": None})
        listener.hears("meters/a", {"e": None, "u": None})
        assert listener.said("power_w", "register_wh") == powers
        assert listener.inbox.refused == {}


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        ("soon", "format"),
        ("12", "format"),
        (b"\xff", "format"),
        (b"x" * 1_000_000, "length"),
        (b"[" * 60_000, "format"),
        ({"p": True}, "number"),
        ({"p": "ON"}, "number"),
        ({"p": 5, "t": "soon"}, "time"),
        ({"p": 5, "t": "2026-01-01 00:00:00"}, "time"),
        ({"temperature": 20}, "fields"),
        ([1, 2], "fields"),
    ],
    ids=lambda value: str(value)[:25],
)
def test_what_cannot_be_used_is_refused_with_topic_and_cause(payload: Any, cause: str) -> None:
    listener = TestListener(METER)
    listener.hears("meters/a", payload)
    assert listener.inbox.refused == {("meters/a", cause): 1}
    assert listener.inbox.readings == []


def test_a_flood_of_forged_topics_does_not_fill_the_memory() -> None:
    listener = TestListener(METER)
    for number in range(DEVICES_MAX + 5):
        listener.hears(f"meters/{number}", {"p": 1})
    assert listener.inbox.causes() == {"flood": 5}


def test_nothing_is_subscribed_to_twice() -> None:
    listener = TestListener(ZIGBEE, {**ZIGBEE, "devices": ["x"]}, ESPHOME, METER)
    assert listener.collector.topics() == [
        "zigbee2mqtt/#", "+/sensor/+/state", "meters/+", "+/status", "homeassistant/sensor/+/+/config"
    ]  # fmt: skip


def test_another_base_topic_takes_presence_and_announcements_with_it() -> None:
    listener = TestListener({**ZIGBEE, "topic": "zb/{device#}"})
    listener.hears("zb/bridge/devices", bridge_of({"Fridge": {"current": "mA"}}))
    listener.hears("zb/Fridge", {"power": 1, "current": 5})
    listener.hears("zb/Fridge/availability", {"state": "offline"})
    assert listener.said("current_a") == [(0, "zigbee2mqtt/Fridge", 0.005)]
    assert listener.inbox.online == {"zigbee2mqtt/Fridge": False}


def test_each_entry_has_traits_of_its_own() -> None:
    config = TestListener(ZIGBEE, ESPHOME, {"preset": "rtl_433"}, {**METER, "limit_w": 4000, "gap_limit_s": 30}).config
    assert config.traits_of("zigbee2mqtt/Kitchen/Fridge").gap_limit_ms == 3_900_000
    assert config.traits_of("esphome/node/pump").cadence is Cadence.POLLED
    assert config.traits_of("rtl_433/CurrentCost-TX/2302/1").gap_limit_ms == 120_000
    assert (config.traits_of("a").limit_w, config.traits_of("a").gap_limit_ms) == (4000, 30_000)
    only = TestListener({**METER, "devices": ["a"], "gap_limit_s": 5}).config
    assert only.traits_of("b") == only.traits


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([], "topic"),
        ([{"power": "p"}], "topic is missing"),
        ([{"topic": "a/{device}"}], "nothing is read"),
        ([{"topic": "a/b", "power": "p"}], "address"),
        ([{"topic": "a//b", "power": "p"}], "no topic"),
        ([{**METER, "field": "power"}], "plain number"),
        ([{**METER, "power_unit": "horse"}], r"power_unit.*topic\[0\]|Invalid enum value 'horse'"),
        ([{**METER, "register_unit": "announced"}], "register_unit"),
        ([{**METER, "timezone": "Rome"}], "timezone 'Rome'"),
        ([{**METER, "pwoer": "p"}], "pwoer"),
        ([{**METER, "presence": "x/{node}"}], "presence"),
        ([{"topic": "{device}/{field}", "power": ["a", "b"]}], "one name"),
        ([{"topic": "{device}", "field": "power", "address": "{model}"}], "model"),
        ([METER, {**METER, "topic": "more/{device}", "gap_limit_s": 5}], "may give the same address"),
    ],
)
def test_a_wrong_entry_is_named(entries: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        msgspec.convert({"topic": entries}, Config)
