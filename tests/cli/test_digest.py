"""`casawatt digest` and `casawatt patterns`, as they are typed and as their pages show them."""

import json
import re
import shlex
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest

from casawatt.app_home import ports_of
from casawatt.cli import patterns
from casawatt.web.patterns_documents import meter_patterns_document, patterns_document
from tests.answers.home_of_days import CONFIG, Watts, home_at, past, put_days
from tests.cli.conftest import Said, Typed

DOCS = Path(__file__).parents[2] / "docs"


def table(page: str, first_cell: str) -> list[dict[str, str]]:
    """Return the rows of the table of a page whose first column is called so, by their columns."""
    lines = (DOCS / page).read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_cell} |"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[begin:] if line.startswith("|")]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def console(page: str) -> list[str]:
    """Return the lines of the console block of a page."""
    (block,) = re.findall(r"```console\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    return [line.rstrip() for line in block.splitlines()]


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def as_in_table(column: str, *, gaps: bool) -> Watts:
    """Return the power of a column of the page's table at a time of day."""
    rows = table("digest.md", "from")
    spans = [(minutes(row["from"]), minutes(row["until"]), row[column]) for row in rows]

    def watts(at: datetime) -> float | None:
        minute = at.hour * 60 + at.minute
        said = next(value for begin, end, value in spans if begin <= minute < end)
        if said != "not measured":
            return float(said)
        # At both ends of the gap the device speaks.
        return None if gaps and minute != minutes("14:00") else 2.0

    return watts


@pytest.fixture
def home(typed: Typed, tmp_path: Path) -> Typed:
    """The flat of the example, since the beginning of the year."""
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    file.parent.mkdir(parents=True)
    config = (
        CONFIG.replace("fridge", "oven").replace("Fridge", "Oven").replace("gap_limit_s = 3600", "gap_limit_s = 60")
    )
    file.write_text(config.format(port=0), encoding="utf-8")
    folder = tmp_path / "data" / "casawatt" / "home"
    with home_at(folder, "2026-03-11T08:00:00", config) as opened:
        for slug in ("mains", "oven"):
            past(opened, slug, date(2026, 1, 1), date(2026, 3, 9), as_in_table(f"{slug} W", gaps=False))
            put_days(opened, slug, date(2026, 3, 10), date(2026, 3, 10), as_in_table(f"{slug} W", gaps=True))
    return typed


def lines(said: Said) -> list[str]:
    assert said.code == 0, said.err
    return [line.rstrip() for line in said.out.splitlines()]


def test_the_example_of_the_page_comes_out_as_it_says(home: Typed) -> None:
    command, *wanted = console("digest.md")
    assert lines(home(*shlex.split(command)[2:])) == wanted


def test_json_says_the_same_and_when_it_was(home: Typed) -> None:
    document = json.loads(home("digest", "2026-03-10", "--json", "--resolution", "60", "--resolution", "1").out)
    mains, oven = document["meters"]
    assert document["home"] | {"meter": "mains"} == mains
    assert (mains["energy_wh"], mains["cost"], mains["cost_complete"]) == (6450.0, "1.42", True)
    assert mains["peak"] == {"power_w": 2000.0, "at": "2026-03-10T19:00:00+01:00", "span_s": 0.0}
    assert mains["usual"] == {"energy_wh": 6450.0, "days": 8, "ratio": 1.0}
    assert mains["gaps"] == []
    assert [len(each["power_w"]) for each in mains["power"]] == [24, 1440]
    assert mains["power"][1]["power_w"][19 * 60 - 1 : 19 * 60 + 31] == [300.0, *[2000.0] * 30, 300.0]
    assert (oven["usual"], oven["not_compared"]) == ({"energy_wh": 897.0, "days": 8, "ratio": 0.9955}, None)
    (run,) = oven["runs"]
    assert (run["start"], run["energy_wh"], run["cost"]) == ("2026-03-10T19:00:00+01:00", 850.0, "0.19")
    assert run["over_midnight"] is False
    assert oven["gaps"] == [{"start": "2026-03-10T14:00:00+01:00", "end": "2026-03-10T16:00:00+01:00"}]
    assert oven["coverage"] == 0.9167
    assert document["told"] is None


def test_a_day_without_readings_is_not_measured_until_its_end(home: Typed) -> None:
    said = [" ".join(line.split()) for line in lines(home("digest", "2025-12-30"))]
    assert "home 00:00:00 24:00:00" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("2126-01-01",), "2126-01-01 has not begun"),
        (("yesterday", "--resolution", "7"), "7 does not divide the 1440 minutes of a day"),
        (("soon",), "'soon' is not a day; write today, yesterday or 2026-01-31"),
        (("1969-12-31",), "1969-12-31 is too long ago"),
    ],
)
def test_what_cannot_be_summed_up_is_said(home: Typed, words: tuple[str, ...], why: str) -> None:
    said = home("digest", *words)
    assert said.code > 0
    assert why in " ".join(said.err.replace("│", " ").split())


def test_patterns_of_the_page_come_out_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with home_at(tmp_path, "2026-03-11T12:00:00") as opened:
        for slug in ("mains", "fridge"):
            rows = [row for row in table("patterns.md", "meter") if row["meter"] == slug]

            def watts(at: datetime, rows: list[dict[str, str]] = rows) -> float | None:
                row = next(row for row in rows if row["from"] <= at.date().isoformat() <= row["to"])
                return float(row["W by night" if at.hour < 8 else "W by day"])

            past(opened, slug, date(2026, 1, 1), date(2026, 3, 11), watts)
        ports = ports_of(opened, demo=False)
        document = msgspec.to_builtins(patterns_document(ports))
        document["home"]["profiles"] = []
        patterns.show(document)
        shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        wanted = console("patterns.md")
        assert shown[: len(wanted)] == wanted
        patterns.show(msgspec.to_builtins(meter_patterns_document(ports, "mains")))
        usual = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert ["07:00", *["100"] * 7] in usual
        assert ["08:00", *["250"] * 7] in usual
