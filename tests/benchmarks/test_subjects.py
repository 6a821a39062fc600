import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import append, breaker, kill, load, mqtt, path, pixel, queries, runs, size, writes, year
from benchmarks.__main__ import SUBJECTS
from benchmarks.outcome import Context, Section
from benchmarks.readings import made_up

TINY = 0.001


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Context]:
    """So small that it only shows that it runs."""
    yield Context(TINY, made_up().limited(20_000), tmp_path, lambda _text: None)
    assert not list(tmp_path.iterdir()), "something was left behind"


def said(section: Section) -> set[str]:
    return {figure.what for figure in section.figures}


def test_every_subject_is_here() -> None:
    modules = append, size, queries, path, mqtt, writes, load, pixel, kill, runs, breaker, year
    assert {module.__name__ for module in modules} == {f"benchmarks.{subject}" for subject in SUBJECTS}


def test_append_compares_the_store_with_rows(tiny: Context) -> None:
    section = append.run(tiny)
    assert {"casawatt: append, hand over, force to the disk", "SQLite, a row a commit"} <= said(section)


def test_size_counts_every_reading_before_it_divides(tiny: Context) -> None:
    section = size.run(tiny)
    assert {"casawatt, roll-ups included", "SQLite, rows"} <= said(section)


def test_queries_are_asked_in_the_store_and_through_the_api(tiny: Context) -> None:
    section = queries.run(tiny)
    assert {"one day by minute, in the store", "one day by minute, through the API"} <= said(section)


def test_on_the_whole_path_nothing_is_lost_at_a_rate_that_any_machine_can_take(tiny: Context) -> None:
    found = path.stream(tiny, rate_per_s=500, seconds=2, active=5)
    assert (found.sent, found.lost, found.wrong) == (1000, 0, 0)


def test_nothing_that_plugs_report_by_mqtt_is_lost(tiny: Context) -> None:
    section = mqtt.run(tiny)
    lost = next(figure for figure in section.figures if figure.what == "lost of 200 readings/s by MQTT")
    assert (lost.value, lost.note) == (0, "of 10, in 2 s")
    assert "plain aiomqtt subscriber, a backlog taken in" in said(section) or section.missing


def test_writes_are_counted_or_it_says_why_not(tiny: Context) -> None:
    section = writes.run(tiny)
    assert "casawatt, sync_s = 10" in said(section) or section.missing


def test_load_tells_memory_and_processor(tiny: Context) -> None:
    section = load.run(tiny)
    assert {"resident, 100 meters at 1 Hz", "processor, 10 meters at 1 Hz"} <= said(section)


def test_pixel_sees_the_page_change_or_says_why_not(tiny: Context) -> None:
    section = pixel.run(tiny)
    assert "packet sent to text changed, median" in said(section) or section.missing


def test_a_killed_service_is_looked_at(tiny: Context) -> None:
    section = kill.run(tiny)
    assert said(section) == {"age of the oldest reading lost"}


def test_the_limiter_is_replayed_where_there_is_a_house(
    tiny: Context, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert not said(breaker.run(tiny))
    folder = tmp_path_factory.mktemp("data")
    (folder / "uci").mkdir()
    excerpt = (Path(__file__).parents[1] / "data" / "uci_with_na.csv").read_bytes()
    (folder / breaker.RECORDING).write_bytes(gzip.compress(excerpt))
    section = breaker.run(replace(tiny, data=replace(tiny.data, folder=folder)))
    assert {"3 kW: episodes announced", "6 kW: warnings"} <= said(section)
    assert {figure.verdict for figure in section.figures} == {"", "pass"}


def test_a_year_is_billed_split_and_summed_up_and_all_parts_agree(tiny: Context) -> None:
    section = year.run(tiny)
    assert {"billed, split and digested", "1 bills", "1 splits", "3 digests"} <= said(section)
