"""The recorder database of Home Assistant, as its schemas of the last years have it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from casawatt.files.homeassistant import HomeAssistantFile
from casawatt.model.errors import ImportFileError
from tests.files.importing import imported

WASHER = "sensor.washer_energy"
HOUR_S = 3600
START_S = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp())

META = (
    "CREATE TABLE statistics_meta (id INTEGER PRIMARY KEY, statistic_id VARCHAR(255), source VARCHAR(32),"
    " unit_of_measurement VARCHAR(255), has_mean BOOLEAN, has_sum BOOLEAN, name VARCHAR(255){more})"
)
ROWS = (
    "CREATE TABLE {table} (id INTEGER PRIMARY KEY, {created}, metadata_id INTEGER, {start}, mean FLOAT, min FLOAT,"
    " max FLOAT, {reset}, state FLOAT, sum FLOAT)"
)
NEW = {"created": "created DATETIME, created_ts FLOAT", "start": "start DATETIME, start_ts FLOAT"}
OLD = {"created": "created DATETIME", "start": "start DATETIME"}

Sums = Sequence[tuple[float, float | None]]


class TestRecorder:
    """A recorder's database that is being written."""

    __test__ = False

    def __init__(self, path: Path, *, schema: int = 50) -> None:
        self.path = path
        self.schema = schema
        self.connection = sqlite3.connect(path)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("CREATE TABLE schema_changes (change_id INTEGER PRIMARY KEY, schema_version INTEGER)")
        self.connection.execute("INSERT INTO schema_changes (schema_version) VALUES (?)", (schema,))
        self.connection.execute(META.format(more=", mean_type INTEGER, unit_class TEXT" if schema >= 50 else ""))
        form = NEW if schema >= 41 else OLD
        reset = "last_reset DATETIME, last_reset_ts FLOAT" if schema >= 41 else "last_reset DATETIME"
        for table in ("statistics", "statistics_short_term"):
            self.connection.execute(ROWS.format(table=table, reset=reset, **form))
        self.connection.commit()

    def add(self, statistic_id: str, unit: str | None, *, has_sum: bool = True) -> int:
        columns = "statistic_id, source, unit_of_measurement, has_sum"
        row = (statistic_id, "recorder", unit, has_sum)
        added = self.connection.execute(f"INSERT INTO statistics_meta ({columns}) VALUES (?, ?, ?, ?)", row)  # noqa: S608 - fixed
        self.connection.commit()
        return int(added.lastrowid or 0)

    def sums(self, number: int, sums: Sums, table: str = "statistics") -> None:
        """Write sums by the second in which their hour, or their five minutes, begin."""
        for start_s, total in sums:
            start: Any = start_s
            column = "start_ts"
            if self.schema < 41:
                column, start = "start", f"{datetime.fromtimestamp(start_s, UTC):%Y-%m-%d %H:%M:%S.%f}"
            query = f"INSERT INTO {table} (metadata_id, {column}, sum) VALUES (?, ?, ?)"  # noqa: S608 - fixed names
            self.connection.execute(query, (number, start, total))
        self.connection.commit()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[TestRecorder]:
    recorder = TestRecorder(tmp_path / "home-assistant_v2.db")
    yield recorder
    recorder.connection.close()


def hours(*sums: float | None, first: int = 0) -> Sums:
    return [(START_S + (first + place) * HOUR_S, total) for place, total in enumerate(sums)]


def opened(recorder: TestRecorder, *names: str) -> HomeAssistantFile:
    return HomeAssistantFile(recorder.path, dict.fromkeys(names or (WASHER,), "mains"))


