"""The energy statistics in the recorder database of Home Assistant, an SQLite file.

`statistics` has a row for each hour, `statistics_short_term` one for each five minutes of about the last ten days. The
`sum` grows through all resets of the sensor itself, and a row's is that of the end of its hour: so it is kept as a
register.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from casawatt.files.database import sqlite_read_only
from casawatt.files.import_report import Months, Report, is_plausible, month_name
from casawatt.files.importable import BATCH_ROWS, Batch, Series, Understood
from casawatt.model.errors import ImportFileError
from casawatt.model.meter import Cadence, Traits
from casawatt.recordings.row import Row

WH_PER_UNIT = {
    "Wh": 1.0,
    "kWh": 1e3,
    "MWh": 1e6,
    "GWh": 1e9,
    "TWh": 1e12,
    "J": 1 / 3600,
    "kJ": 1e3 / 3600,
    "MJ": 1e6 / 3600,
    "GJ": 1e9 / 3600,
}
"""Units of energy that Home Assistant knows, in Wh."""

HOUR_MS = 3_600_000
SHORT_MS = 300_000
DEVICES = ("homeassistant", "homeassistant-b")
"""Names of the register, taken in turns: where the sum falls, it goes on as another register."""

AGREED_MWH = 10
"""So far hours and five minutes may be apart at the same instant and still be of one register."""

_META_COLUMNS = {"id", "statistic_id", "unit_of_measurement", "has_sum"}
_TABLES = {"statistics": HOUR_MS, "statistics_short_term": SHORT_MS}
_SAMPLE_ROWS = 5


@dataclass(frozen=True, slots=True)
class Statistic:
    """An energy statistic: its number in the database, its id, its unit, and how many hours it has."""

    number: int
    statistic_id: str
    unit: str
    hours: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What a row says: the sum in mWh at `time_ms` (UTC ms), and where it stands."""

    time_ms: int
    sum_mwh: int
    row_number: int
    table: str


class HomeAssistantFile:
    """A recorder database whose energy statistics are to be imported."""

    def __init__(self, path: Path, meters: Mapping[str, str]) -> None:
        """Look into the file. `meters` says for each statistic id to which meter it goes.

        Raises ImportFileError when it cannot be read, is not such a database, or lacks one of the statistics.
        """
        self._path = path
        with sqlite_read_only(path) as connection:
            version = _check(connection, path)
            statistics, others = _statistics(connection)
            self._by_id = {each.statistic_id: each for each in statistics}
            for name in meters:
                if name not in self._by_id:
                    known = ", ".join(self._by_id) or "none"
                    raise ImportFileError(f"{path}: there is no energy statistic {name!r}; there are: {known}")
            notes = ["the sum at the end of each hour is kept as a register; what came before the first is not known"]
            if others:
                notes.append(f"left out, because their unit is none of energy: {', '.join(others)}")
            rows: list[Row] = []
            for name in meters:
                sums = _hours(connection, self._by_id[name])
                rows += [
                    Row(time_ms=each.time_ms, part=name, register_wh=each.sum_mwh / 1000)
                    for each in sums[:_SAMPLE_ROWS]
                ]
        self.understood = Understood(
            origin=str(path),
            summary=f"a database of Home Assistant, schema {version}, with {len(statistics)} statistics of energy",
            series=tuple(
                Series(name=each.statistic_id, what=f"{each.hours} hours in {each.unit}", slug=meters.get(name))
                for name, each in self._by_id.items()
            ),
            traits=Traits(cadence=Cadence.CHANGE, gap_limit_ms=HOUR_MS),
            by_register=True,
            step_s=HOUR_MS / 1000,
            notes=tuple(notes),
            rows=tuple(rows),
        )

    def batches(self, wanted: Mapping[str, str], report: Report) -> Iterator[Batch]:
        """Yield the sums of each statistic that is wanted as a register, adding to `report`."""
        with sqlite_read_only(self._path) as connection:
            for place, name in enumerate(wanted):
                statistic = self._by_id[name]
                hours = _hours(connection, statistic, report)
                sums = _together(name, hours, _short_term(connection, statistic, report), report)
                report.readings += len(sums)
                marked = list(zip(sums, _devices(name, sums, report), strict=True))
                for first in range(0, len(marked), BATCH_ROWS):
                    chunk = marked[first : first + BATCH_ROWS]
                    done_ratio = (place + (first + len(chunk)) / len(marked)) / len(wanted)
                    for device in DEVICES:
                        for table in _TABLES:
                            some = [each for each, of in chunk if of == device and each.table == table]
                            if some:
                                yield _batch(name, some, device, done_ratio)


