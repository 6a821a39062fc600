"""Tasmota's topics and payloads, to values."""

from datetime import UTC, datetime
from typing import Any

import pytest

from casawatt.model.errors import PacketError
from casawatt.sources.tasmota_wire import (
    Channel,
    FullTopic,
    Place,
    parse_announced,
    parse_sensor,
    parse_state,
)
from tests.sources.mqtt_messages import captured, message

SAID = {each.topic: each.payload for each in captured("tasmota")}


def energy(**said: Any) -> bytes:
    return message("", {"Time": "2026-01-01T00:00:00", "ENERGY": said}).payload


def test_a_plug_says_power_register_voltage_current_and_factor() -> None:
    said = parse_sensor(SAID["tele/plug/SENSOR"])
    assert said.channels == (Channel("", 2635, 6294, 227, 11.661, 0.99),)
    assert said.stamp == datetime(2026, 1, 1)  # noqa: DTZ001 - Tasmota's stamps have no zone


def test_two_channels_are_the_whole_device_and_each_of_them() -> None:
    whole, first, second = parse_sensor(SAID["tele/dual/SENSOR"]).channels
    assert whole == Channel("", 139, 31, 234, None, None)
    assert first == Channel("/1", 114, None, 234, 0.485, 1.0)
    assert second == Channel("/2", 25, None, 234, 0.108, 1.0)


def test_channels_with_totals_of_their_own_have_registers_of_their_own() -> None:
    whole, *channels = parse_sensor(energy(Total=[1.5, 0.25, 2.0], Power=[1, 2, 3], Voltage=[230, 231, 232])).channels
    assert (whole.power_w, whole.register_wh, whole.voltage_v) == (6, 3750, None)
    assert [(each.suffix, each.register_wh, each.voltage_v) for each in channels] == [
        ("/1", 1500, 230),
        ("/2", 250, 231),
        ("/3", 2000, 232),
    ]


def test_a_list_of_one_is_the_device_itself() -> None:
    assert parse_sensor(energy(Power=[5], Total=1)).channels == (Channel("", 5, 1000, None, None, None),)


def test_the_whole_is_not_known_when_a_part_is_not() -> None:
    whole, first, second = parse_sensor(energy(Power=[5, None], Total=[1.0])).channels
    assert (whole.power_w, whole.register_wh) == (None, 1000)
    assert (first.power_w, second.power_w) == (5, None)


def test_what_is_not_said_is_absent() -> None:
    assert parse_sensor(SAID["tele/compteur/SENSOR"]).channels == (Channel("", 860, 7970903, None, 4.0, None),)
    assert parse_sensor(energy(Power=None)).channels[0].reading("plug", None, 0, None) is None


def test_power_that_flows_back_is_negative() -> None:
    assert parse_sensor(energy(Power=-420)).channels[0].power_w == -420


def test_a_device_that_does_not_meter_has_no_channels_and_is_not_refused() -> None:
    assert parse_sensor(SAID["tele/heating/SENSOR"]).channels == ()


def test_an_answer_to_status_10_is_read_like_telemetry() -> None:
    assert parse_sensor(SAID["stat/pzem/STATUS10"]).channels == (Channel("", 2, 41573, 230, 0.094, 0.08),)


def test_a_state_says_for_how_long_the_device_has_been_up() -> None:
    stamp, uptime_s = parse_state(SAID["tele/dual/STATE"])
    assert (stamp, uptime_s) == (datetime(2024, 7, 3, 10, 58, 19), 60010)  # noqa: DTZ001 - Tasmota's stamps have no zone


@pytest.mark.parametrize(
    ("said", "stamp"),
    [
        ({"Time": "2026-01-01T01:00:00+01:00"}, datetime(2026, 1, 1, tzinfo=UTC)),
        ({"Time": "2026-01-01T01:00:00", "Epoch": 1767225600}, datetime(2026, 1, 1, tzinfo=UTC)),
        ({"Time": 1767225600}, datetime(2026, 1, 1, tzinfo=UTC)),
        ({}, None),
    ],
)
def test_a_stamp_may_have_an_offset_or_be_seconds_since_1970(said: dict[str, Any], stamp: datetime | None) -> None:
    assert parse_sensor(message("", said | {"ENERGY": {"Power": 1}}).payload).stamp == stamp


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (b"", "format"),
        (b"Online", "format"),
        (b"[1, 2]", "format"),
        (b'{"ENERGY": 5}', "format"),
        (b'{"StatusSNS": 5}', "format"),
        (b'{"ENERGY": {"Power": true}}', "number"),
        (b'{"ENERGY": {"Power": "12"}}', "number"),
        (b'{"ENERGY": {"Power": [1, {}]}}', "number"),
        (b'{"ENERGY": {"Power": nan}}', "format"),
        (b'{"Time": "soon", "ENERGY": {"Power": 1}}', "time"),
        (b'{"Time": true, "ENERGY": {"Power": 1}}', "time"),
        (b'{"Time": 1e300, "ENERGY": {"Power": 1}}', "time"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "format"),
        (b'{"x": "' + b"a" * 1_000_000 + b'"}', "length"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_understood_is_refused_with_its_cause(payload: bytes, cause: str) -> None:
    with pytest.raises(PacketError) as refused:
        parse_sensor(payload)
    assert refused.value.cause == cause


def test_an_announcement_names_the_device_as_its_owner_does() -> None:
    said = parse_announced(SAID["tasmota/discovery/48551917E7AE/config"])
    assert (said.topic, said.full_topic, said.name) == ("tasmota_17E7AE", "%prefix%/%topic%/", "plug-geschirrspueler")
    assert (said.names[0], said.model, said.address) == ("Geschirrspüler", "Nous A1T", "172.19.13.2")


@pytest.mark.parametrize(
    ("pattern", "topic", "place"),
    [
        ("%prefix%/%topic%/", "tele/plug/SENSOR", Place("plug", "SENSOR", "cmnd/plug")),
        ("%topic%/%prefix%/", "plug/tele/SENSOR", Place("plug", "SENSOR", "plug/cmnd")),
        ("home/%prefix%/%topic%", "home/stat/plug/STATUS8", Place("plug", "STATUS8", "home/cmnd/plug")),
        ("%hostname%/%prefix%/%topic%", "h1/tele/plug/LWT", Place("plug", "LWT", "h1/cmnd/plug")),
        ("%prefix%/%id%", "tele/DVES_1/LWT", Place("DVES_1", "LWT", "cmnd/DVES_1")),
        ("%prefix%/%topic%/", "cmnd/plug/POWER", None),
        ("%prefix%/%topic%/", "tele/plug/more/SENSOR", None),
        ("home/%prefix%/%topic%", "away/tele/plug/SENSOR", None),
    ],
)
def test_a_topic_is_taken_apart_by_the_full_topic_of_the_device(pattern: str, topic: str, place: Place | None) -> None:
    assert FullTopic(pattern).place(topic) == place


@pytest.mark.parametrize("pattern", ["", "%topic%", "%prefix%", "%prefix%/%topic%/%topic%", "%prefix%/x%topic%", "#"])
def test_a_full_topic_that_names_no_prefix_or_no_device_is_no_full_topic(pattern: str) -> None:
    with pytest.raises(ValueError, match="FullTopic"):
        FullTopic(pattern)