def test_the_difference_of_sums_is_the_energy_of_each_local_month_and_again_the_same(
    recorder: TestRecorder, tmp_path: Path
) -> None:
    recorder.sums(recorder.add(WASHER, "kWh"), hours(*[5.0 + place / 8 for place in range(24)]))
    first = imported(tmp_path, opened(recorder), **{WASHER: "mains"})
    assert first.counts == (24, 0, 0)
    # The first sum is that of 14:00 in Rome: ten hours of January follow, thirteen of February.
    assert [(each["month"], each["own_wh"], each["home_wh"]) for each in first.months] == [
        ("2026-01", 1250, 1250),
        ("2026-02", 1625, 1625),
    ]
    again = imported(tmp_path, opened(recorder), **{WASHER: "mains"})
    assert (again.counts, again.months) == ((0, 24, 0), first.months)


@pytest.mark.parametrize("schema", [25, 41, 50])
def test_schemas_of_several_years_are_understood(tmp_path: Path, schema: int) -> None:
    recorder = TestRecorder(tmp_path / "ha.db", schema=schema)
    recorder.sums(recorder.add(WASHER, "kWh"), hours(1.0, 2.0, 4.0))
    done = imported(tmp_path, opened(recorder))
    recorder.connection.close()
    assert done.month("2026-01")["home_wh"] == 3000
    assert done.report.spans[WASHER] == ((START_S + HOUR_S) * 1000, (START_S + 3 * HOUR_S) * 1000)


@pytest.mark.parametrize(
    ("unit", "wh"), [("Wh", 1), ("kWh", 1e3), ("MWh", 1e6), ("MJ", 1e6 / 3600), ("GJ", 1e9 / 3600)]
)
def test_every_unit_of_energy_becomes_watt_hours(recorder: TestRecorder, tmp_path: Path, unit: str, wh: float) -> None:
    recorder.sums(recorder.add(WASHER, unit), hours(100 / wh, 1100 / wh))
    assert imported(tmp_path, opened(recorder)).month("2026-01")["home_wh"] == pytest.approx(1000, abs=0.01)


def test_five_minutes_fill_in_where_they_agree_with_the_hours(recorder: TestRecorder, tmp_path: Path) -> None:
    number = recorder.add(WASHER, "Wh")
    recorder.sums(number, hours(100.0, 220.0))
    fives = [(START_S + HOUR_S + 300 * place, 110.0 + 10 * place) for place in range(18)]
    recorder.sums(number, fives, "statistics_short_term")
    first = imported(tmp_path, opened(recorder))
    assert (first.counts, first.report.notes) == ((19, 0, 0), [])
    assert first.month("2026-01")["home_wh"] == 180
    recorder.sums(number, hours(340.0, first=2))
    later = imported(tmp_path, opened(recorder))
    assert later.counts == (1, 19, 0)
    assert later.month("2026-01")["home_wh"] == 240


def test_five_minutes_of_another_register_are_left_out(recorder: TestRecorder, tmp_path: Path) -> None:
    number = recorder.add(WASHER, "Wh")
    recorder.sums(number, hours(100.0, 220.0))
    recorder.sums(
        number, [(START_S + HOUR_S + 300 * place, 7.0 + place) for place in range(12)], "statistics_short_term"
    )
    done = imported(tmp_path, opened(recorder))
    assert done.counts == (2, 0, 0)
    assert "sums by five minutes are left out" in done.report.notes[0]


def test_a_sum_that_falls_goes_on_as_another_register(recorder: TestRecorder, tmp_path: Path) -> None:
    recorder.sums(recorder.add(WASHER, "Wh"), hours(10_000.0, 10_100.0, 400.0, 500.0, 499.0, 600.0))
    done = imported(tmp_path, opened(recorder))
    month = done.month("2026-01")
    assert (month["own_wh"], month["home_wh"]) == (-9400, 100 + 100 + 101)
    assert "the sum falls" in month["reason"]
    assert done.report.notes == [f"{WASHER}: the sum falls 2 times, first at 2026-01-31 16:00, by 9.701 kWh in all"]


