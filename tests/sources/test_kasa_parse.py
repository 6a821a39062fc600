"""What Kasa and Tapo plugs say, from captures."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.errors import PacketError
from casawatt.sources import kasa_legacy, kasa_tapo
from casawatt.sources.kasa_legacy import Realtime, parse_realtime
from casawatt.sources.kasa_link import Host, mac_of, parse_host
from casawatt.sources.kasa_tapo import parse_months, parse_usage, parse_zone

CAPTURES = Path(__file__).parents[1] / "captures" / "kasa"


def capture(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_text())
    return document


def cause_of(raised: pytest.ExceptionInfo[PacketError]) -> str:
    return raised.value.cause


def test_an_old_kasa_speaks_in_amperes_watts_and_kilowatt_hours() -> None:
    assert parse_realtime(capture("hs110-v1")) == Realtime(0.9285, 231.07, 0.0149, 55_139.0)


def test_a_newer_kasa_speaks_in_milli_units_and_watt_hours() -> None:
    said = parse_realtime(capture("kp115"))
    assert said.register_wh == 12_068
    assert (said.power_w, said.voltage_v, said.current_a) == pytest.approx((63.499, 230.577, 0.296))


def test_a_tapo_speaks_in_milliwatts_and_watt_hours_of_the_day_and_month() -> None:
    said = parse_usage(capture("p110"))
    assert (said.power_w, said.voltage_v, said.today_wh, said.month_wh) == (0.0, None, 46, 430)
    assert said.local == datetime(2024, 1, 19, 22, 33, 18)  # noqa: DTZ001 - as the plug says it


def test_newer_firmware_adds_voltage_and_current_and_its_power_goes_first() -> None:
    said = parse_usage(capture("p110-live"))
    assert (said.power_w, said.voltage_v, said.current_a) == pytest.approx((8.975, 230.112, 0.039))


def test_a_socket_that_says_its_power_elsewhere_says_it_in_watts() -> None:
    assert parse_usage(capture("p304m-socket")).power_w == 5.0


def test_a_plug_without_a_meter_is_told_apart() -> None:
    with pytest.raises(PacketError) as raised:
        parse_usage(capture("p100"))
    assert cause_of(raised) == "no_meter"
    with pytest.raises(PacketError) as raised:
        parse_realtime({"emeter": {"err_code": -1, "err_msg": "module not support"}})
    assert cause_of(raised) == "no_meter"


def test_the_months_of_a_year_are_its_energy_in_watt_hours() -> None:
    assert sum(parse_months(capture("p110-months"))) == 9882


@pytest.mark.parametrize("data", [None, [], [1] * 11, [1] * 13, [1] * 11 + [-1], [1] * 11 + ["x"], [1] * 11 + [True]])
def test_months_that_are_not_twelve_numbers_are_refused(data: object) -> None:
    with pytest.raises(PacketError) as raised:
        parse_months({"data": data})
    assert cause_of(raised) == "history"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({}, "format"),
        ({"emeter": None}, "format"),
        ({"emeter": {"get_realtime": {"err_code": 0}}}, "format"),
        ({"emeter": {"get_realtime": {"err_code": -3, "err_msg": "invalid argument"}}}, "device"),
        ({"emeter": {"get_realtime": {"power": "1", "err_code": 0}}}, "number"),
        ({"emeter": {"get_realtime": {"power": True, "err_code": 0}}}, "number"),
    ],
)
def test_a_kasa_answer_that_cannot_be_understood_says_why(answer: object, cause: str) -> None:
    with pytest.raises(PacketError) as raised:
        parse_realtime(answer)
    assert cause_of(raised) == cause


@pytest.mark.parametrize(
    ("usage", "cause"),
    [
        ({"local_time": "yesterday"}, "time"),
        ({}, "time"),
        ({"local_time": "2026-01-01 00:00:00", "current_power": "1"}, "number"),
        ({"local_time": "2026-01-01 00:00:00", "today_energy": [1]}, "number"),
    ],
)
def test_a_tapo_answer_that_cannot_be_understood_says_why(usage: object, cause: str) -> None:
    with pytest.raises(PacketError) as raised:
        parse_usage({"get_energy_usage": usage})
    assert cause_of(raised) == cause


def test_the_zone_is_the_region_else_the_offset_else_utc() -> None:
    assert parse_zone({"region": "Europe/Rome", "time_diff": 60}) == ZoneInfo("Europe/Rome")
    assert parse_zone({"region": "Mars/Base", "time_diff": 60}) == timezone(timedelta(hours=1))
    assert parse_zone({"region": "", "time_diff": -300}) == timezone(timedelta(hours=-5))
    assert parse_zone({"time_diff": "x"}) == UTC


def test_sockets_of_strips_keep_their_numbers() -> None:
    assert kasa_legacy.children_of({"children": [{"id": "a00", "alias": "TV"}, {"id": "a01"}]}) == [
        ("a00", "TV"),
        ("a01", None),
    ]
    listed = {"child_device_list": [{"device_id": "b", "position": 2}, {"device_id": "a", "position": 1}]}
    assert kasa_tapo.children_of(listed) == ["a", "b"]
    assert kasa_tapo.children_of(-1002) == []
    with pytest.raises(PacketError):
        kasa_legacy.children_of({"children": ["a"]})


@pytest.mark.parametrize("text", ["50:C7:BF:00:00:01", "50-c7-bf-00-00-01", "50C7BF000001"])
def test_a_mac_address_is_written_in_one_way(text: str) -> None:
    assert mac_of(text) == "50:c7:bf:00:00:01"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("192.168.1.20", Host("192.168.1.20")),
        ("plug.lan:9999", Host("plug.lan", 9999)),
        ("fe80::1", Host("fe80::1")),
        ("[fe80::1]:80", Host("fe80::1", 80)),
    ],
)
def test_a_host_may_have_a_port(text: str, host: Host) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize("text", ["", "http://plug", "plug:x", "plug:0", "plug:70000", "a b"])
def test_a_host_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse_host(text)
