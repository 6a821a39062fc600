"""`casawatt runs`, as it is typed."""

import json
import re
import shlex
from pathlib import Path

import pytest

from casawatt.app_home import open_home
from casawatt.cli.places import find
from tests.answers.washing import CONFIG, COTTON, DAY_MS, ECO, HOUR_MS, START_MS, Flat
from tests.cli.conftest import Typed
from tests.fakes.clock import ManualClock

PAGE = Path(__file__).parents[2] / "docs" / "programmes.md"


@pytest.fixture
def home(typed: Typed, tmp_path: Path) -> Typed:
    """Five washes of two programmes in March 2026."""
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, encoding="utf-8")
    place = find(None, None)
    clock = ManualClock(START_MS)
    with open_home(place.config, place.folder, clock) as opened:
        flat = Flat(opened, clock)
        for day, blocks in enumerate([COTTON, ECO, COTTON, ECO, COTTON]):
            flat.wash(START_MS + day * DAY_MS + HOUR_MS, blocks)
    return typed


def shown(home: Typed, *words: str) -> list[str]:
    """Return the lines that a command prints when it is done."""
    said = home(*words)
    assert said.code == 0, said.err
    return [line.rstrip() for line in said.out.splitlines()]


def test_the_example_of_the_page_comes_out_as_it_says(home: Typed) -> None:
    (example,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    steps = re.split(r"^\$ ", example, flags=re.MULTILINE)[1:]
    assert len(steps) >= 4
    for step in steps:
        command, _, wanted = step.partition("\n")
        assert shown(home, *shlex.split(command)[1:]) == wanted.rstrip().splitlines()


def test_what_is_printed_for_programs_says_the_same(home: Typed) -> None:
    span = ("--start", "2026-03-10", "--end", "2026-03-12T12:00")
    document = json.loads("\n".join(shown(home, "runs", "--meter", "washer", *span, "--json")))
    assert [run["start"] for run in document["runs"]] == [
        "2026-03-10T01:00:00+01:00",
        "2026-03-11T01:00:00+01:00",
        "2026-03-12T01:00:00+01:00",
    ]
    one = json.loads("\n".join(shown(home, "runs", "show", "washer", "2026-03-10T01:00", "--json")))
    assert one == {"currency": "EUR", "run": document["runs"][0]}
    both = json.loads("\n".join(shown(home, "runs", "compare", "washer/2026-03-10T01:00:00", "washer/last", "--json")))
    assert (both["a"], both["b"]["start"]) == (document["runs"][0], "2026-03-14T01:00:00+01:00")
    (rebuilt,) = json.loads("\n".join(shown(home, "runs", "rebuild", "--meter", "washer", "--json")))
    assert rebuilt == {"meter": "washer", "runs": 5, "differences": []}
    found = json.loads("\n".join(shown(home, "runs", "programmes", "washer", "--json")))
    assert [each["runs"] for each in found["programmes"]] == [3, 2]
    named = json.loads("\n".join(shown(home, "runs", "name", "washer", "last", "Cotton 60", "--json")))
    assert named["programme"]["name"] == "Cotton 60"
    (number,) = named["programme"]["ids"]
    taken = json.loads("\n".join(shown(home, "runs", "unname", "washer", str(number), "--json")))
    assert [each["name"] for each in taken["programmes"]] == [None, None]


def test_where_there_is_nothing_that_is_said(home: Typed) -> None:
    assert shown(home, "runs") == ["No runs then."]
    assert shown(home, "runs", "programmes", "mains") == ["mains had no runs yet."]
    assert shown(home, "runs", "rebuild") == ["washer: 5 runs, none different", "mains: 0 runs, none different"]


def test_doctor_proves_the_runs(home: Typed) -> None:
    said = home("doctor", "--rebuild")
    assert "runs: washer: every run is what the readings say" in said.out
    assert "runs: mains" not in said.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--meter", "boiler"), "there is no meter 'boiler'"),
        (("--start", "tomorrow"), "tomorrow is not before now"),
        (("--start", "someday"), "'someday' is not a time"),
        (("show", "washer", "2026-03-10"), "washer has no run that began then"),
        (("show", "mains", "last"), "mains has no run that began then"),
        (("compare", "washer", "washer/last"), "'washer' is no run"),
        (("name", "washer", "last", " "), "a programme's name cannot be empty"),
        (("unname", "washer", "7"), "washer has no programme's name 7 that stands"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(home: Typed, words: tuple[str, ...], why: str) -> None:
    said = home("runs", *words)
    assert said.code > 0
    assert why in " ".join(said.err.replace("│", " ").split())


def test_an_import_of_the_past_leaves_no_run_to_be_found_by_whoever_asks_next(home: Typed, tmp_path: Path) -> None:
    file = tmp_path / "february.csv"
    lines = [f"2026-02-10T{at // 360:02}:{at // 6 % 60:02}:{at % 6 * 10:02}Z" for at in range(2 * 360)]
    powers = [0.4 if at < 180 or at > 600 else 2000.0 for at in range(2 * 360)]
    rows = [f"{time},{power_w}" for time, power_w in zip(lines, powers, strict=True)]
    file.write_text("\n".join(["time,power_w", *rows]), encoding="utf-8")
    assert home("import", "csv", str(file), "--meter", "washer", "--yes").code == 0
    place = find(None, None)
    with open_home(place.config, place.folder, ManualClock(START_MS), read_only=True) as opened:
        assert opened.recorder.runs.is_complete(opened.registry.meter("washer").meter_id)
    found = json.loads("\n".join(shown(home, "runs", "--start", "2026-02-01", "--end", "2026-02-28", "--json")))
    assert [(run["start"], run["end"]) for run in found["runs"]] == [
        ("2026-02-10T01:30:00+01:00", "2026-02-10T02:40:10+01:00")
    ]
