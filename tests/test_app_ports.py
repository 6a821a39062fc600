"""What the pages ask, answered by the real registry, recorder and store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt.app_ports import Imports
from casawatt.recorder.verify import differences
from casawatt.web.import_port import ImportReport, ReadingColumns
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


async def test_what_a_meter_has_stays_and_a_contradiction_is_told_by_its_place(home: TestHome) -> None:
    await imports(home).record("oven", columns(0, 10))
    before = list(home.store.columns(oven_id(home), START_MS, START_MS + 10_000).records())
    other = ReadingColumns(time_ms=[START_MS, START_MS + 1000, START_MS + 9000], power_w=[0.0, 7.0, 8.0])
    for _ in range(2):
        report = await imports(home).record("oven", other)
        assert (report.recorded, report.duplicates) == (0, 1)
        assert [(each.index, each.cause) for each in report.rejected] == [(1, "conflict"), (2, "conflict")]
    assert list(home.store.columns(oven_id(home), START_MS, START_MS + 10_000).records()) == before


async def test_another_device_neither_takes_over_nor_adds_to_what_one_has_said(home: TestHome) -> None:
    await imports(home).record("oven", columns(0, 3))
    times_ms = [START_MS, START_MS + 1000]
    same = ReadingColumns(time_ms=times_ms, power_w=[0.0, 100.0], device="spare")
    assert (await imports(home).record("oven", same)).duplicates == 2
    more = ReadingColumns(time_ms=times_ms, register_wh=[5.0, 6.0], device="spare")
    assert [each.cause for each in (await imports(home).record("oven", more)).rejected] == ["conflict", "conflict"]
    records = list(home.store.columns(oven_id(home), START_MS, START_MS + 3000).records())
    assert {(each.device_id, each.register_mwh) for each in records} == {(records[0].device_id, None)}


async def test_the_same_device_may_add_what_it_did_not_say_before(home: TestHome) -> None:
    await imports(home).record("oven", columns(0, 3))
    more = ReadingColumns(time_ms=[START_MS, START_MS + 2000], voltage_v=[230.0, 231.0])
    assert (await imports(home).record("oven", more)).recorded == 2
    records = list(home.store.columns(oven_id(home), START_MS, START_MS + 3000).records())
    assert [(each.power_mw, each.voltage_mv) for each in records] == [(0, 230_000), (100_000, None), (200_000, 231_000)]


async def test_of_a_time_told_twice_in_one_import_the_first_counts_each_time(home: TestHome) -> None:
    await imports(home).record("oven", columns(100, 1))
    twice = ReadingColumns(time_ms=[START_MS, START_MS, START_MS + 200_000] * 2, power_w=[1.0, 2.0, 3.0] * 2)
    first = await imports(home).record("oven", twice)
    assert (first.recorded, first.duplicates, [each.index for each in first.rejected]) == (2, 2, [1, 4])
    again = await imports(home).record("oven", twice)
    assert (again.recorded, again.duplicates, [each.index for each in again.rejected]) == (0, 4, [1, 4])


async def test_once_an_import_is_answered_the_figures_hold_it(home: TestHome) -> None:
    await imports(home).record("oven", columns(1800, 2))
    await imports(home).record("oven", ReadingColumns(time_ms=[START_MS, START_MS + 60_000], power_w=[3600.0, 0.0]))
    meter = home.registry.meter("oven")
    energy = home.store.energy(meter.meter_id, START_MS, START_MS + 900_000, home.registry.calibrations(meter))
    assert energy.energy_wh == 60.0


def oven_id(home: TestHome) -> int:
    return home.registry.meter("oven").meter_id
