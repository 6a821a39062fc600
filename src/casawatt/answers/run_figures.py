"""What a run used: its energy to the mWh, phase by phase, and its curve, from what is kept of its meter."""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a run used in all, and in each of its phases. The phases sum to the whole where they fill it."""

    whole: Bucket
    phases: tuple[Bucket, ...]
    trace: Trace


def measure(store: Store, meter_id: int, run: Run, end_ms: int, calibrations: Sequence[Calibration]) -> RunFigures:
    """Return what a run used until `end_ms`, its end or, while it goes on, now; that is later than its start."""
    cuts = {edge for phase in run.phases for edge in (phase.start_ms, phase.end_ms)}
    edges_ms = sorted({run.start_ms, end_ms, *(edge for edge in cuts if run.start_ms < edge < end_ms)})
    buckets = store.buckets(meter_id, edges_ms, calibrations)
    whole = _sum(buckets, run.start_ms, end_ms)
    phases = tuple(_sum(buckets, phase.start_ms, min(phase.end_ms, end_ms)) for phase in run.phases)
    return RunFigures(whole, phases, _trace(store, meter_id, whole, calibrations))


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
