"""Sealing: what lies in the tail becomes segments, intervals and days, one meter a commit."""

import sqlite3
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.model.columns import Columns, Int64Array
from casawatt.store.database import Database
from casawatt.store.days import refresh
from casawatt.store.figures import NO_FIGURES, pack_quarters, unpack_quarters
from casawatt.store.merging import EMPTY, merge
from casawatt.store.overlay import Overlay, flatten
from casawatt.store.part import Part
from casawatt.store.segment import SEGMENT_MS, decode, encode
from casawatt.store.tail import Layer

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Cut:
    """What is about to be sealed of one meter: everything of it up to `sealed_seq`, and the engine state with it."""

    meter_id: int
    sealed_seq: int
    state: bytes
    snapshots: tuple[tuple[int, bytes], ...]
    layers: list[Layer]


@dataclass(frozen=True, slots=True)
class _NewSegment:
    start_ms: int
    columns: Columns
    newest_seq: int
    data: bytes


def commit(database: Database, zone: ZoneInfo, cut: Cut) -> None:
    """Write a cut: all of it or nothing. Repeating it changes nothing.

    Raises StoreFullError when the disk is full, StoreError when SQLite refuses otherwise.
    """
    segments = _merged(database.reader(), cut)
    overlay = flatten([layer.overlay for layer in cut.layers])
    with database.write() as connection:
        for segment in segments:
            _write_segment(connection, cut.meter_id, segment)
        touched_ms = _write_intervals(connection, cut.meter_id, overlay)
        refresh(connection, zone, cut.meter_id, touched_ms)
        for boundary_ms, state in [*overlay.snapshots.items(), *cut.snapshots]:
            connection.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)", (cut.meter_id, boundary_ms, state))
        connection.execute("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?)", (cut.meter_id, cut.sealed_seq, cut.state))


def _merged(connection: sqlite3.Connection, cut: Cut) -> list[_NewSegment]:
    """Return the segments that the cut changes, merged with what they held."""
    waiting: dict[int, tuple[Columns, int]] = {}
    for layer in cut.layers:
        arrived = layer.part.columns(-(2**63), 2**63 - 1)
        for start_ms, newest_seq in _newest_seqs(layer.part).items():
            new = arrived.between(start_ms, start_ms + SEGMENT_MS)
            earlier, earlier_seq = waiting.get(start_ms) or _sealed(connection, cut.meter_id, start_ms)
            waiting[start_ms] = (merge(earlier, new), max(earlier_seq, newest_seq))
    return [
        _NewSegment(start_ms, columns, newest_seq, encode(columns))
        for start_ms, (columns, newest_seq) in sorted(waiting.items())
    ]


def _newest_seqs(part: Part) -> dict[int, int]:
    """Return the highest sequence number for each segment that a part has readings for."""
    starts, place = np.unique(part.times_ms - part.times_ms % SEGMENT_MS, return_inverse=True)
    newest = np.zeros(len(starts), np.int64)
    np.maximum.at(newest, place, part.seqs)
    return dict(zip(starts.tolist(), newest.tolist(), strict=True))


def _sealed(connection: sqlite3.Connection, meter_id: int, start_ms: int) -> tuple[Columns, int]:
    row = connection.execute(
        "SELECT data, newest_seq FROM segments WHERE meter_id = ? AND start_ms = ?", (meter_id, start_ms)
    ).fetchone()
    return (EMPTY, 0) if row is None else (decode(row[0]), row[1])


def _write_segment(connection: sqlite3.Connection, meter_id: int, segment: _NewSegment) -> None:
    times_ms = segment.columns.time_ms
    connection.execute(
        "INSERT INTO segments (meter_id, start_ms, first_ms, last_ms, count, newest_seq, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (meter_id, start_ms) DO UPDATE SET first_ms = excluded.first_ms,"
        " last_ms = excluded.last_ms, count = excluded.count, newest_seq = excluded.newest_seq, data = excluded.data",
        (
            meter_id,
            segment.start_ms,
            int(times_ms[0]),
            int(times_ms[-1]),
            len(times_ms),
            segment.newest_seq,
            segment.data,
        ),
    )


def _write_intervals(connection: sqlite3.Connection, meter_id: int, overlay: Overlay) -> Int64Array:
    """Lay an overlay down on the disk; returns the begins of the quarters that it touched, ascending."""
    hours = {quarter - quarter % HOUR_MS for quarter in overlay.intervals}
    for start_ms, end_ms in overlay.replaced:
        rows = connection.execute(
            "SELECT start_ms FROM intervals WHERE meter_id = ? AND start_ms >= ? AND start_ms < ?",
            (meter_id, start_ms - start_ms % HOUR_MS, end_ms),
        )
        hours.update(row[0] for row in rows)
    by_hour = {hour: Overlay(_reaching_into(hour, overlay.replaced)) for hour in hours}
    for quarter, interval in overlay.intervals.items():
        by_hour[quarter - quarter % HOUR_MS].intervals[quarter] = interval
    touched = set(overlay.intervals)
    for hour, over in sorted(by_hour.items()):
        row = connection.execute(
            "SELECT data FROM intervals WHERE meter_id = ? AND start_ms = ?", (meter_id, hour)
        ).fetchone()
        old = NO_FIGURES if row is None else unpack_quarters(row[0])
        touched.update(old["start_ms"][over.touches(old)].tolist())
        new = over.over(old, hour, hour + HOUR_MS)
        if len(new):
            connection.execute(
                "INSERT OR REPLACE INTO intervals VALUES (?, ?, ?)", (meter_id, hour, pack_quarters(new))
            )
        else:
            connection.execute("DELETE FROM intervals WHERE meter_id = ? AND start_ms = ?", (meter_id, hour))
    return np.array(sorted(touched), np.int64)


def _reaching_into(hour_ms: int, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [span for span in spans if span[0] < hour_ms + HOUR_MS and span[1] > hour_ms]
