"""The databases of the MCEE program: a table for each day, and `avg` with the total of each.

Either one PostgreSQL database, or SQLite files, one for each year, whose names end in the year.
"""

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from casawatt.files.database import POSTGRESQL, AskPassword, connected, connected_file, is_sqlite
from casawatt.files.import_report import Report
from casawatt.files.importable import Batch, Series, Understood
from casawatt.files.mcce_days import STEP_MS, day_of
from casawatt.files.mcce_table import DayTable, device_of, read_table
from casawatt.model.errors import ImportFileError
from casawatt.model.meter import Cadence, Traits

if TYPE_CHECKING:
    from sqlalchemy import Connection

TOTALS = "avg"
TOTAL_ROUNDING_WH = 5.0
"""`avg` is rounded to 0.01 kWh."""
VALUE_ROUNDING_W = 0.005
"""Mean watts are rounded to 0.01 W."""

_YEAR_AT_END = re.compile(r"\.\d{4}$")
_TABLES_LOOKED_AT = 12
_SAMPLE_ROWS = 5
_MS_PER_HOUR = 3_600_000
_TABLES_NAMED = 8

Opener = Callable[[], AbstractContextManager["Connection"]]


def sqlite_files(target: Path) -> list[Path]:
    """Return the SQLite files that `target` stands for, by name: itself, those in it, or `target.<year>` each.

    Raises ImportFileError when there is none, or when a file that was named is no SQLite database.
    """
    if target.is_file():
        if not is_sqlite(target):
            raise ImportFileError(f"{target}: this is no SQLite database")
        return [target]
    folder, prefix = (target, "") if target.is_dir() else (target.parent, f"{target.name}.")
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name.startswith(prefix))
    except OSError as error:
        raise ImportFileError(f"{folder}: {error.strerror}") from error
    if prefix:
        found = [path for path in paths if _YEAR_AT_END.search(path.name)]
        why = f"there is no such file or folder, and none called {target.name}.<year>"
    else:
        found = [path for path in paths if is_sqlite(path)]
        why = "there are neither day files, named like 2023-01-31, nor SQLite databases in it"
    if not found:
        raise ImportFileError(f"{target}: {why}")
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """One database: what it is called, how it is opened, its days, and the totals in `avg` in kWh."""

    origin: str
    open: Opener
    days: dict[date, str] = field(default_factory=dict)
    totals_kwh: dict[date, float] = field(default_factory=dict)


