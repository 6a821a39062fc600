"""Devices that are found on a real broker, from the command line into a config that can be served."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import publish

from casawatt import config as configs
from casawatt import searchers
from casawatt.app_sources import load_sources
from tests.cli.conftest import Typed
from tests.mosquitto import HOST, Mosquitto, free_port, mosquitto
from tests.virtual_plugs.zigbee import bridge_of

QUICK = ("--timeout", "1")


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mosquitto]:
    """A broker at which a Zigbee plug is announced; nothing is looked for elsewhere."""
    monkeypatch.setattr(searchers, "searcher_names", lambda: ["mqtt_json", "tasmota"])
    folder = tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder) as server:
        devices = json.dumps(bridge_of({"tv": {"power": "W", "energy": "kWh"}}))
        publish.single("zigbee2mqtt/bridge/devices", devices, retain=True, hostname=HOST, port=server.port)
        yield server


@pytest.mark.parametrize("name", ["home", "cellar"])
def test_a_zigbee_plug_is_found_and_written_with_what_its_source_needs(
    home: Typed, broker: Mosquitto, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "config" / "casawatt" / "casawatt.toml"
    path.write_text(f"{path.read_text()}\n{broker.section(name)}", encoding="utf-8")
    said = home("discover", *QUICK, "--add", "mqtt_json/zigbee2mqtt/tv=television")
    assert said.code == 0, said.err
    config = configs.load(path)
    assert [source.name for source in load_sources(config)] == ["ecms_udp", "mqtt_json"]
    assert config.meters["television"].address == "zigbee2mqtt/tv"
    assert config.sources["mqtt_json"]["topic"] == [{"preset": "zigbee2mqtt"}]
    assert config.sources["mqtt_json"].get("broker", "home") == name
    [again] = json.loads(home("discover", *QUICK, "--json").out)["found"]
    assert (again["channels"], again["options"]) == ([{"address": "zigbee2mqtt/tv", "meter": "television"}], {})


def test_a_broker_that_does_not_answer_is_said_for_each_source_that_needs_it(
    home: Typed, broker: Mosquitto, tmp_path: Path
) -> None:
    broker.stop()
    path = tmp_path / "config" / "casawatt" / "casawatt.toml"
    path.write_text(f'{path.read_text()}\n[broker.home]\nhost = "{HOST}"\nport = {free_port()}\n', encoding="utf-8")
    said = home("discover", *QUICK)
    assert said.code == 0
    for source in ("mqtt_json", "tasmota"):
        assert f"{source} could not look: {HOST}" in said.err
