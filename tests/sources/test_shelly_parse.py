"""What real Shellys said, and what it means."""

import json
from pathlib import Path
from typing import Any

import pytest

from casawatt.model.errors import PacketError
from casawatt.model.meter import Cadence
from casawatt.sources import shelly, shelly_gen1
from casawatt.sources.shelly_device import ShellyDevice
from casawatt.sources.shelly_parse import Minutes, Said, said_by
from casawatt.sources.shelly_passwords import load_passwords

CAPTURES = Path(__file__).parents[1] / "captures" / "shelly"


def capture(name: str) -> Any:
    return json.loads((CAPTURES / f"{name}.json").read_text())


def said(name: str, document: dict[str, Any]) -> dict[str, Said]:
    return {each.channel: each for each in said_by(name, document, document) if not each.is_empty}


def test_a_plug_says_power_voltage_current_and_its_register() -> None:
    assert said("switch:0", capture("gen2-switch")) == {"switch:0": Said("switch:0", 0.8, 222.6, 0.01, None, 922.282)}


def test_minutes_are_told_only_where_it_is_clear_which_they_are() -> None:
    assert said("switch:0", capture("gen2-switch"))["switch:0"].minutes is None
    newer = said("switch:0", capture("gen3-switch"))["switch:0"]
    assert newer.minutes == Minutes(1788945300, (0.0, 0.0, 0.0))
    assert newer.register_wh == 2690.73


def test_what_was_returned_is_taken_off_and_has_an_address_of_its_own() -> None:
    document = {
        "apower": -120.5,
        "aenergy": {"total": 500.25, "by_minute": [2000, 1000.5, 0], "minute_ts": 1788945300},
        "ret_aenergy": {"total": 100.25, "by_minute": [2000, 500.5, 0], "minute_ts": 1788945300},
    }
    assert said("pm1:0", document) == {
        "pm1:0": Said("pm1:0", -120.5, register_wh=400.0, minutes=Minutes(1788945300, (0.0, 0.5, 0.0))),
        "pm1:0/return": Said("pm1:0/return", register_wh=100.25, minutes=Minutes(1788945300, (2.0, 0.5005, 0.0))),
    }


def test_a_register_is_not_known_from_a_message_that_leaves_out_what_was_returned() -> None:
    whole = {"apower": 5.0, "aenergy": {"total": 500.0}, "ret_aenergy": {"total": 100.0}}
    assert said_by("switch:0", whole, {"aenergy": {"total": 500.0}}) == [Said("switch:0", 5.0)]
    never_returned = {"apower": 5.0, "aenergy": {"total": 500.0}, "ret_aenergy": {"total": 0}}
    assert said_by("switch:0", never_returned, {"aenergy": {"total": 500.0}}) == [
        Said("switch:0", 5.0, register_wh=500)
    ]


def test_three_phases_are_one_meter_with_three_parts() -> None:
    status = capture("pro3em-status")
    electric, registers = said("em:0", status["em:0"]), said("emdata:0", status["emdata:0"])
    assert electric["em:0"] == Said("em:0", 0.067, current_a=0.094)
    assert electric["em:0/c"] == Said("em:0/c", 0.1, 233.5, 0.026, 1.0)
    assert {channel: each.register_wh for channel, each in registers.items()} == {
        "em:0": 119878.25,
        "em:0/return": 1607.05,
        "em:0/a": 39922.93,
        "em:0/a/return": 1075.97,
        "em:0/b": 39898.66,
        "em:0/b/return": 484.19,
        "em:0/c": 40056.66,
        "em:0/c/return": 46.89,
    }


def test_one_phase_of_an_energy_meter_may_feed_in() -> None:
    change = capture("gen3-notify-em1")["params"]["em1:0"]
    assert said("em1:0", change) == {"em1:0": Said("em1:0", -1899.8, 117.6, 16.714)}
    data = {"id": 0, "total_act_energy": 12.5, "total_act_ret_energy": 0}
    assert said("em1data:0", data) == {"em1:0": Said("em1:0", register_wh=12.5)}