class McceDatabase:
    """Databases of the MCEE program that are to be imported, as one."""

    def __init__(self, openers: Mapping[str, Opener], slug: str, zone: ZoneInfo) -> None:
        """Look into the databases, by their names; `zone` says when days begin.

        Raises ImportFileError when one cannot be read, or no day is in any of them.
        """
        self._zone = zone
        self._notes: list[str] = []
        self._parts = [self._look(origin, opener) for origin, opener in openers.items()]
        self._parts.sort(key=lambda part: min(part.days, default=date.max))
        days = sorted(day for part in self._parts for day in part.days)
        if not days:
            named = ", ".join(self._notes) or "there are no tables"
            raise ImportFileError(f"{', '.join(openers)}: no table is named like 2023-01-31; {named}")
        samples = self._samples()
        length_ms = max((table.length_ms or 0 for table in samples), default=0) or _MS_PER_HOUR
        missing = (days[-1] - days[0]).days + 1 - len(days)
        if missing:
            self._notes.append(f"{missing} days between the first and the last have no table")
        self.understood = Understood(
            origin=", ".join(openers),
            summary=f"{len(days)} days from {days[0]} to {days[-1]}, mean watts of {length_ms / 60_000:g} minutes each;"
            f" days begin at midnight, {zone.key}",
            series=(Series(name="", what="the MCEE meter", slug=slug),),
            traits=Traits(cadence=Cadence.CHANGE, gap_limit_ms=length_ms),
            by_register=True,
            step_s=length_ms / 1000,
            notes=(
                "mean watts times the interval's length is kept as a register of the day, so that the energy is exact",
                "the last row of a table is one line of the next midnight and no interval: it is left out",
                *self._notes,
            ),
            rows=tuple(row for _, row in samples[0].rows[:_SAMPLE_ROWS]),
        )

    def batches(self, wanted: Mapping[str, str], report: Report) -> Iterator[Batch]:
        """Yield the days one by one, adding to `report`."""
        del wanted  # there is one series
        count, done = sum(len(part.days) for part in self._parts), 0
        for part in self._parts:
            for day in sorted(part.totals_kwh.keys() - part.days.keys()):
                report.note(f"{day}: a total of {part.totals_kwh[day]:g} kWh in avg, but no table: not imported")
                report.own_wh["", f"{day:%Y-%m}"] += part.totals_kwh[day] * 1000
                report.explain("", f"{day:%Y-%m}", "days that avg has and no table")
            with part.open() as connection:
                for day, name in sorted(part.days.items()):
                    done += 1
                    rows = _rows(connection, name, ("index", "Wh"))
                    report.lines += len(rows or ())
                    if rows is None:
                        report.reject(f"table {name}", "", "columns", "it has no columns `index` and `Wh`")
                        continue
                    table = read_table(day, rows, self._zone)
                    self._tell(day, table, part.totals_kwh.get(day), report)
                    if table.rows:
                        report.readings += len(table.rows)
                        numbers, readings = zip(*table.rows, strict=True)
                        yield Batch("", readings, numbers, f"table {name}, row ", device_of(day), done / count)

    def _look(self, origin: str, opener: Opener) -> Part:
        with opener() as connection:
            names = _inspector(connection).get_table_names()
            days = {day: name for name in names if (day := day_of(name)) is not None}
            others = [name for name in names if day_of(name) is None and name != TOTALS]
            totals = _rows(connection, TOTALS, ("index", "kWh")) if TOTALS in names else None
            if totals is None:
                self._notes.append(f"{origin}: there is no table `avg` with totals to compare with")
            if others:
                named = ", ".join(others[:_TABLES_NAMED]) + (", ..." if len(others) > _TABLES_NAMED else "")
                self._notes.append(f"{origin}: tables that are none of the program's are left out: {named}")
        return Part(origin, opener, days, self._totals(origin, totals or []))

    def _totals(self, origin: str, rows: Sequence[tuple[Any, ...]]) -> dict[date, float]:
        totals = {}
        for index, said in rows:
            day = day_of(str(index)[:10])
            if day is None or not isinstance(said, int | float):
                self._notes.append(f"{origin}: avg has a row that cannot be understood: {index}, {said}")
            else:
                totals[day] = float(said)
        return totals

    def _samples(self) -> list[DayTable]:
        """Return some days of the first to the last, as they are read."""
        found = []
        for part in self._parts:
            days = sorted(part.days.items())
            with part.open() as connection:
                for day, name in days[:: max(1, len(days) // _TABLES_LOOKED_AT)]:
                    rows = _rows(connection, name, ("index", "Wh"))
                    found.append(read_table(day, rows or (), self._zone))
        return found

    @staticmethod
    def _tell(day: date, table: DayTable, total_kwh: float | None, report: Report) -> None:
        """Put the day's own total into the report, and what a person should know of it."""
        month = f"{day:%Y-%m}"
        for row_number, text, cause, detail in table.rejected:
            report.reject(f"table {day}, row {row_number}", text, cause, detail)
            report.explain("", month, f"rows were rejected: {cause}")
        if table.nulls:
            report.note(f"{day}: {table.nulls} rows have no value")
            report.explain("", month, "rows without a value")
        if total_kwh is None:
            report.note(f"{day}: avg has no total of this day")
            report.explain("", month, "days that avg does not have")
            return
        report.own_wh["", month] += total_kwh * 1000
        closing_wh = (table.closing_w or 0.0) * STEP_MS / _MS_PER_HOUR
        rounding_wh = TOTAL_ROUNDING_WH + VALUE_ROUNDING_W * 24
        if abs(table.energy_wh + closing_wh - total_kwh * 1000) <= rounding_wh:
            report.explain("", month, "avg is rounded to 0.01 kWh a day, and counts the next midnight's line")
        else:
            report.note(f"{day}: the table adds up to {table.energy_wh / 1000:.3f} kWh, avg says {total_kwh:g}")
            report.explain("", month, "days whose table does not add up to avg")


def _inspector(connection: "Connection") -> Any:  # noqa: ANN401 - SQLAlchemy is loaded by name, and has no types then
    return importlib.import_module("sqlalchemy").inspect(connection)


def _rows(connection: "Connection", table: str, columns: Sequence[str]) -> list[tuple[Any, ...]] | None:
    """Return those columns of a table's rows in the order in which they are kept, None if it lacks one of them."""
    if not set(columns) <= {each["name"] for each in _inspector(connection).get_columns(table)}:
        return None
    sql = importlib.import_module("sqlalchemy")
    quoted = [sql.column(sql.sql.quoted_name(name, quote=True)) for name in columns]
    found = connection.execute(sql.select(*quoted).select_from(sql.table(sql.sql.quoted_name(table, quote=True))))
    return [tuple(row) for row in found]


def look(target: str, slug: str, zone: ZoneInfo, ask: AskPassword) -> McceDatabase:
    """Return the database at a PostgreSQL address, or the SQLite files at a path; see `McceDatabase`."""
    if "://" in target and not target.startswith("sqlite://"):
        return McceDatabase({target: partial(connected, target, ask, POSTGRESQL)}, slug, zone)
    files = sqlite_files(Path(re.sub("^sqlite:///?", "", target)))
    return McceDatabase({str(path): partial(connected_file, path) for path in files}, slug, zone)