def test_a_gap_over_the_end_of_the_month_explains_the_difference(recorder: TestRecorder, tmp_path: Path) -> None:
    recorder.sums(recorder.add(WASHER, "Wh"), [*hours(0.0, 100.0), *hours(1700.0, first=17)])
    done = imported(tmp_path, opened(recorder))
    january, february = done.month("2026-01"), done.month("2026-02")
    assert (january["own_wh"], february["own_wh"]) == (100, 1600)
    assert (january["home_wh"], february["home_wh"]) == (1000, 700)
    assert "a gap over the end of the month" in january["reason"]
    assert "a gap over the end of the month" in february["reason"]


def test_rows_that_cannot_be_are_rejected_by_their_number(recorder: TestRecorder, tmp_path: Path) -> None:
    number = recorder.add(WASHER, "Wh")
    recorder.sums(number, [*hours(-5.0, None, 10.0, 20.0), (START_S + 3 * HOUR_S, 21.0)])
    recorder.connection.execute("INSERT INTO statistics (metadata_id, sum) VALUES (?, 5)", (number,))
    recorder.connection.commit()
    done = imported(tmp_path, opened(recorder))
    assert [(each.place, each.cause) for each in done.report.rejections] == [
        (f"statistics of {WASHER}, row 1", "negative"),
        (f"statistics of {WASHER}, row 2", "empty"),
        (f"statistics of {WASHER}, row 5", "repeated"),
        (f"statistics of {WASHER}, row 6", "time"),
    ]
    assert done.month("2026-01")["home_wh"] == 10


def test_what_there_is_is_listed_and_what_is_no_energy_left_out(recorder: TestRecorder) -> None:
    recorder.sums(recorder.add(WASHER, "kWh"), hours(1.0, 2.0))
    recorder.add("sensor.gas", "m³")
    recorder.add("sensor.temperature", "°C", has_sum=False)
    seen = HomeAssistantFile(recorder.path, {}).understood
    assert [(each.name, each.what, each.slug) for each in seen.series] == [(WASHER, "2 hours in kWh", None)]
    assert any("sensor.gas (m³)" in note for note in seen.notes)
    with pytest.raises(ImportFileError, match=f"no energy statistic 'sensor.gas'; there are: {WASHER}"):
        opened(recorder, "sensor.gas")


def test_a_file_that_is_in_use_is_read_and_left_as_it_is(recorder: TestRecorder, tmp_path: Path) -> None:
    recorder.sums(recorder.add(WASHER, "kWh"), hours(1.0, 2.0))
    recorder.connection.execute("BEGIN IMMEDIATE")
    recorder.connection.execute("DELETE FROM statistics")
    assert imported(tmp_path, opened(recorder)).counts == (2, 0, 0)
    recorder.connection.rollback()
    assert recorder.connection.execute("SELECT count(*) FROM statistics").fetchone() == (2,)


def test_what_is_not_understood_is_refused_and_why(tmp_path: Path) -> None:
    text, other, old = tmp_path / "poem.db", tmp_path / "other.db", tmp_path / "old.db"
    text.write_text("Nel mezzo del cammin")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE thing (x)")
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE schema_changes (schema_version INTEGER)")
        connection.execute("INSERT INTO schema_changes VALUES (16)")
        connection.execute("CREATE TABLE states (id INTEGER)")
        connection.execute("CREATE TABLE statistics (id INTEGER, statistic_id TEXT, start DATETIME, sum FLOAT)")
        connection.commit()
    future = TestRecorder(tmp_path / "future.db", schema=99)
    future.connection.execute("ALTER TABLE statistics RENAME COLUMN sum TO total")
    future.connection.close()
    for path, why in (
        (text, "this is no SQLite database"),
        (other, "this is no database of Home Assistant"),
        (old, "schema 16 .* too old or too new: there is no table statistics_meta"),
        (future.path, "schema 99 .* too old or too new: table statistics has no column sum"),
    ):
        with pytest.raises(ImportFileError, match=why) as caught:
            HomeAssistantFile(path, {})
        assert str(caught.value).startswith(str(path))
