"""`casawatt repair` and `casawatt meters bind`, as they are typed."""

import json
import re
import shlex
from datetime import datetime
from pathlib import Path

import pytest

from casawatt.app_home import open_home
from casawatt.cli.places import find
from casawatt.model.reading import Reading
from tests.cli.conftest import Typed
from tests.fakes.clock import ManualClock

PAGE = Path(__file__).parents[2] / "docs" / "repair.md"

CONFIG = """\
[home]
timezone = "Europe/Rome"

[source.ecms_udp]

[meter.washing-machine]
source = "ecms_udp"
address = "a1"
"""

NOON_MS = round(datetime.fromisoformat("2026-03-10T12:00:00+01:00").timestamp()) * 1000


@pytest.fixture
def home(typed: Typed, tmp_path: Path) -> Typed:
    """A washing machine that used 200 W from eleven to one, and whose plug once said 60 kWh too much."""
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, encoding="utf-8")
    place = find(None, None)
    with open_home(place.config, place.folder, ManualClock(NOON_MS)) as opened:
        for second in range(-3600, 3601, 10):
            at_ms = NOON_MS + second * 1000
            register_wh = 41_200 + (second - 10) / 18
            opened.recorder.put(
                Reading(
                    source="ecms_udp",
                    address="a1",
                    received_ms=at_ms,
                    time_ms=at_ms,
                    power_w=200.0,
                    register_wh=101_200 if second == 10 else register_wh,
                )
            )
    return typed


def shown(home: Typed, *words: str) -> list[str]:
    """Return the lines that a command prints when it is done."""
    said = home(*words)
    assert said.code == 0, said.err
    return [line.rstrip() for line in said.out.splitlines()]


def test_the_example_of_the_page_comes_out_as_it_says(home: Typed) -> None:
    (example,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    steps = re.split(r"^\$ ", example, flags=re.MULTILINE)[1:]
    assert len(steps) >= 3
    for step in steps:
        command, _, wanted = step.partition("\n")
        assert shown(home, *shlex.split(command)[1:]) == wanted.splitlines()


def test_what_is_printed_for_programs_says_the_same(home: Typed) -> None:
    (meter,) = json.loads("\n".join(shown(home, "repair", "list", "--json")))
    assert meter["corrections"] == []
    (suspect,) = meter["suspects"]
    assert suspect == {
        "at": "2026-03-10T12:00:10+01:00",
        "cause": "jump",
        "energy_wh": pytest.approx(60_000, abs=1),
        "register_wh": 101_200.0,
    }
    done = json.loads("\n".join(shown(home, "repair", "restore", "washing-machine", suspect["at"], "--json")))
    assert done["correction"]["action"] == "restore"
    assert shown(home, "repair", "list", "--end", "2026-03-10")[0] == "Nothing was set aside."


def test_readings_that_look_right_can_be_left_out(home: Typed) -> None:
    lines = shown(home, "repair", "discard", "washing-machine", "2026-03-10T11:00", "--to", "2026-03-10T12:00")
    assert lines[0].startswith("What washing-machine said then is left out.")
    assert lines[-1].split() == ["washing-machine", "2026-03-10", "0.400", "0.200"]
    assert "discard" in shown(home, "repair", "list")[-1]
    assert "discard" in shown(home, "meters", "show", "washing-machine")[-1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("restore", "washing-machine", "2026-03-10T11:00"), "nothing that washing-machine said then is set aside"),
        (("discard", "washing-machine", "2025-01-01"), "washing-machine has no reading of that time"),
        (("discard", "washing-machine", "today", "--to", "yesterday"), "the end must be later than the start"),
        (("restore", "oven", "today"), "there is no meter 'oven'"),
        (("undo", "7"), "there is no correction 7 that stands"),
        (("list", "--start", "tomorrow"), "tomorrow is after now"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(home: Typed, words: tuple[str, ...], why: str) -> None:
    said = home("repair", *words)
    assert said.code > 0
    assert why in " ".join(said.err.replace("│", " ").split())


def test_a_replaced_device_is_written_into_the_config_and_can_be_taken_back(home: Typed, tmp_path: Path) -> None:
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    lines = shown(home, "meters", "bind", "washing-machine", "ecms_udp", "a2", "--from", "2026-03-10T12:30")
    assert lines[0].startswith("ecms_udp a2 measures for washing-machine since 2026-03-10T12:30:00+01:00.")
    assert lines[1] == f"{file}: [meter.washing-machine] says so now."
    assert lines[-1].split() == ["washing-machine", "2026-03-10", "0.400", "0.299"]
    assert file.read_text() == CONFIG.replace('"a1"', '"a2"')
    assert "a2" in "".join(shown(home, "meters", "show", "washing-machine"))
    lines = shown(home, "meters", "undo", "washing-machine")
    assert lines[0] == "Taken back: ecms_udp a2 for washing-machine. Now ecms_udp a1 measures for it."
    assert lines[-1].split() == ["washing-machine", "2026-03-10", "0.299", "0.400"]
    assert file.read_text() == CONFIG


def test_a_device_is_taken_from_another_meter_only_after_a_question(
    home: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown(home, "meters", "adopt", "dryer", "ecms_udp", "a2")
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr("typer.confirm", no)
    said = home("meters", "bind", "washing-machine", "ecms_udp", "a2")
    assert said.code == 1
    assert asked == ["ecms_udp a2 measures for 'dryer', and would do so no longer. Take it from there?"]
    assert "dryer has no device now." in shown(home, "meters", "bind", "washing-machine", "ecms_udp", "a2", "--yes")
