"""`casawatt prices`, as it is typed."""

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

PAGE = Path(__file__).parents[2] / "docs" / "prices.md"
NIGHT = ("--start", "2024-10-27T01:00", "--end", "2024-10-27T04:00")

CONFIG = """\
[home]
timezone = "Europe/Rome"

[[tariff]]
from = 2024-01-01
name = "by the hour"
prices = "spot"

[source.ecms_udp]

[meter.mains]
appliance = "mains"
source = "ecms_udp"
address = "a1"
"""

NIGHT_MS = round(datetime.fromisoformat("2024-10-27T01:00+02:00").timestamp()) * 1000


@pytest.fixture
def home(typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """A home that used 2 kW for four hours, whose tariff goes by the prices called spot, and the files of the page."""
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, encoding="utf-8")
    tables = re.findall(r"```csv\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for name, table in zip(("day.csv", "corrected.csv"), tables, strict=True):
        (tmp_path / name).write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    place = find(None, None)
    with open_home(place.config, place.folder, ManualClock(NIGHT_MS + 14_400_000)) as opened:
        for at_ms in range(NIGHT_MS, NIGHT_MS + 14_400_001, 10_000):
            reading = Reading(source="ecms_udp", address="a1", received_ms=at_ms, time_ms=at_ms, power_w=2000.0)
            opened.recorder.put(reading)
    return typed


def shown(home: Typed, *words: str) -> list[str]:
    """Return the lines that a command prints when it is done."""
    said = home(*words)
    assert said.code == 0, said.err
    return [line.rstrip() for line in said.out.splitlines()]


def test_the_example_of_the_page_comes_out_as_it_says(home: Typed) -> None:
    (example,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    steps = re.split(r"^\$ ", example, flags=re.MULTILINE)[1:]
    assert len(steps) == 5
    for step in steps:
        command, _, wanted = step.partition("\n")
        assert shown(home, *shlex.split(command)[1:]) == wanted.splitlines()


def test_what_is_printed_for_programs_says_the_same(home: Typed) -> None:
    added = json.loads("\n".join(shown(home, "prices", "import", "day.csv", "--series", "spot", "--json")))
    assert added == {"series": "spot", "added": 16, "same": 0, "replaced": 0, "differing": []}
    found = json.loads("\n".join(shown(home, "prices", "show", "spot", *NIGHT, "--json")))
    assert [each["rate_per_kwh"] for each in found["prices"]] == ["0.0801", "0.075", "0.712", "-0.00005"]
    assert [each["start"][11:] for each in found["prices"]] == [
        "01:00:00+02:00",
        "02:00:00+02:00",
        "02:00:00+01:00",
        "03:00:00+01:00",
    ]
    (series,) = json.loads("\n".join(shown(home, "prices", "list", "--json")))["series"]
    assert (series["name"], series["quarters"], series["differing"]) == ("spot", 16, 0)
    nothing = json.loads("\n".join(shown(home, "prices", "correct", "spot", "--json")))
    assert nothing == {"series": "spot", "currency": "EUR", "applied": False, "changes": [], "months": []}


def test_a_gap_in_the_prices_is_shown(home: Typed) -> None:
    assert shown(home, "prices", "list") == [
        "There are no prices. casawatt prices import reads a file; [prices.<series>] fetches them."
    ]
    shown(home, "prices", "import", "day.csv", "--series", "spot")
    lines = shown(home, "prices", "show", "spot", "--start", "2024-10-27", "--end", "2024-10-27T03:00")
    assert lines[-1] == "There is no price from 2024-10-27 00:00 +02:00 until 2024-10-27 01:00 +02:00."


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("import", "none.csv", "--series", "spot"), "none.csv: cannot be read: No such file or directory"),
        (("import", "day.csv", "--series", "My Prices"), "a series of prices cannot be called 'My Prices'"),
        (
            ("import", "day.csv", "--series", "spot", "--unit", "ct_per_kwh"),
            "day.csv:1: price: the heading says per_mwh",
        ),
        (("import", "day.csv", "--series", "spot", "--format", "entsoe"), "day.csv:1: not XML that can be read"),
        (("show", "other"), "there are no prices called 'other'; there are: none"),
    ],
)
def test_what_cannot_be_done_is_said(home: Typed, words: tuple[str, ...], why: str) -> None:
    said = home("prices", *words)
    assert said.code == 1
    assert why in said.err


def test_what_is_typed_wrongly_is_an_error_of_the_command_line(home: Typed) -> None:
    for words in (
        ("import", "day.csv", "--series", "spot", "--timezone", "Rome"),
        ("show", "spot", "--start", "2024-10-27", "--end", "2024-10-26"),
    ):
        assert home("prices", *words).code == 2
