"""The MCEE program's databases: yearly SQLite files and a PostgreSQL, both made by hand."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casawatt.app_home import open_home
from casawatt.clock import WallClock
from casawatt.engine.localtime import day_start
from casawatt.files.mcce_database import McceDatabase, look, sqlite_files
from casawatt.model.errors import ImportFileError
from casawatt.recorder.verify import differences
from casawatt.registry import Adoption
from tests.fakes.databases import PASSWORD, Server, postgres, psql
from tests.files.importing import ROME, imported, place_in

Days = Mapping[str, Sequence[float | None]]

HOURS: Days = {
    "2022-12-30": [100.0] * 24 + [100.0],
    "2022-12-31": [200.0] * 24 + [700.0],
    "2023-01-01": [*[50.25] * 12, *[1000.5] * 12, 400.0],
}
"""Days of hours, each with the line of the next midnight."""

TOTALS = {"2022-12-30": 2.4, "2022-12-31": 4.8, "2023-01-01": 12.61}


def times(day: str, count: int, minutes: int = 60) -> list[str]:
    midnight = datetime.fromisoformat(day)
    return [str(midnight + timedelta(minutes=minutes * place)) for place in range(count)]


def write(path: Path, days: Days, totals: Mapping[str, float | None], minutes: int = 60) -> Path:
    """Write days and totals as the program does."""
    with sqlite3.connect(path) as connection:
        for day, values in days.items():
            connection.execute(f'CREATE TABLE "{day}" ("index" DATETIME, "Wh" FLOAT)')
            rows = zip(times(day, len(values), minutes), values, strict=True)
            connection.executemany(f'INSERT INTO "{day}" VALUES (?, ?)', rows)  # noqa: S608 - a day of this test
        connection.execute('CREATE TABLE avg ("index" TEXT, "kWh" FLOAT)')
        connection.executemany("INSERT INTO avg VALUES (?, ?)", totals.items())
    connection.close()
    return path


def of_year(year: str) -> tuple[Days, Mapping[str, float | None]]:
    days = {day: values for day, values in HOURS.items() if day.startswith(year)}
    return days, {day: TOTALS[day] for day in days}


@pytest.fixture
def years(tmp_path: Path) -> Path:
    """Return the path to which the program has added the years."""
    (tmp_path / "db").mkdir()
    for year in ("2023", "2022"):
        write(tmp_path / "db" / f"power.{year}", *of_year(year))
    return tmp_path / "db" / "power"


def opened(target: object) -> McceDatabase:
    return look(str(target), "mains", ROME, lambda: None)


def days_wh(folder: Path) -> dict[str, float]:
    """Return the energy of each local day of the home in `folder`, after proving that it can be derived anew.

    To the Wh: each quarter-hour is a whole number of mWh.
    """
    place = place_in(folder)
    with open_home(place.config, place.folder, WallClock(), read_only=True) as home:
        meter = home.registry.meter("mains")
        line = home.recorder.line(meter.meter_id)
        assert line is not None
        assert differences(line, home.store) == []
        days = [datetime.fromisoformat(f"2022-12-{day}") for day in (29, 30, 31)]
        days += [datetime.fromisoformat(f"2023-01-0{day}") for day in (1, 2, 3)]
        edges_ms = [day_start(ROME, day.date()) for day in days]
        buckets = home.store.buckets(meter.meter_id, edges_ms, home.registry.calibrations(meter))
        return {f"{day:%m-%d}": round(bucket.energy_wh) for day, bucket in zip(days, buckets, strict=False)}


def test_yearly_files_are_found_by_prefix_by_folder_and_one_by_one(years: Path) -> None:
    both = [years.with_name("power.2022"), years.with_name("power.2023")]
    (years.parent / "notes.txt").write_text("not a database")
    assert sqlite_files(years) == both
    assert sqlite_files(years.parent) == both
    assert sqlite_files(both[1]) == both[1:]
    assert opened(f"sqlite:///{both[1]}").understood.summary.startswith("1 days from 2023-01-01 to 2023-01-01")


def test_each_day_gets_the_energy_of_its_table_and_again_the_same(years: Path, tmp_path: Path) -> None:
    first = imported(tmp_path, opened(years))
    assert (first.counts, first.report.notes) == ((75, 0, 0), [])
    expected = {"12-29": 0, "12-30": 2400, "12-31": 4800, "01-01": 12_609, "01-02": 0}
    assert days_wh(tmp_path) == expected
    assert first.month("2022-12")["difference_wh"] == 0
    january = first.month("2023-01")
    assert (january["own_wh"], january["home_wh"]) == (12_610, pytest.approx(12_609, abs=0.05))
    assert january["reason"] == "avg is rounded to 0.01 kWh a day, and counts the next midnight's line"
    again = imported(tmp_path, opened(years))
    assert (again.counts, again.months) == ((0, 75, 0), first.months)
    assert days_wh(tmp_path) == expected


def test_years_may_come_in_any_order_and_to_the_same(years: Path, tmp_path: Path) -> None:
    for year in ("2023", "2022"):
        imported(tmp_path, opened(years.with_name(f"power.{year}")))
    assert days_wh(tmp_path) == {"12-29": 0, "12-30": 2400, "12-31": 4800, "01-01": 12_609, "01-02": 0}


@pytest.mark.parametrize("minutes", [1, 15, 30])
def test_any_resolution_gives_the_same_energy(tmp_path: Path, minutes: int) -> None:
    count = 1440 // minutes
    values: list[float | None] = [*(100.0 + place % 7 for place in range(count)), 9000.0]
    path = write(tmp_path / "p.2023", {"2023-01-01": values}, {"2023-01-01": 2.47}, minutes)
    done = imported(tmp_path, opened(path))
    exact_wh = sum(100.0 + place % 7 for place in range(count)) * minutes / 60
    assert done.month("2023-01")["home_wh"] == pytest.approx(exact_wh, abs=0.05)
    assert days_wh(tmp_path)["01-02"] == 0


def test_a_meter_with_a_short_gap_limit_takes_the_same_energy(years: Path, tmp_path: Path) -> None:
    place = place_in(tmp_path)
    with open_home(place.config, place.folder, WallClock()) as home:
        home.registry.adopt(Adoption("mains", "Mains", "import", "mains"), 0)
    imported(tmp_path, opened(years))
    assert days_wh(tmp_path)["01-01"] == 12_609


def test_days_of_which_only_one_side_tells_are_named(tmp_path: Path) -> None:
    days: Days = {"2023-01-01": [100.0] * 25, "2023-01-03": [100.0] * 25}
    path = write(tmp_path / "p.2023", days, {"2023-01-01": 2.4, "2023-01-02": 7.5})
    source = opened(path)
    assert "1 days between the first and the last have no table" in source.understood.notes
    done = imported(tmp_path, source)
    assert done.report.notes == [
        "2023-01-02: a total of 7.5 kWh in avg, but no table: not imported",
        "2023-01-03: avg has no total of this day",
    ]
    month = done.month("2023-01")
    assert (month["own_wh"], month["home_wh"]) == (9900, 4800)
    assert "days that avg has and no table" in month["reason"]
    assert days_wh(tmp_path)["01-02"] == 0


def test_a_table_that_does_not_add_up_to_its_total_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "p.2023", {"2023-01-01": [*[100.0] * 10, None, *[100.0] * 14]}, {"2023-01-01": 2.4})
    done = imported(tmp_path, opened(path))
    assert done.report.notes == [
        "2023-01-01: 1 rows have no value",
        "2023-01-01: the table adds up to 2.300 kWh, avg says 2.4",
    ]
    assert done.month("2023-01")["home_wh"] == 2300


def test_strange_tables_harm_nobody(tmp_path: Path) -> None:
    path = write(tmp_path / "p.2023", {"2023-01-01": [100.0] * 25}, {"2023-01-01": 2.4, "soon": None})
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE "2023-01-02" (time TEXT, watts REAL)')
        connection.execute('CREATE TABLE "2023-02-30" ("index" TEXT, "Wh" REAL)')
        connection.execute('CREATE TABLE "x""; DROP TABLE avg; --" (y)')
    connection.close()
    source = opened(path)
    assert any("soon, None" in note for note in source.understood.notes)
    assert any("are left out: 2023-02-30" in note for note in source.understood.notes)
    done = imported(tmp_path, source)
    assert dict(done.report.rejected) == {"columns": 1}
    assert done.report.rejections[0].place == "table 2023-01-02"
    assert done.month("2023-01")["home_wh"] == 2400


def test_what_is_no_such_database_is_refused_and_why(tmp_path: Path) -> None:
    text = tmp_path / "poem.txt"
    text.write_text("Nel mezzo del cammin")
    (tmp_path / "empty").mkdir()
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE thing (x)")
    connection.close()
    damaged = write(tmp_path / "damaged.2023", {"2023-01-01": [1.0] * 25}, {})
    damaged.write_bytes(damaged.read_bytes()[:100] + b"\xff" * 8000)
    for target, why in (
        (text, "this is no SQLite database"),
        (tmp_path / "nowhere", "there is no such file or folder, and none called nowhere.<year>"),
        (tmp_path / "empty", "neither day files"),
        (tmp_path / "other.db", "no table is named like 2023-01-31"),
        (damaged, "malformed|not a database"),
    ):
        with pytest.raises(ImportFileError, match=why) as caught:
            opened(target)
        assert str(target) in str(caught.value)


@pytest.fixture
def server(free_tcp_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("CASAWATT_IMPORT_PASSWORD", PASSWORD)
    with postgres(free_tcp_port) as server:
        yield server


def fill(server: Server, kind: str) -> None:
    """Fill a PostgreSQL as the program does; `kind` is that of the column of times."""
    script = ['CREATE TABLE avg ("index" text, "kWh" double precision);']
    for day, values in HOURS.items():
        script.append(f'CREATE TABLE "{day}" ("index" {kind}, "Wh" double precision);')
        for stamp, value in zip(times(day, len(values)), values, strict=True):
            zoned = datetime.fromisoformat(stamp).replace(tzinfo=ROME).astimezone(UTC)
            text = str(zoned) if kind == "timestamptz" else stamp
            script.append(f"INSERT INTO \"{day}\" VALUES ('{text}', {value});")  # noqa: S608 - a day of this test
    script += [f"INSERT INTO avg VALUES ('{day}', {total});" for day, total in TOTALS.items()]  # noqa: S608 - as above
    psql(server, "postgres", "\n".join(script))


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
def test_a_postgresql_and_the_yearly_files_of_the_same_days_are_one_history(
    server: Server, kind: str, years: Path, tmp_path: Path
) -> None:
    fill(server, kind)
    first = imported(tmp_path, opened(server.address("postgres")))
    assert first.counts == (75, 0, 0)
    assert days_wh(tmp_path) == {"12-29": 0, "12-30": 2400, "12-31": 4800, "01-01": 12_609, "01-02": 0}
    assert imported(tmp_path, opened(years)).counts == (0, 75, 0)
