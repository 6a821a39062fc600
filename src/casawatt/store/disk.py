"""What is sealed: reading a meter's segments, intervals, days and snapshots from the database."""

from dataclasses import dataclass
from typing import Any

from casawatt.model.columns import Columns
from casawatt.store import days, quarters
from casawatt.store.database import Database
from casawatt.store.figures import Figures
from casawatt.store.merging import EMPTY
from casawatt.store.segment import decode, decode_all, segment_start

_WITHIN = "start_ms >= ? AND start_ms < ? ORDER BY start_ms"
_BEFORE = "start_ms < ? AND first_ms < ? ORDER BY start_ms DESC LIMIT 1"
_AFTER = "start_ms >= ? AND last_ms >= ? ORDER BY start_ms LIMIT 1"
"""Which segments of a meter: those that begin in a span; the last with a record before; the first with one after."""


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A sealed segment; `newest_seq` is the highest sequence number it holds."""

    meter_id: int
    newest_seq: int
    data: bytes


class Disk:
    """Reads what was committed. Each thread sees the state of the last commit."""

    def __init__(self, database: Database) -> None:
        """Read from `database`."""
        self._database = database

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.reader().execute(query, values).fetchall()

    def columns(self, meter_id: int, start_ms: int, end_ms: int) -> Columns:
        """Return the sealed records with `start_ms <= time_ms < end_ms`."""
        blobs = self._blobs(_WITHIN, meter_id, segment_start(start_ms), end_ms)
        return decode_all([data for _, _, data in blobs]).between(start_ms, end_ms) if blobs else EMPTY

    def around(self, meter_id: int, start_ms: int, end_ms: int) -> Columns:
        """Return the sealed records of a span, and the last one before and the first one after it, if any."""
        blobs = self._blobs(_WITHIN, meter_id, segment_start(start_ms), end_ms)
        if not blobs or blobs[0][0] >= start_ms:
            blobs = [*self._blobs(_BEFORE, meter_id, start_ms, start_ms), *blobs]
        if not blobs or blobs[-1][1] < end_ms:
            blobs = [*blobs, *self._blobs(_AFTER, meter_id, segment_start(end_ms), end_ms)]
        if not blobs:
            return EMPTY
        whole = decode_all([data for _, _, data in blobs])
        first, last = whole.time_ms.searchsorted((start_ms, end_ms)).tolist()
        return whole.slice(max(first - 1, 0), last + 1)

    def before(self, meter_id: int, time_ms: int) -> Columns | None:
        """Return the segment that holds the last record before `time_ms`, None when there is none."""
        blobs = self._blobs(_BEFORE, meter_id, time_ms, time_ms)
        return decode(blobs[0][2]) if blobs else None

    def _blobs(self, which: str, *values: int) -> list[tuple[int, int, bytes]]:
        """Return the first and the last time of segments, and their data, in ascending time."""
        return self._rows(f"SELECT first_ms, last_ms, data FROM segments WHERE meter_id = ? AND {which}", *values)  # noqa: S608 (fixed text)

    def first_ms(self, meter_id: int) -> int | None:
        """Return the time of the first sealed record, None when there is none."""
        rows = self._rows("SELECT first_ms FROM segments WHERE meter_id = ? ORDER BY start_ms LIMIT 1", meter_id)
        return rows[0][0] if rows else None

    def quarters(self, meter_id: int, start_ms: int, end_ms: int) -> Figures:
        """Return the sealed quarter-hours that begin in the span, in ascending time."""
        return quarters.read(self._database.reader(), meter_id, start_ms, end_ms)

    def days(self, meter_id: int, first_month: int, last_month: int) -> Figures:
        """Return the cached local days of some local months, in ascending time."""
        return days.read_days(self._database.reader(), meter_id, first_month, last_month)

    def months(self, meter_id: int, first_year: int, last_year: int) -> Figures:
        """Return the cached local months of some local years, in ascending time."""
        return days.read_months(self._database.reader(), meter_id, first_year, last_year)

    def engine_state(self, meter_id: int) -> bytes | None:
        """Return the engine state that goes with what is sealed of a meter."""
        rows = self._rows("SELECT state FROM sealed WHERE meter_id = ?", meter_id)
        return rows[0][0] if rows else None

    def snapshot_before(self, meter_id: int, time_ms: int) -> tuple[int, bytes] | None:
        """Return the newest snapshot whose boundary is not after `time_ms`, with its boundary (UTC ms)."""
        rows = self._rows(
            "SELECT boundary_ms, state FROM snapshots WHERE meter_id = ? AND boundary_ms <= ?"
            " ORDER BY boundary_ms DESC LIMIT 1",
            meter_id,
            time_ms,
        )
        return rows[0] if rows else None

    def sealed_seqs(self) -> dict[int, int]:
        """Return for each meter up to which sequence number its readings are sealed."""
        return dict(self._rows("SELECT meter_id, sealed_seq FROM sealed"))

    def newest_seq(self) -> int:
        """Return the highest sequence number that the database knows of, 0 in a new one."""
        queries = ("MAX(newest_seq) FROM segments", "MAX(sealed_seq) FROM sealed", "MAX(position) FROM followers")
        return max(self._rows(f"SELECT {query}")[0][0] or 0 for query in queries)

    def segments_after(self, seq: int, limit: int) -> list[SegmentRow]:
        """Return up to `limit` segments that hold a reading later than `seq`, by their newest one."""
        rows = self._rows(
            "SELECT meter_id, newest_seq, data FROM segments WHERE newest_seq > ? ORDER BY newest_seq LIMIT ?",
            seq,
            limit,
        )
        return [SegmentRow(*row) for row in rows]
