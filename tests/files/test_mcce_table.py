"""A day's table: mean watts by interval, and what the clocks do to its times."""

from datetime import UTC, date, datetime, timedelta

import pytest

from casawatt.engine.localtime import day_start
from casawatt.files.mcce_table import DayTable, device_of, read_table
from tests.files.importing import ROME

DAY = date(2023, 1, 1)
START_MS = day_start(ROME, DAY)
HOUR_MS = 3_600_000
MIDNIGHT = datetime(2023, 1, 1)  # noqa: DTZ001 - tables hold times of the wall clock


def hours(values: list[float | None], first: datetime = MIDNIGHT) -> list[tuple[object, object]]:
    return [(first + timedelta(hours=place), value) for place, value in enumerate(values)]


def said(table: DayTable) -> list[tuple[int, float | None]]:
    """Return the register's readings, times in ms since the day began."""
    return [(row.time_ms - START_MS, row.register_wh) for _, row in table.rows]


def test_means_times_their_intervals_are_a_register_that_closes_before_the_days_end() -> None:
    table = read_table(DAY, hours([*[100.0] * 23, 250.5, 9999.0]), ROME)
    assert said(table)[:3] == [(0, 0.0), (HOUR_MS, 100.0), (2 * HOUR_MS, 200.0)]
    assert said(table)[-2:] == [(23 * HOUR_MS, 2300.0), (24 * HOUR_MS - 1, 2550.5)]
    assert (table.energy_wh, table.closing_w, table.length_ms) == (2550.5, 9999.0, HOUR_MS)
    assert {row.boot_id for _, row in table.rows} == {20230101}


def test_consecutive_days_are_of_two_registers() -> None:
    assert device_of(DAY) != device_of(DAY + timedelta(days=1))


def test_a_missing_interval_and_one_without_a_value_leave_a_gap() -> None:
    table = read_table(DAY, [*hours([100.0, 100.0, None, 100.0]), (MIDNIGHT + timedelta(hours=6), 100.0)], ROME)
    assert [time_ms / HOUR_MS for time_ms, _ in said(table)] == pytest.approx([0, 1, 2, 3, 4, 6, 7], abs=1e-6)
    assert [register_wh for _, register_wh in said(table)] == [0, 100, 200, 200, 300, 300, 400]
    assert table.nulls == 1


def test_times_may_be_text_or_carry_an_offset() -> None:
    text = [("2023-01-01 00:00:00.000000", 60.0), ("2023-01-01 00:05:00.000000", 120.0)]
    zoned = [(datetime(2022, 12, 31, 23, tzinfo=UTC), 60.0), ("2023-01-01T00:05:00+01:00", "120")]
    for rows in (text, zoned):
        assert said(read_table(DAY, rows, ROME)) == [(0, 0.0), (300_000, 5.0), (599_999, 15.0)]


def test_rows_that_cannot_be_are_rejected_by_their_number() -> None:
    rows = [*hours([10.0, 20.0, -5.0, 30.0]), ("noon", 1.0), (MIDNIGHT, 2.0), (datetime(2023, 1, 3), 3.0)]  # noqa: DTZ001 - as above
    rows += [(MIDNIGHT + timedelta(hours=4), "much"), (MIDNIGHT + timedelta(hours=5), float("nan"))]
    table = read_table(DAY, rows, ROME)
    assert sorted((number, cause) for number, _, cause, _ in table.rejected) == [
        (3, "out_of_range"),
        (5, "time"),
        (6, "repeated"),
        (7, "other_day"),
        (8, "number"),
    ]
    assert (table.energy_wh, table.nulls) == (60.0, 1)


def test_a_row_alone_is_a_whole_day_only_if_it_is_midnights() -> None:
    assert read_table(DAY, [(MIDNIGHT, 100.0)], ROME).energy_wh == 2400.0
    alone = read_table(DAY, [(MIDNIGHT + timedelta(hours=9), 100.0)], ROME)
    assert (alone.rows, [cause for _, _, cause, _ in alone.rejected]) == ([], ["alone"])


SPRING, AUTUMN = date(2020, 3, 29), date(2020, 10, 25)
WALL_SPRING = [0, 1, *range(3, 25)]
WALL_AUTUMN = [0, 1, 2, 2, *range(3, 25)]


@pytest.mark.parametrize(
    ("day", "clock", "length"),
    [
        (SPRING, WALL_SPRING, 23),
        (SPRING, list(range(24)), 23),
        (AUTUMN, WALL_AUTUMN, 25),
        (AUTUMN, list(range(26)), 25),
    ],
    ids=["spring by the wall clock", "spring counted on", "autumn by the wall clock", "autumn counted on"],
)
def test_days_of_23_and_25_hours_are_whole_however_their_hours_are_written(
    day: date, clock: list[int], length: int
) -> None:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - as above
    values = [*(float(100 + place) for place in range(length)), 5000.0]
    rows = [(midnight + timedelta(hours=hour), value) for hour, value in zip(clock, values, strict=True)]
    table = read_table(day, rows, ROME)
    start_ms = day_start(ROME, day)
    assert [(row.time_ms - start_ms) / HOUR_MS for _, row in table.rows[:-1]] == list(range(length))
    assert table.rows[-1][1].time_ms == start_ms + length * HOUR_MS - 1
    assert (table.energy_wh, table.closing_w, table.rejected) == (sum(values[:-1]), 5000.0, [])
