"""Topics, payloads and announcements, to values."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.errors import PacketError
from casawatt.sources.mqtt_json_announced import Units, announced_sensor, bridge_devices
from casawatt.sources.mqtt_json_topics import TopicPattern, covers, without_overlap
from casawatt.sources.mqtt_json_values import MISSING, decoded, found_at, number, time_ms, whole_number
from tests.fakes.clock import START_MS
from tests.sources.mqtt_messages import message
from tests.virtual_plugs.zigbee import bridge_of

ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(
    ("pattern", "subscription", "topic", "parts"),
    [
        ("zigbee2mqtt/{device#}", "zigbee2mqtt/#", "zigbee2mqtt/Kitchen/Fridge", {"device": "Kitchen/Fridge"}),
        ("{device}/sensor/{field}", "+/sensor/+", "plug/sensor/power", {"device": "plug", "field": "power"}),
        ("r/{host}/{device#}/{field}", "r/+/#", "r/a/M/1/W", {"host": "a", "device": "M/1", "field": "W"}),
        ("a/+/b/#", "a/+/b/#", "a/x/b/c/d", {}),
        ("a/{device}", "a/+", "a/b/c", None),
        ("a.b/{device}", "a.b/+", "a+b/c", None),
    ],
)  # fmt: skip
def test_a_topic_is_subscribed_to_and_its_parts_are_named(
    pattern: str, subscription: str, topic: str, parts: dict[str, str] | None
) -> None:
    compiled = TopicPattern(pattern)
    assert compiled.subscription == subscription
    assert compiled.match(topic) == parts


@pytest.mark.parametrize("pattern", ["", "a//b", "a/#/b", "a/b+", "{Device}", "{a}{b}", "{a}/{a}", "a/{b"])
def test_a_topic_that_cannot_be_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="no topic"):
        TopicPattern(pattern)


def test_topics_do_not_overlap() -> None:
    given = ["z/#", "z/+/availability", "z/bridge/devices", "+/status", "a/status", "a/+/b", "a/x/b", "a/x/c", "z/#"]
    assert without_overlap(given) == ["z/#", "+/status", "a/+/b", "a/x/c"]
    assert not covers("a/+", "a/#")
    assert not covers("a/+", "a/b/c")
    assert not covers("a/b/c", "a/b")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (71, 71.0), (0, 0.0), (-3.5, -3.5), ("12.3", 12.3), (" 7 ", 7.0), ("-1e3", -1000.0), (".5", 0.5),
        (None, None), (MISSING, None), ("unavailable", None), ("Unknown", None),
        ("", None), ("NaN", None),
    ],
)  # fmt: skip
def test_numbers_are_read_also_in_quotes_and_words_for_none_say_nothing(value: Any, expected: float | None) -> None:
    assert number("power", value) == expected


@pytest.mark.parametrize("value", [True, False, [], {}, "12,3", "1_000", "12 W", "ON", "0x10", 10**400, "1e999"])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(PacketError, match="power is") as refused:
        number("power", value)
    assert refused.value.cause == "number"


def test_a_boot_number_is_whole() -> None:
    assert whole_number("boot", "7") == 7
    with pytest.raises(PacketError, match="whole"):
        whole_number("boot", 7.5)


@pytest.mark.parametrize(
    ("payload", "cause"),
    [(b"x" * 1_000_000, "length"), (b"[" * 30_000, "format"), (b"\xff\xfe", "format")],
    ids=["1 MB", "deep", "no text"],
)
def test_huge_deep_and_foreign_payloads_are_refused(payload: bytes, cause: str) -> None:
    with pytest.raises(PacketError) as refused:
        decoded(payload)
    assert refused.value.cause == cause


def test_what_is_no_json_is_text() -> None:
    assert decoded(b"unavailable") == "unavailable"
    assert decoded(b"12.5") == 12.5


def test_a_path_leads_through_objects_and_lists_and_a_key_may_have_points() -> None:
    value = {"a": {"b": [1, {"c": 2}]}, "a.b": 3, "n": None}
    assert found_at(value, ("a.b",)) == 3
    assert found_at(value, ("a.b.1.c",)) == 2
    assert found_at(value, ("x", "a.b.0")) == 1
    assert found_at(value, ("n",)) is None
    assert found_at(value, ("a.b.7", "a.c", "n.x")) is MISSING
    assert found_at([[5]], ("0.0",)) == 5


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("2026-01-01T00:00:00.000Z", "auto"), ("2026-01-01T01:00:00+01:00", "auto"), ("2026-01-01 01:00:00", "iso8601"),
        (1767225600, "auto"), (1767225600000, "auto"), ("1767225600", "auto"), (1767225600.0, "s"),
        (1767225600000, "ms"),
    ],
)  # fmt: skip
def test_times_of_all_forms_are_the_same_time(value: Any, unit: str) -> None:
    assert time_ms(value, unit, ROME, START_MS) == START_MS


def test_of_an_hour_that_comes_twice_the_pass_nearer_to_arrival_is_taken() -> None:
    first_ms = 1603585800000  # 2020-10-25T00:30:00Z
    for at_ms in (first_ms, first_ms + 3_600_000):
        assert time_ms("2020-10-25 02:30:00", "auto", ROME, at_ms + 2000) == at_ms


@pytest.mark.parametrize("value", ["soon", True, [], "2026-13-01", -5, 1e300, "2026-01-01 00:00:00"])
def test_what_is_no_time_or_has_no_zone_is_refused(value: Any) -> None:
    with pytest.raises(PacketError) as refused:
        time_ms(value, "auto", None, START_MS)
    assert refused.value.cause == "time"


def test_no_time_is_no_time() -> None:
    assert time_ms(None, "auto", None, START_MS) is None
    assert time_ms("unknown", "auto", None, START_MS) is None


def test_zigbee2mqtt_announces_the_unit_of_each_property() -> None:
    payload = message("", bridge_of({"Fridge": {"power": "W", "current": "mA", "energy": "kWh"}, "Lamp": {}})).payload
    assert [device.friendly_name for device in bridge_devices(payload)] == ["Coordinator", "Fridge", "Lamp"]
    units = Units()
    units.learn_bridge("zigbee2mqtt", payload)
    assert units.unit("current", "zigbee2mqtt/Fridge", "current") == "mA"
    assert units.unit("voltage", "zigbee2mqtt/Fridge", "voltage") is None
    assert units.unit("current", "zigbee2mqtt/Other", "current") is None


def test_a_sensor_announced_for_home_assistant_says_where_and_in_which_unit() -> None:
    short = {
        "~": "plug",
        "stat_t": "~/sensor/energy/state",
        "unit_of_meas": "Wh",
        "dev_cla": "energy",
        "dev": {"name": "P"},
    }
    sensor = announced_sensor(message("", short).payload)
    assert sensor is not None
    assert (sensor.state_topic, sensor.unit, sensor.field, sensor.device) == (
        "plug/sensor/energy/state",
        "Wh",
        "register",
        "P",
    )
    assert announced_sensor(b'{"name": "x"}') is None
    units = Units()
    units.learn_sensor(message("", {"state_topic": "t", "unit_of_measurement": "VAr"}).payload)
    assert units.unit("power", "t", None) is None


@pytest.mark.parametrize("payload", [b"", b"[1]", b'{"a": 1}', b"[" * 100_000])
def test_an_announcement_that_cannot_be_read_is_refused(payload: bytes) -> None:
    with pytest.raises(PacketError):
        bridge_devices(payload)
