"""What the pages ask, answered by the real registry, recorder and store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt.app_ports import Imports
from casawatt.recorder.verify import differences
from casawatt.web.ports import ImportReport, ReadingColumns
from tests.recorder.homes import START_MS, TestHome, home_in


@pytest.fixture
def home(tmp_path: Path) -> Iterator[TestHome]:
    with home_in(tmp_path) as home:
        home.adopt("oven", source="import", address="oven")
        home.clock.advance(3_600_000)
        yield home


def columns(first: int, count: int) -> ReadingColumns:
    seconds = range(first, first + count)
    return ReadingColumns(
        time_ms=[START_MS + second * 1000 for second in seconds], power_w=[second % 7 * 100.0 for second in seconds]
    )


def imports(home: TestHome) -> Imports:
    return Imports(home.store, home.registry, home.recorder, home.clock)


async def test_importing_again_records_nothing_and_says_so(home: TestHome) -> None:
    assert await imports(home).record("oven", columns(0, 900)) == ImportReport(900, 0, [])
    before = home.intervals("oven")
    for part in (columns(0, 900), columns(300, 100)):
        again = await imports(home).record("oven", part)
        assert (again.recorded, again.duplicates) == (0, len(part.time_ms))
    home.seal()
    assert (await imports(home).record("oven", columns(600, 600))).recorded == 300
    assert home.intervals("oven")[0] == before[0] or len(before) == 1
    assert differences(home.recorder.lines()[0], home.store) == []


async def test_what_cannot_be_is_rejected_by_its_place(home: TestHome) -> None:
    report = await imports(home).record(
        "oven", ReadingColumns(time_ms=[START_MS, START_MS + 1000, 10**30, 5], power_w=[1.0, 1e12, 2.0, 3.0])
    )
    assert [(each.index, each.cause) for each in report.rejected] == [(at, "out_of_range") for at in (1, 2, 3)]
    assert report.recorded == 1
