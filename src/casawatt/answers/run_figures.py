"""What a run used: its energy to the mWh, phase by phase, and its curve, from what is kept of its meter."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from casawatt.engine.programmes import CURVE_POINTS, Trace
from casawatt.model.columns import ABSENT
from casawatt.model.interval import Bucket
from casawatt.model.meter import Calibration
from casawatt.model.run import Run
from casawatt.store.store import Store

MINUTE_MS = 60_000
SHORT_MS = 30 * MINUTE_MS
"""The curve of a shorter run is asked for exactly, that of a longer one made of its minutes."""


class RunFigures:
    """What a run used until `end_ms`, its end or, while it goes on, now; that is later than its start.

    Each is looked up when it is first asked for: a phase's edge costs as much as a run's.
    """

    def __init__(self, store: Store, meter_id: int, run: Run, end_ms: int, calibrations: Sequence[Calibration]) -> None:
        self._store = store
        self._meter_id = meter_id
        self._run = run
        self._end_ms = end_ms
        self._calibrations = calibrations

    @cached_property
    def whole(self) -> Bucket:
        """What it used in all."""
        return self._store.energy(self._meter_id, self._run.start_ms, self._end_ms, self._calibrations)

    @cached_property
    def phases(self) -> tuple[Bucket, ...]:
        """What it used in each phase; phases that fill it sum to the whole."""
        spans = [(phase.start_ms, min(phase.end_ms, self._end_ms)) for phase in self._run.phases]
        edges_ms = sorted({edge for span in spans for edge in span})
        if len(edges_ms) < 2:
            return ()
        buckets = self._store.buckets(self._meter_id, edges_ms, self._calibrations)
        return tuple(_sum(buckets, *span) for span in spans)

    @cached_property
    def trace(self) -> Trace:
        """Its curve."""
        return _trace(self._store, self._meter_id, self.whole, self._calibrations)


def _sum(buckets: Sequence[Bucket], start_ms: int, end_ms: int) -> Bucket:
    total = Bucket(start_ms, end_ms)
    for bucket in buckets:
        if start_ms <= bucket.start_ms and bucket.end_ms <= end_ms:
            total = total.plus(bucket)
    return total


def _trace(store: Store, meter_id: int, whole: Bucket, calibrations: Sequence[Calibration]) -> Trace:
    """Return the curve of a span, scaled to the energy that is known of it."""
    start_ms, length_ms = whole.start_ms, whole.end_ms - whole.start_ms
    if length_ms < CURVE_POINTS:
        return Trace(start_ms, length_ms, (whole.energy_mwh,) * CURVE_POINTS)
    at_ms = start_ms + length_ms * np.arange(CURVE_POINTS + 1) // CURVE_POINTS
    if length_ms < SHORT_MS:
        energies = [bucket.energy_mwh for bucket in store.buckets(meter_id, at_ms.tolist(), calibrations)]
        curve = np.cumsum(energies, dtype=np.float64)
    else:
        minutes = store.by_minute(meter_id, start_ms, whole.end_ms, calibrations)
        known = minutes.power_mw != ABSENT
        energy = np.where(known, minutes.power_mw * minutes.measured_ms, 0).astype(np.float64)
        edges_ms = np.append(minutes.time_ms, minutes.time_ms[-1] + MINUTE_MS)
        heights = np.interp(at_ms, edges_ms, np.concatenate([[0.0], np.cumsum(energy)]))
        curve = heights[1:] - heights[0]
    scale = whole.energy_mwh / curve[-1] if curve[-1] > 0 else 0.0
    return Trace(start_ms, length_ms, tuple(round(each) for each in (curve * scale).tolist()))
