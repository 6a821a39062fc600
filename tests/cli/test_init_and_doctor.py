"""A config by asking, and what is wrong with a home."""

import json
import socket
from pathlib import Path

import pytest

from casawatt import config as configs
from tests.cli.conftest import Typed
from tests.mosquitto import mosquitto


def config_path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "casawatt" / "casawatt.toml"


def test_init_writes_a_config_that_can_be_used(typed: Typed, tmp_path: Path) -> None:
    said = typed("init", "--yes")
    assert str(config_path(tmp_path)) in said.out
    config = configs.load(config_path(tmp_path))
    assert config.home.nominal_voltage_v == 230
    assert config.sources == {"ecms_udp": {"host": "0.0.0.0", "port": 4444}}


def test_init_does_not_write_over_a_config_unless_told(typed: Typed, tmp_path: Path) -> None:
    typed("init", "--yes")
    config_path(tmp_path).write_text("# mine\n", encoding="utf-8")
    assert typed("init", "--yes").code == 1
    assert config_path(tmp_path).read_text(encoding="utf-8") == "# mine\n"
    assert typed("init", "--yes", "--force").code == 0
    assert "[home]" in config_path(tmp_path).read_text(encoding="utf-8")


def test_init_asks_again_for_a_time_zone_that_does_not_exist(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(['Casa "mia"', "Italy/Rome", "Europe/Rome", "eur", "225", "0", "5555"])
    monkeypatch.setattr("typer.prompt", lambda *_args, **_options: next(answers))
    said = typed("init")
    assert "No time zone is called 'Italy/Rome'" in said.err
    config = configs.load(config_path(tmp_path))
    assert (config.home.name, config.home.timezone, config.home.currency) == ('Casa "mia"', "Europe/Rome", "EUR")
    assert (config.home.nominal_voltage_v, config.sources["ecms_udp"]["port"]) == (225, 5555)


def test_init_writes_nothing_when_an_answer_cannot_be(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["Casa", "Europe/Rome", "EUR", "230 volts", "8480", "4444"])
    monkeypatch.setattr("typer.prompt", lambda *_args, **_options: next(answers))
    assert typed("init").code == 2
    assert not config_path(tmp_path).exists()


def test_doctor_finds_a_fresh_home_well(home: Typed) -> None:
    said = home("doctor")
    assert said.code == 0
    assert "nothing was recorded yet" in said.out
    assert "page can listen on 127.0.0.1:8480" in said.out


def test_doctor_names_a_port_that_is_taken(home: Typed, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        text = config_path(tmp_path).read_text(encoding="utf-8").replace("port = 4444", f"port = {port}")
        config_path(tmp_path).write_text(text, encoding="utf-8")
        findings = json.loads(home("doctor", "--json").out)
    bad = [finding for finding in findings if finding["level"] == "bad"]
    assert [finding["subject"] for finding in bad] == ["port"]
    assert f"ecms_udp cannot listen on 0.0.0.0:{port}" in bad[0]["text"]


def test_doctor_names_the_line_of_a_wrong_config(home: Typed, tmp_path: Path) -> None:
    with config_path(tmp_path).open("a", encoding="utf-8") as file:
        file.write("\n[source.ecms_udp2]\n")
    said = home("doctor")
    assert said.code == 1
    assert "source.ecms_udp2: no such source; there are: ecms_mqtt, ecms_udp, " in said.out


def test_a_config_that_is_named_must_exist(typed: Typed, tmp_path: Path) -> None:
    said = typed("meters", "--config", str(tmp_path / "nowhere.toml"))
    assert said.code == 2
    assert "nowhere.toml: there is no such config file" in said.err


def test_live_needs_a_service(home: Typed) -> None:
    said = home("live")
    assert said.code == 1
    assert "start it with `casawatt serve`" in said.err


def test_doctor_says_whether_a_broker_lets_us_in(home: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broker_findings() -> list[tuple[str, str]]:
        findings = json.loads(home("doctor", "--json").out)
        return [(each["level"], each["text"]) for each in findings if each["subject"] == "broker"]

    folder = tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder, users={"casawatt": "hunter2"}) as server:
        with config_path(tmp_path).open("a", encoding="utf-8") as file:
            file.write(server.section(user="casawatt") + server.section("unused") + "[source.ecms_mqtt]\n")
        monkeypatch.setenv("CASAWATT_BROKER_HOME_PASSWORD", "hunter2")
        assert broker_findings() == [("ok", f"home lets us in at 127.0.0.1:{server.port}")]
        monkeypatch.setenv("CASAWATT_BROKER_HOME_PASSWORD", "hunter3")
        ((level, text),) = broker_findings()
        assert level == "bad"
        assert f"home: 127.0.0.1:{server.port} refused the connection: " in text
        assert "hunter" not in text
    assert broker_findings() == [("bad", f"home: 127.0.0.1:{server.port}: nothing listens there")]