def test_a_component_nobody_knows_yet_is_read_if_it_measures_in_the_usual_words() -> None:
    assert said("rgbww:1", {"apower": 12.0, "aenergy": {"total": 3.0}})["rgbww:1"].register_wh == 3.0
    assert said_by("input:0", {"id": 0, "state": True}, {}) == []


@pytest.mark.parametrize(
    ("component", "document", "cause"),
    [
        ("switch:0", {"apower": "12"}, "number"),
        ("switch:0", {"apower": True}, "number"),
        ("switch:0", {"apower": float("nan")}, "number"),
        ("switch:0", {"apower": 1, "aenergy": 7}, "format"),
        ("em:0", {"a_act_power": []}, "number"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(component: str, document: dict[str, Any], cause: str) -> None:
    with pytest.raises(PacketError) as refused:
        said_by(component, document, document)
    assert refused.value.cause == cause


def test_current_without_power_is_left_out_as_it_alone_would_be_taken_for_watts() -> None:
    document: dict[str, Any] = {"aenergy": {}, "apower": None, "current": 4.2, "voltage": 230.0, "pf": 0.4}
    assert said("switch:0", document) == {"switch:0": Said("switch:0", voltage_v=230.0)}


def test_generation_1_counts_in_watt_minutes() -> None:
    (plug,) = shelly_gen1.parse(capture("gen1-plug-status"), "SHPLG-1")
    assert plug == Said("meter:0", 0.0, register_wh=9851 / 60)
    (relay,) = shelly_gen1.parse(capture("gen1-1pm-status"), "SHSW-PM")
    assert relay == Said("meter:0", 4711.12, register_wh=6472513 / 60)


def test_generation_1_energy_meters_count_in_watt_hours_and_three_are_one() -> None:
    channels = {each.channel: each for each in shelly_gen1.parse(capture("gen1-3em-status"), "SHEM-3")}
    assert channels["emeters"] == Said("emeters", 10.66, register_wh=5.3)
    assert channels["emeters/a"] == Said("emeters/a", 10.66, 232.06, 0.08, 1.0, 5.3)
    assert set(channels) == {"emeters", "emeters/a", "emeters/b", "emeters/c"}
    clamps = {"emeters": capture("gen1-3em-status")["emeters"][:2]}
    assert [each.channel for each in shelly_gen1.parse(clamps, "SHEM")] == ["emeter:0", "emeter:1"]


def test_a_generation_1_meter_that_is_not_valid_says_nothing() -> None:
    status = capture("gen1-3em-status")
    status["emeters"][1]["is_valid"] = False
    assert {each.channel for each in shelly_gen1.parse(status, "SHEM-3")} == {"emeters/a", "emeters/c"}
    plug = capture("gen1-plug-status")
    plug["meters"][0]["is_valid"] = False
    assert shelly_gen1.parse(plug, "SHPLG-1") == []
    assert shelly_gen1.parse({"meters": [{"power": 0.0, "is_valid": True}]}, "SHSW-1") == []


def test_what_a_generation_1_device_is_called() -> None:
    named = {"device": {"hostname": "shellyplug-s-A1B2C3"}}
    assert shelly_gen1.device_id({"type": "SHPLG-S", "mac": "DC4F22A1B2C3"}, named) == "shellyplug-s-A1B2C3"
    assert shelly_gen1.device_id({"type": "SHPLG-S", "mac": "DC4F22A1B2C3"}, {}) == "shplg-s-dc4f22a1b2c3"
    with pytest.raises(PacketError, match="without a name"):
        shelly_gen1.device_id({}, {})


@pytest.mark.parametrize(
    ("address", "cadence", "limit_w", "gap_limit_ms"),
    [
        ("shellyplugsg3-e4b063d8a1b4/switch:0", Cadence.CHANGE, 5_000, 90_000),
        ("shellypro3em-e4b063d8a1b4/em:0", Cadence.CHANGE, 96_000, 90_000),
        ("shellypro3em-e4b063d8a1b4/em:0/b", Cadence.CHANGE, 32_000, 90_000),
        ("shellypro3em-e4b063d8a1b4/em:0/b/return", Cadence.CHANGE, 32_000, 90_000),
        ("shellypro3em400-e4b063d8a1b4/em:0/return", Cadence.CHANGE, 300_000, 90_000),
        ("shellyproem50-e4b063d8a1b4/em1:1", Cadence.CHANGE, 32_000, 90_000),
        ("shellyplug-s-A1B2C3/meter:0", Cadence.POLLED, 5_000, 60_000),
        ("shellyem3-A1B2C3/emeters", Cadence.POLLED, 96_000, 60_000),
        ("shellyem3-A1B2C3/emeters/a", Cadence.POLLED, 32_000, 60_000),
        ("shellyem-A1B2C3/emeter:0", Cadence.POLLED, 32_000, 60_000),
    ],
)
def test_the_address_tells_what_readings_are_like(
    address: str, cadence: Cadence, limit_w: float, gap_limit_ms: int
) -> None:
    traits = shelly.Config().traits_of(address)
    assert (traits.cadence, traits.limit_w, traits.gap_limit_ms) == (cadence, limit_w, gap_limit_ms)


@pytest.mark.parametrize("host", ["http://192.168.1.20", "192.168.1.20/rpc", "a b", "admin@plug", ""])
def test_a_host_is_an_address_and_nothing_more(host: str) -> None:
    with pytest.raises(ValueError, match="no host"):
        shelly.Config(hosts=[host])
    assert shelly.Config(hosts=["192.168.1.20", "plug.local:8080", "[fe80::1]:80"]).hosts


def test_a_source_that_could_read_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to read"):
        shelly.Config(discover=False)
    with pytest.raises(ValueError, match="twice"):
        shelly.Config(hosts=["plug.local", "Plug.local"])


def test_a_password_is_found_by_device_then_by_host_then_the_one_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "passwords.toml"
    file.write_text('"shellyplugsg3-e4b063d8a1b4" = "one"\n"192.168.1.20" = "two"\n')
    file.chmod(0o600)
    monkeypatch.setenv("CASAWATT_SHELLY_PASSWORD", "three")
    passwords = load_passwords(str(file))
    assert passwords.of("ShellyPlugSG3-E4B063D8A1B4", "192.168.1.20") == "one"
    assert passwords.of(None, "192.168.1.20") == "two"
    assert passwords.of("shellyplugsg3-other", "192.168.1.21") == "three"
    monkeypatch.delenv("CASAWATT_SHELLY_PASSWORD")
    assert load_passwords(str(file)).of("192.168.1.21") is None


def test_messages_leave_out_what_has_not_changed() -> None:
    received_ms = 1661517385_500
    device = ShellyDevice("shellyplus1pm-4417939341dc")
    device.full({"switch:0": {"id": 0, "apower": 60.0, "voltage": 230.0, "current": 0.261}}, received_ms - 1000)
    (reading,) = device.change(capture("gen2-notify-voltage")["params"], received_ms).readings
    assert (reading.power_w, reading.voltage_v, reading.register_wh) == (60.0, 232.7, None)
    assert (reading.address, reading.time_ms) == ("shellyplus1pm-4417939341dc/switch:0", 1661517385440)
    (reading,) = device.change({"switch:0": {"apower": None, "aenergy": {"total": 7.0}}}, received_ms).readings
    assert (reading.power_w, reading.register_wh) == (None, 7.0)


def test_a_message_of_a_device_that_has_told_nothing_else_yet_is_taken_for_what_it_says() -> None:
    device = ShellyDevice("shellypro4pm-f008d1d8b8b8")
    for name in ("gen2-notify-output", "gen3-notify-counts", "gen2-notify-unset-clock"):
        taken = device.change(capture(name)["params"], 1_788_945_300_000)
        assert (taken.readings, taken.faults) == ([], [])
    device.full({"switch:0": capture("gen3-switch")}, 1_788_945_300_000)
    assert device.change(capture("gen3-notify-counts")["params"], 1_788_945_300_100).readings == []
