"""Intervals that are not on the disk yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from casawatt.model.interval import Interval
from casawatt.store.figures import NO_FIGURES, Figures, from_intervals, joined


@dataclass(slots=True)
class Overlay:
    """What lies over a meter's intervals on the disk: spans taken away first, then intervals laid down."""

    replaced: list[tuple[int, int]] = field(default_factory=list)
    intervals: dict[int, Interval] = field(default_factory=dict)

    def put(self, intervals: Iterable[Interval]) -> None:
        """Lay intervals over those of the same quarter."""
        for interval in intervals:
            self.intervals[interval.start_ms] = interval

    def replace(self, start_ms: int, end_ms: int, intervals: Iterable[Interval]) -> None:
        """Take everything in the span away and lay `intervals` down."""
        for quarter in [quarter for quarter in self.intervals if start_ms <= quarter < end_ms]:
            del self.intervals[quarter]
        if end_ms > start_ms:
            apart = [span for span in self.replaced if span[1] < start_ms or span[0] > end_ms]
            joined = [span for span in self.replaced if span not in apart] + [(start_ms, end_ms)]
            self.replaced = [*apart, (min(joined)[0], max(span[1] for span in joined))]
        self.put(intervals)

    def touches(self, figures: Figures) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return for each figure whether something of it is taken away or laid over."""
        touched = np.zeros(len(figures), np.bool_)
        if not len(figures):
            return touched
        start_ms, end_ms = figures["start_ms"], figures["end_ms"]
        for from_ms, to_ms in self.replaced:
            touched |= (start_ms < to_ms) & (end_ms > from_ms)
        if self.intervals:
            quarters = np.fromiter(self.intervals, np.int64, len(self.intervals))
            place = np.searchsorted(start_ms, quarters, side="right") - 1
            inside = (place >= 0) & (quarters < end_ms[place])
            touched[place[inside]] = True
        return touched

    def over(self, disk: Figures, start_ms: int, end_ms: int) -> Figures:
        """Return the quarters that begin in the span, given those on the disk, in ascending time."""
        inside = [self.intervals[quarter] for quarter in sorted(self.intervals) if start_ms <= quarter < end_ms]
        kept = disk[~self.touches(disk)]
        if not inside:
            return kept
        both = joined([kept, from_intervals(inside)])
        return both[np.argsort(both["start_ms"], kind="stable")]

    def only(self, start_ms: int, end_ms: int) -> Figures:
        """Return the quarters laid down that begin in the span, in ascending time."""
        return self.over(NO_FIGURES, start_ms, end_ms)


def flatten(layers: Sequence[Overlay], open_intervals: Sequence[Interval] = ()) -> Overlay:
    """Return several overlays, lowest first, as one; the open interval lies on top."""
    flat = Overlay()
    for layer in layers:
        for start_ms, end_ms in layer.replaced:
            flat.replace(start_ms, end_ms, ())
        flat.put(layer.intervals.values())
    flat.put(open_intervals)
    return flat
