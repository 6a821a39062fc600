import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.outcome import Section, at_least, at_most
from benchmarks.timing import percentile

SAID = {"command": "python -m benchmarks", "when": "today", "origin": "made up"}


def section() -> Section:
    found = Section("size", "Sizes", notes=["All of them."], missing=["InfluxDB: influxdb is not installed"])
    found.add("ours", 0.531, "bytes", at_most(0.6))
    found.add("speed", 1234.5, "readings/s", at_least(30_000))
    found.add("theirs", 70, "bytes", note="no index")
    return found


def test_the_page_tells_bars_first_and_what_fell_short() -> None:
    text = report.markdown([section()], {"processor": "slow"}, **SAID)
    assert "1 of 2 bars reached" in text
    assert "| ours | 0.531 bytes | at most 0.6 | pass |" in text
    assert "| speed | 1,234 readings/s | at least 30,000 | short |" in text
    assert "| theirs | 70 bytes |  | no index |" in text
    assert "Not measured: InfluxDB: influxdb is not installed" in text


def test_the_json_has_every_figure_with_its_verdict() -> None:
    document = json.loads(report.as_json([section()], {}, **SAID))
    figures = document["sections"][0]["figures"]
    assert [figure["verdict"] for figure in figures] == ["pass", "short", None]


def test_results_replace_the_old_ones_and_leave_the_rest_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_into(page, "new")
    report.write_into(page, "newer")
    assert page.read_text() == f"before\n{report.BEGIN}\n\nnewer\n{report.END}\nafter\n"


def test_a_page_without_a_place_for_results_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here")
    with pytest.raises(ValueError, match="no place for results"):
        report.write_into(page, "new")


def test_a_missing_peer_is_said_and_the_rest_goes_on() -> None:
    found = Section("x", "X")
    with found.optional("peer"):
        raise FileNotFoundError("gone")
    assert found.missing == ["peer: gone"]


def test_a_mistake_of_our_own_is_not_taken_for_a_missing_peer() -> None:
    with pytest.raises(ZeroDivisionError), Section("x", "X").optional("peer"):
        assert 1 / 0


def test_the_95th_percentile_is_not_exceeded_by_95_of_100() -> None:
    assert percentile(range(100), 0.95) == 95
