"""What is sealed: reading a meter's segments, intervals, days and snapshots from the database."""

from dataclasses import dataclass
from typing import Any

from casawatt.model.columns import Columns
from casawatt.store import days, quarters
from casawatt.store.database import Database
from casawatt.store.figures import Figures
from casawatt.store.merging import EMPTY, join
from casawatt.store.segment import decode, segment_start


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
        rows = self._rows(
            "SELECT data FROM segments WHERE meter_id = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
            meter_id,
            segment_start(start_ms),
            end_ms,
        )
        return join([decode(data) for (data,) in rows]).between(start_ms, end_ms)

    def around(self, meter_id: int, start_ms: int, end_ms: int) -> Columns:
        """Return the sealed records of a span, and the last one before and the first one after it, if any."""
        rows = self._rows(
            "SELECT data FROM segments WHERE meter_id = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
            meter_id,
            segment_start(start_ms),
            end_ms,
        )
        pieces = [decode(data) for (data,) in rows]
        if not pieces or pieces[0].time_ms[0] >= start_ms:
            before = self.before(meter_id, start_ms)
            pieces = pieces if before is None else [before, *pieces]
        if not pieces or pieces[-1].time_ms[-1] < end_ms:
            after = self.after(meter_id, end_ms)
            pieces = pieces if after is None else [*pieces, after]
        if not pieces:
            return EMPTY
        # Each piece is cut before it is joined: an instant needs a minute of six hours.
        first = max(int(pieces[0].time_ms.searchsorted(start_ms)) - 1, 0)
        last = int(pieces[-1].time_ms.searchsorted(end_ms)) + 1
        if len(pieces) == 1:
            return pieces[0].slice(first, last)
        pieces[0] = pieces[0].slice(first, len(pieces[0]))
        pieces[-1] = pieces[-1].slice(0, last)
        return join(pieces)

    def before(self, meter_id: int, time_ms: int) -> Columns | None:
        """Return the segment that holds the last record before `time_ms`, None when there is none."""
        rows = self._rows(
            "SELECT data FROM segments WHERE meter_id = ? AND start_ms < ? AND first_ms < ?"
            " ORDER BY start_ms DESC LIMIT 1",
            meter_id,
            time_ms,
            time_ms,
        )
        return decode(rows[0][0]) if rows else None

    def after(self, meter_id: int, time_ms: int) -> Columns | None:
        """Return the segment that holds the first record at or after `time_ms`, None when there is none."""
        rows = self._rows(
            "SELECT data FROM segments WHERE meter_id = ? AND start_ms >= ? AND last_ms >= ? ORDER BY start_ms LIMIT 1",
            meter_id,
            segment_start(time_ms),
            time_ms,
        )
        return decode(rows[0][0]) if rows else None

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