def _batch(name: str, sums: list[Sum], device: str, done_ratio: float) -> Batch:
    rows = tuple(Row(time_ms=each.time_ms, register_wh=each.sum_mwh / 1000) for each in sums)
    numbers = tuple(each.row_number for each in sums)
    return Batch(name, rows, numbers, f"{sums[0].table} of {name}, row ", device, done_ratio)


def _check(connection: sqlite3.Connection, path: Path) -> str:
    """Return the version of the schema; raises ImportFileError for one that is not understood."""
    if not _columns(connection, "statistics_meta") and not _columns(connection, "states"):
        raise ImportFileError(f"{path}: this is no database of Home Assistant: it has no table `statistics_meta`")
    version = "of unknown version"
    if "schema_version" in _columns(connection, "schema_changes"):
        newest = connection.execute("SELECT max(schema_version) FROM schema_changes").fetchone()
        version = str(newest[0]) if newest and newest[0] is not None else version
    wanted = {"statistics_meta": _META_COLUMNS, "statistics": {"id", "metadata_id", "sum"}}
    for table, columns in wanted.items():
        there = _columns(connection, table)
        missing = sorted(columns - there)
        if table == "statistics" and not {"start", "start_ts"} & there:
            missing.append("start_ts")
        if missing:
            what = f"table {table} has no column {missing[0]}" if there else f"there is no table {table}"
            raise ImportFileError(
                f"{path}: schema {version} of Home Assistant is not understood, it is too old or too new: {what}"
            )
    return version


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns, none if there is no such table."""
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def _statistics(connection: sqlite3.Connection) -> tuple[list[Statistic], list[str]]:
    """Return the statistics of energy, and the ids of those that have a sum of something else."""
    found, others = [], []
    query = (
        "SELECT id, statistic_id, unit_of_measurement,"
        " (SELECT count(*) FROM statistics WHERE metadata_id = statistics_meta.id)"
        " FROM statistics_meta WHERE has_sum ORDER BY statistic_id"
    )
    for number, statistic_id, unit, hours in connection.execute(query):
        if unit in WH_PER_UNIT:
            found.append(Statistic(number, statistic_id, unit, hours))
        else:
            others.append(f"{statistic_id} ({unit or 'no unit'})")
    return found, others


def _hours(connection: sqlite3.Connection, statistic: Statistic, report: Report | None = None) -> list[Sum]:
    return _sums(connection, statistic, "statistics", report)


def _short_term(connection: sqlite3.Connection, statistic: Statistic, report: Report) -> list[Sum]:
    wanted = {"id", "metadata_id", "sum"}
    there = _columns(connection, "statistics_short_term")
    return _sums(connection, statistic, "statistics_short_term", report) if wanted <= there else []


def _sums(connection: sqlite3.Connection, statistic: Statistic, table: str, report: Report | None) -> list[Sum]:
    """Return the rows of a statistic in ascending time, each time once; what cannot be goes to the report."""
    there = _columns(connection, table)
    names = [name if name in there else "NULL" for name in ("start_ts", "start")]
    query = f"SELECT id, {names[0]}, {names[1]}, sum FROM {table} WHERE metadata_id = ?"  # noqa: S608 - fixed names only
    found: dict[int, Sum] = {}
    for row_number, start_s, start, total in connection.execute(query, (statistic.number,)):
        start_ms = _start_ms(start_s, start)
        cause, detail = "", ""
        if start_ms is None:
            cause, detail = "time", "its time cannot be read"
        elif not isinstance(total, int | float) or total != total:  # noqa: PLR0124 - only "not a number" is unlike itself
            cause, detail = "empty", "it has no sum"
        elif total < 0:
            cause, detail = "negative", "a register has no negative value"
        elif start_ms in found:
            cause, detail = "repeated", "its time is there already"
        else:
            sum_mwh = round(total * WH_PER_UNIT[statistic.unit] * 1000)
            found[start_ms] = Sum(start_ms + _TABLES[table], sum_mwh, row_number, table)
        if report is not None:
            report.lines += 1
            if cause:
                report.reject(f"{table} of {statistic.statistic_id}, row {row_number}", f"{total}", cause, detail)
                if start_ms is not None and is_plausible(start_ms):
                    month = month_name(report.zone, start_ms)
                    report.explain(statistic.statistic_id, month, f"rows were rejected: {cause}")
    return [found[start_ms] for start_ms in sorted(found)]


def _start_ms(start_s: object, start: object) -> int | None:
    """Return when a row's time begins (UTC ms): newer databases have seconds since 1970, older ones text in UTC."""
    if isinstance(start_s, int | float):
        return round(start_s * 1000)
    try:
        return round(datetime.fromisoformat(str(start)).replace(tzinfo=UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _together(name: str, hours: list[Sum], short: list[Sum], report: Report) -> list[Sum]:
    """Return the hours with the five minutes in between, if these are of the same register."""
    by_time = {each.time_ms: each for each in hours}
    for each in short:
        same = by_time.get(each.time_ms)
        if same is not None and abs(same.sum_mwh - each.sum_mwh) > AGREED_MWH:
            report.note(
                f"{name}: the sums by five minutes are left out, because they are not those of the hours: at"
                f" {_local(report, each)} {each.sum_mwh / 1000:g} Wh and {same.sum_mwh / 1000:g} Wh"
            )
            return hours
    merged = {each.time_ms: each for each in short} | by_time
    return [merged[time_ms] for time_ms in sorted(merged)]


def _devices(name: str, sums: list[Sum], report: Report) -> list[str]:
    """Return for each sum which of `DEVICES` it is of, and put the totals by Home Assistant's own rule into the report.

    That rule is the difference of the sums at the ends of the month.
    """
    months = Months(report.zone)
    devices, life, falls, fallen_mwh, first_fall = [], 0, 0, 0, ""
    for place, now in enumerate(sums):
        before = sums[place - 1] if place else None
        if before is not None and is_plausible(before.time_ms) and is_plausible(now.time_ms):
            month = months.name(now.time_ms - 1)
            report.own_wh[name, month] += (now.sum_mwh - before.sum_mwh) / 1000
            if now.sum_mwh < before.sum_mwh:
                life, falls, fallen_mwh = 1 - life, falls + 1, fallen_mwh + before.sum_mwh - now.sum_mwh
                first_fall = first_fall or _local(report, now)
                report.explain(
                    name, month, "the sum falls: Home Assistant takes that off, a register does not run back"
                )
            if now.time_ms - before.time_ms > HOUR_MS and (earlier := months.name(before.time_ms)) != month:
                for each in (earlier, month):
                    report.explain(name, each, "a gap over the end of the month, all of which the sums put after it")
        devices.append(DEVICES[life])
    if falls:
        report.note(f"{name}: the sum falls {falls} times, first at {first_fall}, by {fallen_mwh / 1e6:.3f} kWh in all")
    return devices


def _local(report: Report, said: Sum) -> str:
    return f"{datetime.fromtimestamp(said.time_ms / 1000, report.zone):%Y-%m-%d %H:%M}"
