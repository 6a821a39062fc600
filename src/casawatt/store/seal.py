"""Sealing: what lies in the tail becomes segments, intervals and days, one meter a commit."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.model.columns import Columns
from casawatt.store import aside, days, quarters, runs_over
from casawatt.store.database import Database
from casawatt.store.merging import EMPTY, merge
from casawatt.store.overlay import flatten
from casawatt.store.part import Part
from casawatt.store.segment import SEGMENT_MS, decode, encode
from casawatt.store.tail import Layer

Snapshots = Sequence[tuple[int, bytes]]
"""States as they were before the first reading at or after a boundary: (boundary in UTC ms, state)."""


@dataclass(frozen=True, slots=True)
class RunStates:
    """What finds a meter's runs, as of the cut, and as it was before the first reading at or after some boundaries.

    Without a state its runs are found anew from the first reading on.
    """

    state: bytes | None
    snapshots: Snapshots = ()


NO_RUN_STATES = RunStates(None)


@dataclass(frozen=True, slots=True)
class Cut:
    """What is about to be sealed of one meter: everything of it up to `sealed_seq`, and the engine state with it.

    `touched_id`: the newest of the touched spans that its figures have worked in.
    """

    meter_id: int
    sealed_seq: int
    state: bytes
    snapshots: Snapshots
    layers: list[Layer]
    touched_id: int = 0
    runs: RunStates = NO_RUN_STATES


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
    reader = database.reader()
    segments = _merged(reader, cut)
    overlay = flatten([layer.overlay for layer in cut.layers])
    suspects = aside.flatten([layer.aside for layer in cut.layers])
    runs = runs_over.flatten([layer.runs for layer in cut.layers])
    # All that takes time is done before others have to wait; nobody else changes what is read for it.
    laid = quarters.lay(reader, cut.meter_id, overlay)
    kept, gone = quarters.packed(cut.meter_id, laid)
    cached = days.refreshed(reader, zone, cut.meter_id, laid)
    snapshots, run_snapshots = (
        [(cut.meter_id, *snapshot) for snapshot in those] for those in (cut.snapshots, cut.runs.snapshots)
    )
    with database.write() as connection:
        connection.executemany(_WRITE_SEGMENT, [_row(cut.meter_id, segment) for segment in segments])
        connection.executemany("INSERT OR REPLACE INTO intervals VALUES (?, ?, ?)", kept)
        connection.executemany("DELETE FROM intervals WHERE meter_id = ? AND start_ms = ?", gone)
        days.write(connection, cut.meter_id, cached)
        suspects.write(connection, cut.meter_id)
        runs.write(connection, cut.meter_id)
        connection.executemany("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)", snapshots)
        connection.executemany("INSERT OR REPLACE INTO run_states VALUES (?, ?, ?)", run_snapshots)
        connection.execute("DELETE FROM touched WHERE meter_id = ? AND touched_id <= ?", (cut.meter_id, cut.touched_id))
        connection.execute(
            "INSERT OR REPLACE INTO sealed (meter_id, sealed_seq, state, run_state) VALUES (?, ?, ?, ?)",
            (cut.meter_id, cut.sealed_seq, cut.state, cut.runs.state),
        )


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


_WRITE_SEGMENT = (
    "INSERT INTO segments (meter_id, start_ms, first_ms, last_ms, count, newest_seq, data)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (meter_id, start_ms) DO UPDATE SET first_ms = excluded.first_ms,"
    " last_ms = excluded.last_ms, count = excluded.count, newest_seq = excluded.newest_seq, data = excluded.data"
)


def _row(meter_id: int, segment: _NewSegment) -> tuple[int, int, int, int, int, int, bytes]:
    times_ms = segment.columns.time_ms
    first_ms, last_ms = int(times_ms[0]), int(times_ms[-1])
    return meter_id, segment.start_ms, first_ms, last_ms, len(times_ms), segment.newest_seq, segment.data
