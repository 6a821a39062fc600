"""Devices are found from the command line, and the chosen ones written into the config."""

import fcntl
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt import config as configs
from casawatt import searchers
from casawatt.transports import serial_line
from tests.cli.conftest import Typed
from tests.virtual_plugs.mcee import VirtualMcee

QUICK = ("--timeout", "1")


@pytest.fixture
def meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualMcee]:
    """The only adapter of this machine, with a meter; nothing else is looked for."""
    monkeypatch.setattr(serial_line, "DEVICES", tmp_path / "dev")
    monkeypatch.setattr(searchers, "searcher_names", lambda: ["mcee_serial"])
    with VirtualMcee(tmp_path / "dev" / "serial" / "by-id" / "usb-FTDI_A5") as meter:
        yield meter


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person at a terminal will answer, one after the other."""
    answers: list[str] = []

    def prompt(question: str, default: str = "", **_options: object) -> str:
        return (answers.pop(0) if answers else pytest.fail(f"not expected: {question}")) or default

    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr("typer.confirm", lambda question, **_: prompt(question, "y") == "y")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    return answers


def config_path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "casawatt" / "casawatt.toml"


def test_a_meter_is_listed_and_nothing_is_written(home: Typed, meter: VirtualMcee, tmp_path: Path) -> None:
    before = config_path(tmp_path).read_text()
    said = home("discover", *QUICK)
    assert said.code == 0
    assert [word for word in ("mcee_serial", "Mains", "MCEE", str(meter.link), "mcee") if word not in said.out] == []
    assert config_path(tmp_path).read_text() == before
    assert meter.unexpected == b""


def test_the_list_as_json_holds_the_lines_to_write(home: Typed, meter: VirtualMcee) -> None:
    said = home("discover", *QUICK, "--json")
    document = json.loads(said.out)
    assert document["failed"] == []
    [found] = document["found"]
    assert found["config"] == (
        f'[source.mcee_serial]\nport = "{meter.link}"\n\n'
        '[meter.mains]\nname = "Mains"\nsource = "mcee_serial"\naddress = "mcee"\n'
    )


def test_what_is_named_is_written_and_the_difference_shown(home: Typed, meter: VirtualMcee, tmp_path: Path) -> None:
    path = config_path(tmp_path)
    path.chmod(0o600)
    before = path.read_text()
    said = home("discover", *QUICK, "--add", "mcee_serial/mcee=the-mains")
    assert said.code == 0, said.err
    assert f'+port = "{meter.link}"' in said.out
    assert path.read_text().startswith(before)
    config = configs.load(path)
    assert config.sources["mcee_serial"] == {"port": str(meter.link)}
    assert (config.meters["the-mains"].source, config.meters["the-mains"].address) == ("mcee_serial", "mcee")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.with_name("casawatt.toml.bak").read_text() == before


def test_a_device_can_be_named_by_where_it_is_and_is_given_a_name(home: Typed, meter: VirtualMcee) -> None:
    assert home("discover", *QUICK, "--add", f"mcee_serial/{meter.link}").code == 0
    said = home("discover", *QUICK)
    assert "mains" in said.out
    again = home("discover", *QUICK, "--add", "mcee_serial/mcee=other")
    assert again.code == 2
    assert "measures for the meter mains already" in again.err


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ("mcee_serial/other=x", "found were: mcee_serial/mcee"),
        ("nosuch/mcee=x", "nosuch/mcee was not found"),
        ("mcee=x", "write SOURCE/ADDRESS=SLUG"),
        ("mcee_serial/mcee=Not a slug", "cannot name a meter"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_is_written(
    home: Typed, meter: VirtualMcee, tmp_path: Path, wish: str, why: str
) -> None:
    before = config_path(tmp_path).read_text()
    said = home("discover", *QUICK, "--add", wish)
    assert (said.code, meter.unexpected) == (2, b"")
    assert why in " ".join(said.err.replace("│", " ").split())
    assert config_path(tmp_path).read_text() == before


def test_one_name_is_not_given_twice(home: Typed, meter: VirtualMcee, tmp_path: Path) -> None:
    path = config_path(tmp_path)
    path.write_text(path.read_text() + '\n[meter.mains]\nsource = "ecms_udp"\naddress = "x"\n')
    said = home("discover", *QUICK, "--add", "mcee_serial/mcee=mains")
    assert said.code == 2
    assert "there is a meter 'mains' already" in said.err
    assert home("discover", *QUICK, "--add", "mcee_serial/mcee").code == 0
    assert "mains-2" in configs.load(path).meters
    assert meter.unexpected == b""


def test_a_person_chooses_by_number_and_names_the_meter(
    home: Typed, meter: VirtualMcee, tmp_path: Path, asked: list[str]
) -> None:
    asked += ["7", "1", "Not a slug", "house", "y"]
    said = home("discover", *QUICK)
    assert said.code == 0
    assert "Write numbers from 1 to 1" in said.err
    assert "cannot name a meter" in said.err
    assert configs.load(config_path(tmp_path)).meters["house"].address == "mcee"
    assert (asked, meter.unexpected) == ([], b"")


@pytest.mark.parametrize("answers", [[""], ["1", "house", "n"]])
def test_a_person_may_choose_none(
    home: Typed, meter: VirtualMcee, tmp_path: Path, asked: list[str], answers: list[str]
) -> None:
    before = config_path(tmp_path).read_text()
    asked += answers
    assert home("discover", *QUICK).code == 0
    assert config_path(tmp_path).read_text() == before
    assert (asked, meter.unexpected) == ([], b"")


def test_without_a_config_a_first_one_is_offered(
    typed: Typed, meter: VirtualMcee, tmp_path: Path, asked: list[str]
) -> None:
    asked += ["1", "house", "y", "Casa", "Europe/Rome", "EUR", "230", "8480", "4444", "y"]
    said = typed("discover", *QUICK)
    assert said.code == 0, said.err
    config = configs.load(config_path(tmp_path))
    assert (config.home.name, config.meters["house"].address) == ("Casa", "mcee")
    assert (asked, meter.unexpected) == ([], b"")


def test_without_a_config_and_a_person_the_lines_are_printed(typed: Typed, meter: VirtualMcee, tmp_path: Path) -> None:
    said = typed("discover", *QUICK, "--add", "mcee_serial/mcee=house")
    assert said.code == 0
    assert f'[source.mcee_serial]\nport = "{meter.link}"\n\n[meter.house]\n' in said.out
    assert "casawatt init" in said.err
    assert not config_path(tmp_path).exists()


def test_a_config_that_cannot_be_written_is_said_and_stays(
    home: Typed, meter: VirtualMcee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_args: object, **_options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", read_only)
    before = config_path(tmp_path).read_text()
    said = home("discover", *QUICK, "--add", "mcee_serial/mcee=house")
    assert said.code == 2
    assert f"{config_path(tmp_path)}: cannot be written: Read-only file system; nothing was changed" in said.err
    assert config_path(tmp_path).read_text() == before
    assert meter.unexpected == b""


def test_an_option_that_says_otherwise_is_left_to_the_person(home: Typed, meter: VirtualMcee, tmp_path: Path) -> None:
    path = config_path(tmp_path)
    path.write_text(path.read_text() + '\n[source.mcee_serial]\nport = "/dev/ttyUSB7"\n')
    said = home("discover", *QUICK, "--add", "mcee_serial/mcee=house")
    assert said.code == 2
    assert f'port: says "/dev/ttyUSB7" already, this device needs "{meter.link}"' in said.err


def test_a_source_that_could_not_look_is_said_below_the_list(home: Typed, meter: VirtualMcee) -> None:
    with meter.link.open("rb") as port:
        fcntl.flock(port, fcntl.LOCK_EX)
        said = home("discover", *QUICK)
    assert said.code == 0
    assert "No device was found." in said.out
    assert f"mcee_serial could not look: {meter.link} is in use by another program" in said.err


def test_a_device_that_measures_for_a_meter_outside_the_config_is_known_too(
    home: Typed, meter: VirtualMcee, tmp_path: Path
) -> None:
    path = config_path(tmp_path)
    path.write_text(path.read_text() + f'\n[source.mcee_serial]\nport = "{meter.link}"\n')
    assert home("meters", "adopt", "house", "mcee_serial", "mcee").code == 0
    [found] = json.loads(home("discover", *QUICK, "--json").out)["found"]
    assert found["channels"] == [{"address": "mcee", "meter": "house"}]
