"""Whether the files are whole, and agree with each other."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.model.columns import Int64Array
from casawatt.model.errors import StoreCorruptError
from casawatt.model.interval import INTERVAL_MS
from casawatt.store.database import Database
from casawatt.store.days import ZONE_KEY, sum_days
from casawatt.store.figures import QUARTER_ROW, Figures, unpack_days, unpack_quarters
from casawatt.store.logfile import read_log
from casawatt.store.segment import SEGMENT_MS, decode

HOUR_MS = 3_600_000
_DEEP_DAYS = 40


def findings(folder: Path, database: Database, zone: ZoneInfo, *, deep: bool) -> list[str]:
    """Return what is wrong, a sentence each; empty when everything is whole.

    Without `deep` SQLite's quick check is made and the newest segments of each meter are decoded; with it
    everything is.
    """
    found = [finding for scan in read_log(folder / "journal") if (finding := scan.finding)]
    connection = database.reader()
    pinned = not connection.in_transaction
    if pinned:
        connection.execute("BEGIN")
    try:
        found += _sqlite(connection, deep=deep)
        found += _segments(connection, deep=deep)
        found += _sequence(connection)
        found += _quarters_and_days(connection, zone)
    except sqlite3.DatabaseError as error:
        found.append(f"{database.path}: {error}")
    finally:
        if pinned:
            connection.execute("ROLLBACK")
    return found


def _sqlite(connection: sqlite3.Connection, *, deep: bool) -> Iterator[str]:
    pragma = "integrity_check" if deep else "quick_check"
    for (said,) in connection.execute(f"PRAGMA {pragma}"):
        if said != "ok":
            yield f"the database: {said}"
    for row in connection.execute("PRAGMA foreign_key_check"):
        yield f"the database: a row of {row[0]} points to a row of {row[2]} that is not there"


def _segments(connection: sqlite3.Connection, *, deep: bool) -> Iterator[str]:
    since = -(2**63)
    if not deep:
        newest = connection.execute("SELECT MAX(start_ms) FROM segments").fetchone()[0]
        since = (newest or 0) - _DEEP_DAYS * 24 * HOUR_MS
    rows = connection.execute(
        "SELECT meter_id, start_ms, first_ms, last_ms, count, data FROM segments WHERE start_ms >= ?", (since,)
    )
    for meter_id, start_ms, first_ms, last_ms, count, data in rows:
        where = f"the segment of meter {meter_id} at {start_ms}"
        try:
            columns = decode(data)
        except StoreCorruptError as error:
            yield f"{where}: {error}"
            continue
        times = columns.time_ms
        if len(columns) != count or (int(times[0]), int(times[-1])) != (first_ms, last_ms):
            yield f"{where} does not hold what its row says"
        if not (times[1:] > times[:-1]).all() or times[0] < start_ms or times[-1] >= start_ms + SEGMENT_MS:
            yield f"{where} has times out of order or out of its six hours"


def _sequence(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute(
        "SELECT segments.meter_id, MAX(newest_seq), MIN(newest_seq), sealed_seq FROM segments"
        " LEFT JOIN sealed USING (meter_id) GROUP BY segments.meter_id"
    )
    for meter_id, newest_seq, lowest_seq, sealed_seq in rows:
        if sealed_seq is None or newest_seq > sealed_seq or lowest_seq < 1:
            yield f"meter {meter_id}: segments hold sequence number {newest_seq}, but {sealed_seq} counts as sealed"
    for (seq,) in connection.execute("SELECT newest_seq FROM segments GROUP BY newest_seq HAVING COUNT(*) > 1"):
        yield f"two segments claim to hold the reading with sequence number {seq}"


def _quarters_and_days(connection: sqlite3.Connection, zone: ZoneInfo) -> Iterator[str]:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (ZONE_KEY,)).fetchone()
    same_zone = row is not None and row[0] == zone.key
    for (meter_id,) in connection.execute("SELECT DISTINCT meter_id FROM intervals").fetchall():
        rows = connection.execute(
            "SELECT start_ms, data FROM intervals WHERE meter_id = ? ORDER BY start_ms", (meter_id,)
        ).fetchall()
        whole = [(start_ms, data) for start_ms, data in rows if data and not len(data) % QUARTER_ROW.itemsize]
        if len(whole) < len(rows):
            yield f"meter {meter_id}: {len(rows) - len(whole)} rows of intervals are damaged"
        quarters = unpack_quarters(b"".join([data for _, data in whole]))
        counts = [len(data) // QUARTER_ROW.itemsize for _, data in whole]
        yield from _quarters(meter_id, quarters, np.repeat(np.array([start_ms for start_ms, _ in whole]), counts))
        if same_zone:
            yield from _days(connection, zone, meter_id, quarters)


def _quarters(meter_id: int, quarters: Figures, hours_ms: Int64Array) -> Iterator[str]:
    begins = quarters["start_ms"]
    outside = (begins < hours_ms) | (begins >= hours_ms + HOUR_MS)
    outside[1:] |= np.diff(begins) <= 0
    for hour_ms in np.unique(hours_ms[outside]).tolist():
        yield f"the intervals of meter {meter_id} at {hour_ms} lie outside their hour or out of order"
    for start_ms in begins[quarters["measured_ms"] > INTERVAL_MS].tolist():
        yield f"the interval of meter {meter_id} at {start_ms} was measured for longer than it lasts"


def _days(connection: sqlite3.Connection, zone: ZoneInfo, meter_id: int, quarters: Figures) -> Iterator[str]:
    rows = connection.execute("SELECT data FROM days WHERE meter_id = ? ORDER BY month", (meter_id,)).fetchall()
    days = unpack_days(b"".join([row[0] for row in rows]))
    made = {row[0]: row for row in sum_days(zone, quarters).tolist()}
    kept = {row[0]: row for row in days.tolist()}
    for start_ms in sorted(made.keys() | kept.keys()):
        if made.get(start_ms) != kept.get(start_ms):
            yield f"the day of meter {meter_id} at {start_ms} is not the sum of its intervals"
