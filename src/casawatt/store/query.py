"""Answers from what is sealed and what is not, as if there were no difference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.engine.calibrations import counted
from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.model.interval import INTERVAL_MS, Bucket, Interval
from casawatt.model.meter import Calibration
from casawatt.model.reading import Record
from casawatt.store.days import month_of
from casawatt.store.disk import Disk
from casawatt.store.figures import FIGURE, NO_FIGURES, NO_MAX, NO_MIN, Figures, joined, to_buckets, to_intervals
from casawatt.store.merging import merge
from casawatt.store.overlay import Overlay
from casawatt.store.shape import shape
from casawatt.store.tail import Tail

MINUTE_MS = 60_000
_EVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Minutes:
    """One meter's power by the minute, N minutes; `ABSENT` in the powers where nothing was measured.

    `time_ms` is the beginning of each minute (UTC ms); `power_mw` the mean over its measured time. `min_mw` and
    `max_mw` are absent too where only a register told of energy.
    """

    time_ms: Int64Array
    power_mw: Int64Array
    min_mw: Int64Array
    max_mw: Int64Array
    measured_ms: Int64Array


class Query:
    """Reads one store's readings and figures. May be used in any thread."""

    def __init__(self, tail: Tail, absorb: Callable[[], None], disk: Disk, zone: ZoneInfo, *, days: bool) -> None:
        """Read from `tail` (after `absorb` has brought it up to date) and `disk`; `days`: the days are of this zone."""
        self._tail = tail
        self._absorb = absorb
        self._disk = disk
        self._zone = zone
        self._days_usable = days

    # Whatever is read from memory is read before the disk: what is sealed in between is then seen twice,
    # which merging makes good, and never missed.

    def columns(self, meter_id: int, start_ms: int, end_ms: int) -> Columns:
        """Return the records with `start_ms <= time_ms < end_ms`; later arrival wins channel by channel."""
        pieces = self._tail_columns(meter_id, start_ms, end_ms)
        merged = self._disk.columns(meter_id, start_ms, end_ms)
        for piece in pieces:
            merged = merge(merged, piece)
        empty = [name for name, column in merged.channels.items() if not (column != ABSENT).any()]
        if not empty:
            return merged
        kept = {name: column for name, column in merged.channels.items() if name not in empty}
        return Columns(merged.time_ms, merged.device_id, kept)

    def _tail_columns(self, meter_id: int, start_ms: int, end_ms: int) -> list[Columns]:
        self._absorb()
        with self._tail.lock:
            return self._tail.columns(meter_id, start_ms, end_ms)

    def last_record(self, meter_id: int, before_ms: int | None) -> Record | None:
        """Return the last record (before `before_ms`), None when there is none."""
        limit_ms = _EVER if before_ms is None else before_ms
        times = [int(piece.time_ms[-1]) for piece in self._tail_columns(meter_id, -_EVER, limit_ms) if len(piece)]
        sealed = self._disk.before(meter_id, limit_ms)
        if sealed is not None:
            times.append(int(sealed.between(-_EVER, limit_ms).time_ms[-1]))
        if not times:
            return None
        return next(self.columns(meter_id, max(times), max(times) + 1).records())

    def first_time_ms(self, meter_id: int) -> int | None:
        """Return the time of the first record, None when there is none."""
        self._absorb()
        with self._tail.lock:
            bounds = self._tail.bounds_ms(meter_id)
        sealed_ms = self._disk.first_ms(meter_id)
        if bounds is None or sealed_ms is None:
            return sealed_ms if bounds is None else bounds[0]
        return min(bounds[0], sealed_ms)

    def around(self, meter_id: int, start_ms: int, end_ms: int) -> Columns:
        """Return the records of a span, and the last one before and the first one after it where there are such."""
        self._absorb()
        with self._tail.lock:
            pieces = [piece for piece in self._tail.around(meter_id, start_ms, end_ms) if len(piece)]
        merged = self._disk.around(meter_id, start_ms, end_ms)
        if not pieces:
            return merged
        for piece in pieces:
            merged = merge(merged, piece)
        # Each layer and the disk gave neighbours of their own: the nearest count.
        first = int(merged.time_ms.searchsorted(start_ms)) - 1
        last = int(merged.time_ms.searchsorted(end_ms)) + 1
        return merged.slice(max(first, 0), last)

    def _around_counted(
        self, meter_id: int, start_ms: int, end_ms: int, calibrations: Sequence[Calibration]
    ) -> Columns:
        """Return the records of a span and its neighbours on both sides, also where nearer ones are ignored.

        A neighbour further away than the gap limit has no power to tell, so it is not looked for.
        """
        found = self.around(meter_id, start_ms, end_ms)
        kept = counted(found, calibrations)
        if kept is found:
            return found
        reach_ms = max(calibration.gap_limit_ms for calibration in calibrations)
        return self.around(meter_id, start_ms - reach_ms, end_ms + reach_ms)

    def _overlay(self, meter_id: int) -> Overlay:
        with self._tail.lock:
            return self._tail.overlay(meter_id)

    def quarters(self, meter_id: int, start_ms: int, end_ms: int) -> Figures:
        """Return the quarter-hours that begin in the span, in ascending time, the open one included."""
        overlay = self._overlay(meter_id)
        return overlay.over(self._disk.quarters(meter_id, start_ms, end_ms), start_ms, end_ms)

    def intervals(self, meter_id: int, start_ms: int, end_ms: int) -> list[Interval]:
        """Return the quarter-hours that begin in the span, in ascending time, the open one included."""
        return to_intervals(self.quarters(meter_id, start_ms, end_ms))

    def buckets(self, meter_id: int, edges_ms: Sequence[int], calibrations: Sequence[Calibration]) -> list[Bucket]:
        """Return one bucket for each pair of consecutive edges (strictly ascending UTC ms).

        Whole local months and days come from the cache, other time from quarter-hours; a quarter-hour that an edge
        cuts is shared out by the shape of its readings. Raises ValueError when the edges do not ascend.
        """
        edges = np.array(edges_ms, np.int64)
        if len(edges) < 2 or not (edges[1:] > edges[:-1]).all():
            message = "the edges of buckets must ascend"
            raise ValueError(message)
        start_ms, end_ms = int(edges[0]), int(edges[-1])
        overlay = self._overlay(meter_id)
        whole, quarters = self._parts(meter_id, overlay, edges)
        cut = _crossed(quarters, edges)
        pieces = [whole, quarters[~cut]]
        if cut.any():
            shared = [self._shared(meter_id, quarter, edges, calibrations) for quarter in quarters[cut]]
            pieces += [piece[(piece["start_ms"] >= start_ms) & (piece["end_ms"] <= end_ms)] for piece in shared]
        return to_buckets(joined(pieces), edges_ms)

    def _parts(self, meter_id: int, overlay: Overlay, edges: Int64Array) -> tuple[Figures, Figures]:
        """Return the months and days that lie whole and clean in a bucket, and the quarters of all other time."""
        start_ms, end_ms = int(edges[0]), int(edges[-1])
        from_ms = start_ms - start_ms % INTERVAL_MS
        if not self._days_usable:
            disk = self._disk.quarters(meter_id, from_ms, end_ms)
            return NO_FIGURES, overlay.over(disk, from_ms, end_ms)
        months = self._disk.months(meter_id, *(month_of(self._zone, time_ms) // 12 for time_ms in (from_ms, end_ms)))
        months = _reaching_into(months, from_ms, end_ms)
        loose = overlay.touches(months) | _crossed(months, edges)
        days = joined(
            [
                self._disk.days(meter_id, month_of(self._zone, first_ms), month_of(self._zone, last_ms - 1))
                for first_ms, last_ms in _joined_spans(months[loose])
            ]
        )
        days = _reaching_into(days, from_ms, end_ms)
        partly = overlay.touches(days) | _crossed(days, edges)
        disk = joined(
            [
                self._disk.quarters(meter_id, max(first_ms, from_ms), min(last_ms, end_ms))
                for first_ms, last_ms in _joined_spans(days[partly])
            ]
        )
        whole = joined([months[~loose], days[~partly]])
        return whole, overlay.over(disk, from_ms, end_ms)

    def _shared(
        self, meter_id: int, quarter: np.void, edges: Int64Array, calibrations: Sequence[Calibration]
    ) -> Figures:
        """Return a quarter-hour in the parts that edges cut it into: shaped by its readings, its own sum kept."""
        begin, end, energy_mwh, measured_ms, min_mw, max_mw, how = quarter.tolist()
        cuts = np.array([begin, *edges[edges.searchsorted(begin, "right") : edges.searchsorted(end)], end], np.int64)
        lengths_ms = cuts[1:] - cuts[:-1]
        told = shape(self._around_counted(meter_id, begin, end, calibrations), calibrations, cuts)
        parts = np.empty(len(lengths_ms), FIGURE)
        parts["start_ms"], parts["end_ms"] = cuts[:-1], cuts[1:]
        parts["energy_mwh"] = _in_proportion(energy_mwh, told.energy_uj, lengths_ms)
        covered_ms = np.minimum(_in_proportion(measured_ms, told.measured_ms, lengths_ms), lengths_ms)
        parts["measured_ms"] = covered_ms
        known, nothing = told.min_mw != NO_MIN, covered_ms == 0
        parts["min_mw"] = np.where(nothing, NO_MIN, np.where(known, told.min_mw, min_mw))
        parts["max_mw"] = np.where(nothing, NO_MAX, np.where(known, told.max_mw, max_mw))
        parts["how"] = how
        return parts

    def by_minute(self, meter_id: int, start_ms: int, end_ms: int, calibrations: Sequence[Calibration]) -> Minutes:
        """Return the power of each whole minute of the span, from the readings."""
        first_ms = start_ms - start_ms % MINUTE_MS
        edges = np.arange(first_ms, end_ms + MINUTE_MS, MINUTE_MS, dtype=np.int64)
        edges = edges[: max(int(np.searchsorted(edges, end_ms)) + 1, 2)]
        columns = self._around_counted(meter_id, int(edges[0]), int(edges[-1]), calibrations)
        told = shape(columns, calibrations, edges)
        measured = told.measured_ms > 0
        length_ms = np.maximum(told.measured_ms, 1)
        power_mw = np.where(measured, (told.energy_uj + length_ms // 2) // length_ms, ABSENT)
        known = measured & (told.min_mw != NO_MIN)
        return Minutes(
            edges[:-1],
            power_mw,
            np.where(known, told.min_mw, ABSENT),
            np.where(known, told.max_mw, ABSENT),
            told.measured_ms,
        )


def _crossed(figures: Figures, edges: Int64Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each figure whether an edge lies inside it, the outer edges too."""
    before = np.searchsorted(edges, figures["start_ms"], side="right")
    crossed: np.ndarray[tuple[int], np.dtype[np.bool_]] = before != np.searchsorted(
        edges, figures["end_ms"], side="left"
    )
    return crossed


def _reaching_into(figures: Figures, start_ms: int, end_ms: int) -> Figures:
    """Return those of ascending figures that have a part in the span."""
    return figures[figures["end_ms"].searchsorted(start_ms, "right") : figures["start_ms"].searchsorted(end_ms)]


def _joined_spans(days: Figures) -> list[tuple[int, int]]:
    """Return the spans of days, or months, neighbours joined."""
    spans: list[tuple[int, int]] = []
    for start_ms, end_ms in zip(days["start_ms"].tolist(), days["end_ms"].tolist(), strict=True):
        if spans and spans[-1][1] == start_ms:
            spans[-1] = (spans[-1][0], end_ms)
        else:
            spans.append((start_ms, end_ms))
    return spans


def _in_proportion(whole: int, weights: Int64Array, lengths_ms: Int64Array) -> list[int]:
    """Return `whole` shared out by weights, by lengths where the weights say nothing; the parts sum to the whole."""
    total = int(weights.sum())
    chosen = weights.tolist() if total > 0 and (weights >= 0).all() else lengths_ms.tolist()
    total = sum(chosen)
    parts, done, given = [], 0, 0
    for weight in chosen:
        done += weight
        until = (2 * whole * done + total) // (2 * total)
        parts.append(until - given)
        given = until
    return parts
