"""Local days and months of a meter: a cache made from its sealed intervals, packed by local month and year.

A day is there exactly when an interval of it is sealed, and is always the sum of those that are; so is a month
of its days. A month spans from its first day that is there to its last.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.engine.localtime import day_edges, local_date
from casawatt.model.columns import Int64Array
from casawatt.store import quarters
from casawatt.store.database import Database
from casawatt.store.figures import NO_FIGURES, Figures, joined, pack_days, total, unpack_days
from casawatt.store.logs import Meta
from casawatt.store.quarters import DAY_MS, Laid

ZONE_KEY = "days_zone"
"""Under which the database says which zone the days were made for."""

_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Cached:
    """Rows of days by month and of months by year that are to be written; None where one is to be deleted."""

    days: dict[int, bytes | None]
    months: dict[int, bytes | None]


def month_of(zone: ZoneInfo, time_ms: int) -> int:
    """Return the number of the local month of an instant: year * 12 + month - 1."""
    day = local_date(zone, time_ms)
    return day.year * 12 + day.month - 1


def sum_days(zone: ZoneInfo, figures: Figures) -> Figures:
    """Return the local days that ascending quarter-hours make."""
    if not len(figures):
        return NO_FIGURES
    begins = figures["start_ms"]
    edges = np.array(day_edges(zone, int(begins[0]), int(begins[-1]) + 1), np.int64)
    day_of = np.searchsorted(edges, begins, side="right") - 1
    days = total(figures, day_of)
    numbers = np.unique(day_of)
    days["start_ms"], days["end_ms"] = edges[numbers], edges[numbers + 1]
    return days


def sum_months(zone: ZoneInfo, days: Figures) -> Figures:
    """Return the local months that ascending local days make."""
    return total(days, months_of(zone, days)) if len(days) else NO_FIGURES


def months_of(zone: ZoneInfo, days: Figures) -> Int64Array:
    """Return the number of the local month of each figure."""
    return np.array([month_of(zone, start_ms) for start_ms in days["start_ms"].tolist()], np.int64)


def read_days(connection: sqlite3.Connection, meter_id: int, first_month: int, last_month: int) -> Figures:
    """Return the days of some months, in ascending time."""
    rows = connection.execute(
        "SELECT data FROM days WHERE meter_id = ? AND month BETWEEN ? AND ? ORDER BY month",
        (meter_id, first_month, last_month),
    ).fetchall()
    return unpack_days(b"".join([data for (data,) in rows]))


def read_months(connection: sqlite3.Connection, meter_id: int, first_year: int, last_year: int) -> Figures:
    """Return the months of some years, in ascending time."""
    rows = connection.execute(
        "SELECT data FROM months WHERE meter_id = ? AND year BETWEEN ? AND ? ORDER BY year",
        (meter_id, first_year, last_year),
    ).fetchall()
    return unpack_days(b"".join([data for (data,) in rows]))


def refreshed(connection: sqlite3.Connection, zone: ZoneInfo, meter_id: int, laid: Laid) -> Cached:
    """Return the rows of days and months as the quarter-hours that are being laid down make them."""
    if not len(laid.touched_ms):
        return Cached({}, {})
    edges = np.array(day_edges(zone, int(laid.touched_ms[0]), int(laid.touched_ms[-1]) + 1), np.int64)
    places = np.unique(np.searchsorted(edges, laid.touched_ms, side="right") - 1)
    made = sum_days(zone, joined([*_quarters_then(connection, meter_id, laid, edges, places)]))
    starts_ms = edges[places]
    month_numbers = np.array([month_of(zone, start_ms) for start_ms in starts_ms.tolist()], np.int64)
    days: dict[int, bytes | None] = {}
    sums: dict[int, Figures] = {}
    for month in np.unique(month_numbers).tolist():
        old = read_days(connection, meter_id, month, month)
        mine_ms = starts_ms[month_numbers == month]
        new = made[made["start_ms"].searchsorted(mine_ms[0]) : made["start_ms"].searchsorted(mine_ms[-1], "right")]
        both = joined([old[~np.isin(old["start_ms"], mine_ms)], new])
        both = both[np.argsort(both["start_ms"])]
        days[month] = pack_days(both) if len(both) else None
        sums[month] = sum_months(zone, both)
    months: dict[int, bytes | None] = {}
    for year in {month // 12 for month in sums}:
        old = read_months(connection, meter_id, year, year)
        kept = old[~np.isin(months_of(zone, old), list(sums))]
        both = joined([kept, *[figures for month, figures in sums.items() if month // 12 == year]])
        months[year] = pack_days(both[np.argsort(both["start_ms"])]) if len(both) else None
    return Cached(days, months)


def _quarters_then(
    connection: sqlite3.Connection, meter_id: int, laid: Laid, edges: Int64Array, places: Int64Array
) -> Iterator[Figures]:
    """Yield all quarter-hours of some local days, neighbouring days together, as they will be."""
    for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
        start_ms, end_ms = int(edges[run[0]]), int(edges[run[-1] + 1])
        old = quarters.read(connection, meter_id, start_ms, end_ms)
        begins = old["start_ms"]
        kept = old[~np.isin(begins - begins % DAY_MS, laid.days_ms)]
        begins = laid.figures["start_ms"]
        both = joined([kept, laid.figures[begins.searchsorted(start_ms) : begins.searchsorted(end_ms)]])
        yield both[np.argsort(both["start_ms"])]


def write(connection: sqlite3.Connection, meter_id: int, cached: Cached) -> None:
    """Write rows of days and months, inside the caller's transaction."""
    for table, key, rows in (("days", "month", cached.days), ("months", "year", cached.months)):
        kept = [(meter_id, number, data) for number, data in rows.items() if data is not None]
        connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", kept)  # noqa: S608 (fixed text)
        gone = [(meter_id, number) for number, data in rows.items() if data is None]
        connection.executemany(f"DELETE FROM {table} WHERE meter_id = ? AND {key} = ?", gone)  # noqa: S608 (fixed text)


def rebuild(connection: sqlite3.Connection, zone: ZoneInfo) -> None:
    """Make all days and months of all meters anew, for another zone, inside the caller's transaction."""
    connection.execute("DELETE FROM days")
    connection.execute("DELETE FROM months")
    meter_ids = [row[0] for row in connection.execute("SELECT DISTINCT meter_id FROM intervals").fetchall()]
    for meter_id in meter_ids:
        figures = quarters.read(connection, meter_id, -_EVER, _EVER)
        begins = figures["start_ms"]
        laid = Laid(np.unique(begins - begins % DAY_MS), figures, begins)
        write(connection, meter_id, refreshed(connection, zone, meter_id, laid))


def use_zone(database: Database, zone: ZoneInfo) -> None:
    """Make the local days anew when they were made for another zone."""
    meta = Meta(database)
    if meta.get(ZONE_KEY) == zone.key:
        return
    with database.write() as connection:
        rebuild(connection, zone)
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (ZONE_KEY, zone.key))
