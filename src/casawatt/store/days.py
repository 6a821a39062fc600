"""Local days of a meter: a cache made from its sealed intervals, packed by local month.

A day is there exactly when an interval of it is sealed, and is always the sum of those that are.
"""

import sqlite3
from bisect import bisect_right
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.engine.localtime import day_edges, local_date
from casawatt.model.columns import Int64Array
from casawatt.store.database import Database
from casawatt.store.figures import NO_FIGURES, Figures, pack_days, total, unpack_days, unpack_quarters
from casawatt.store.logs import Meta

HOUR_MS = 3_600_000
ZONE_KEY = "days_zone"
"""Under which the database says which zone the days were made for."""


def month_of(zone: ZoneInfo, time_ms: int) -> int:
    """Return the number of the local month of an instant: year * 12 + month - 1."""
    day = local_date(zone, time_ms)
    return day.year * 12 + day.month - 1


def sum_days(zone: ZoneInfo, quarters: Figures) -> Figures:
    """Return the local days that ascending quarter-hours make."""
    if not len(quarters):
        return NO_FIGURES
    begins = quarters["start_ms"]
    edges = np.array(day_edges(zone, int(begins[0]), int(begins[-1]) + 1), np.int64)
    day_of = np.searchsorted(edges, begins, side="right") - 1
    days = total(quarters, day_of)
    numbers = np.unique(day_of)
    days["start_ms"], days["end_ms"] = edges[numbers], edges[numbers + 1]
    return days


def refresh(connection: sqlite3.Connection, zone: ZoneInfo, meter_id: int, touched_ms: Int64Array) -> None:
    """Make anew the days of the quarters that were touched (ascending begins), inside the caller's transaction."""
    if not len(touched_ms):
        return
    edges = day_edges(zone, int(touched_ms[0]), int(touched_ms[-1]) + 1)
    places = sorted({bisect_right(edges, quarter) - 1 for quarter in touched_ms.tolist()})
    for month, group in groupby(places, key=lambda place: month_of(zone, edges[place])):
        days = list(group)
        _refresh_month(connection, zone, meter_id, month, [(edges[day], edges[day + 1]) for day in days])


def _refresh_month(
    connection: sqlite3.Connection, zone: ZoneInfo, meter_id: int, month: int, spans: list[tuple[int, int]]
) -> None:
    """Make the given days of one month anew."""
    start_ms, end_ms = spans[0][0], spans[-1][1]
    rows = connection.execute(
        "SELECT data FROM intervals WHERE meter_id = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
        (meter_id, start_ms - start_ms % HOUR_MS, end_ms),
    ).fetchall()
    quarters = unpack_quarters(b"".join([row[0] for row in rows]))
    begins = quarters["start_ms"]
    made = sum_days(zone, quarters[(begins >= start_ms) & (begins < end_ms)])
    row = connection.execute("SELECT data FROM days WHERE meter_id = ? AND month = ?", (meter_id, month)).fetchone()
    old = NO_FIGURES if row is None else unpack_days(row[0])
    outside = (old["start_ms"] < start_ms) | (old["start_ms"] >= end_ms)
    days = np.concatenate([old[outside], made])
    days = days[np.argsort(days["start_ms"])]
    if len(days):
        connection.execute("INSERT OR REPLACE INTO days VALUES (?, ?, ?)", (meter_id, month, pack_days(days)))
    else:
        connection.execute("DELETE FROM days WHERE meter_id = ? AND month = ?", (meter_id, month))


def rebuild(connection: sqlite3.Connection, zone: ZoneInfo) -> None:
    """Make all days of all meters anew, for another zone, inside the caller's transaction."""
    connection.execute("DELETE FROM days")
    meter_ids = [row[0] for row in connection.execute("SELECT DISTINCT meter_id FROM intervals").fetchall()]
    for meter_id in meter_ids:
        rows = connection.execute("SELECT data FROM intervals WHERE meter_id = ? ORDER BY start_ms", (meter_id,))
        days = sum_days(zone, unpack_quarters(b"".join([row[0] for row in rows])))
        months = [month_of(zone, start_ms) for start_ms in days["start_ms"].tolist()]
        for month in sorted(set(months)):
            chosen = days[np.array(months) == month]
            connection.execute("INSERT INTO days VALUES (?, ?, ?)", (meter_id, month, pack_days(chosen)))


def use_zone(database: Database, zone: ZoneInfo) -> None:
    """Make the local days anew when they were made for another zone."""
    meta = Meta(database)
    if meta.get(ZONE_KEY) == zone.key:
        return
    with database.write() as connection:
        rebuild(connection, zone)
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (ZONE_KEY, zone.key))
