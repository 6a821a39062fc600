"""A meter's quarter-hours on the disk: a packed row for each UTC day."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from casawatt.model.columns import Int64Array
from casawatt.store.figures import Figures, pack_quarters, unpack_quarters
from casawatt.store.overlay import Overlay

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Laid:
    """What an overlay makes of the quarter-hours on the disk.

    `days_ms`: the UTC days whose rows change, ascending. `figures`: all quarter-hours of those days as they are then.
    `touched_ms`: the begins of the quarter-hours that change, come or go, ascending.
    """

    days_ms: Int64Array
    figures: Figures
    touched_ms: Int64Array


def read(connection: sqlite3.Connection, meter_id: int, start_ms: int, end_ms: int) -> Figures:
    """Return the sealed quarter-hours that begin in the span, in ascending time."""
    rows = connection.execute(
        "SELECT data FROM intervals WHERE meter_id = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
        (meter_id, start_ms - start_ms % DAY_MS, end_ms),
    ).fetchall()
    figures = unpack_quarters([data for (data,) in rows])
    first, last = figures["start_ms"].searchsorted((start_ms, end_ms))
    return figures[first:last]


def lay(connection: sqlite3.Connection, meter_id: int, overlay: Overlay) -> Laid:
    """Return what laying an overlay down will change; nothing is written yet."""
    days = {quarter - quarter % DAY_MS for quarter in overlay.intervals}
    for start_ms, end_ms in overlay.replaced:
        rows = connection.execute(
            "SELECT start_ms FROM intervals WHERE meter_id = ? AND start_ms >= ? AND start_ms < ?",
            (meter_id, start_ms - start_ms % DAY_MS, end_ms),
        )
        days.update(row[0] for row in rows)
    days_ms = np.array(sorted(days), np.int64)
    found = [
        row for first_ms, end_ms in runs(days_ms.tolist()) for row in _rows(connection, meter_id, first_ms, end_ms)
    ]
    old = unpack_quarters(found)
    changed_ms = old["start_ms"][overlay.touches(old)]
    put_ms = np.fromiter(overlay.intervals, np.int64, len(overlay.intervals))
    figures = overlay.over(old, int(days_ms[0]), int(days_ms[-1]) + DAY_MS) if len(days_ms) else old
    return Laid(days_ms, figures, np.union1d(changed_ms, put_ms))


def _rows(connection: sqlite3.Connection, meter_id: int, first_ms: int, end_ms: int) -> Iterator[bytes]:
    rows = connection.execute(
        "SELECT data FROM intervals WHERE meter_id = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
        (meter_id, first_ms, end_ms),
    )
    return (data for (data,) in rows)


def packed(meter_id: int, laid: Laid) -> tuple[list[tuple[int, int, bytes]], list[tuple[int, int]]]:
    """Return the rows to write, and the (meter id, UTC day) of those to delete."""
    begins_ms = laid.figures["start_ms"]
    first, stop = begins_ms.searchsorted(laid.days_ms), begins_ms.searchsorted(laid.days_ms + DAY_MS)
    kept, gone = [], []
    for day_ms, begin, end in zip(laid.days_ms.tolist(), first.tolist(), stop.tolist(), strict=True):
        if begin < end:
            kept.append((meter_id, day_ms, pack_quarters(laid.figures[begin:end])))
        else:
            gone.append((meter_id, day_ms))
    return kept, gone


def runs(days_ms: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the spans that ascending UTC days make when neighbours are joined."""
    begin: int | None = None
    end = 0
    for day_ms in days_ms:
        if begin is not None and day_ms != end:
            yield begin, end
            begin = None
        begin = day_ms if begin is None else begin
        end = day_ms + DAY_MS
    if begin is not None:
        yield begin, end
