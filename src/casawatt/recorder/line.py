"""What the recorder holds of one meter while readings come in."""

from casawatt.engine import clean, pipeline
from casawatt.engine.power import power_mw
from casawatt.model.interval import INTERVAL_MS, Interval
from casawatt.model.meter import Calibration, Meter
from casawatt.model.reading import Record
from casawatt.model.suspect import Cause, Suspect

FAR_MS = 1 << 62
"""Further in the future, or as a negative in the past, than any time."""

SEGMENT_MS = 6 * 3_600_000
"""At each whole multiple of this the engine's state is saved, to rebuild late data from."""

QUARTERS_KEPT = 8
"""Engine states kept in memory, of so many last quarter-hours: what is late by less costs little."""


class Snapshots:
    """Engine states as they were before the first record of a quarter-hour, or of six hours.

    `quarters` stay in memory; `segments` are handed to the store with the next seal.
    Both map the boundary (UTC ms) to the state after every record before it.
    """

    __slots__ = ("quarters", "segments")

    def __init__(self) -> None:
        self.quarters: dict[int, pipeline.MeterState] = {}
        self.segments: dict[int, pipeline.MeterState] = {}

    def enter(self, time_ms: int, newest_ms: int, state: pipeline.MeterState) -> int:
        """Keep `state`, whose newest record is at `newest_ms`, as it was before the record at `time_ms`.

        Returns where the next quarter-hour begins.
        """
        quarter_ms = time_ms - time_ms % INTERVAL_MS
        segment_ms = time_ms - time_ms % SEGMENT_MS
        if newest_ms < segment_ms:
            self.segments[segment_ms] = state
        if newest_ms < quarter_ms:
            self.quarters[quarter_ms] = state
        return quarter_ms + INTERVAL_MS

    def before(self, time_ms: int) -> tuple[int, pipeline.MeterState] | None:
        """Return the newest boundary not after `time_ms`, and the state there."""
        known = [at_ms for states in (self.quarters, self.segments) for at_ms in states if at_ms <= time_ms]
        return (max(known), self.at(max(known))) if known else None

    def at(self, boundary_ms: int) -> pipeline.MeterState:
        """Return the state kept for exactly this boundary; raises KeyError."""
        return self.quarters[boundary_ms] if boundary_ms in self.quarters else self.segments[boundary_ms]

    def saved(self, segments: dict[int, pipeline.MeterState]) -> None:
        """Forget the six-hour states that the store has now, and all but the last few quarter-hours."""
        for at_ms, state in segments.items():
            if self.segments.get(at_ms) is state:
                del self.segments[at_ms]
        for at_ms in sorted(self.quarters)[:-QUARTERS_KEPT]:
            del self.quarters[at_ms]


class Line:
    """One meter's place in the engine: its state, its calibrations, and from when it has to be done anew.

    `newest_ms` is the time of the newest record, `heard_ms` our clock when the meter last spoke; `gone`: its device is
    known to be off. `aside`: what was set aside of records since somebody took it from here, by their time; nothing
    where something was before. `fresh` and `touched` wait for whoever finds runs: records in ascending time, and the
    span of the past that is no longer as it was. `rebuilds` counts how often the past was derived anew.
    """

    __slots__ = (
        "aside",
        "boundary_ms",
        "calibration",
        "calibration_until_ms",
        "calibrations",
        "changed",
        "clean",
        "dirty_from_ms",
        "dirty_to_ms",
        "fresh",
        "gone",
        "heard_ms",
        "meter",
        "meter_id",
        "newest_ms",
        "rebuilds",
        "sequence",
        "snapshots",
        "state",
        "touched",
    )

    def __init__(self, meter: Meter, calibrations: list[Calibration]) -> None:
        self.meter = meter
        self.meter_id = meter.meter_id
        self.clean = clean.CleanState(None)
        self.state = pipeline.START
        self.snapshots = Snapshots()
        self.newest_ms = self.heard_ms = self.boundary_ms = -FAR_MS
        self.dirty_from_ms: int | None = None
        self.dirty_to_ms = -FAR_MS
        self.aside: dict[int, tuple[Suspect, ...]] = {}
        self.fresh: list[Record] = []
        self.touched: tuple[int, int] | None = None
        self.changed = self.gone = False
        self.sequence = self.rebuilds = 0
        self.calibrate(calibrations)

    def calibrate(self, calibrations: list[Calibration]) -> None:
        """Use these dated calibrations (ascending, at least one) from now on."""
        self.calibrations = calibrations
        self.calibration = pipeline.calibration_at(calibrations, self.newest_ms)
        self.calibration_until_ms = -FAR_MS

    def resume(self, state: pipeline.MeterState) -> None:
        """Go on from a state that was kept."""
        self.state = state
        if state.newest is not None:
            self.newest_ms = state.newest.time_ms
            self.boundary_ms = self.newest_ms - self.newest_ms % INTERVAL_MS + INTERVAL_MS

    def power_mw(self) -> int | None:
        """Return what the newest record says its power is, None when it says none, or nothing that counts.

        Where that was set aside, it is the last power that was not, for as long as that may hold.
        """
        newest, calibration, energy = self.clean.newest, self.calibration, self.state.energy
        if newest is None or calibration.ignores_all or newest.device_id in calibration.ignored_devices:
            return None
        if energy.time_ms == newest.time_ms and any(each.cause is Cause.POWER for each in energy.suspects):
            holds = newest.time_ms - energy.said_ms <= calibration.gap_limit_ms
            return energy.said_mw if holds else None
        return power_mw(newest, calibration)

    def mark_dirty(self, time_ms: int) -> None:
        """Note that what was derived from `time_ms` on is no longer what the records say."""
        self.dirty_from_ms = time_ms if self.dirty_from_ms is None else min(self.dirty_from_ms, time_ms)
        self.dirty_to_ms = max(self.dirty_to_ms, time_ms)
        from_ms, to_ms = self.touched or (time_ms, time_ms)
        self.touched = min(from_ms, time_ms), max(to_ms, time_ms)

    def mark_rebuilt(self) -> None:
        """Note that what is derived is again what the records say."""
        self.dirty_from_ms = None
        self.dirty_to_ms = -FAR_MS
        self.rebuilds += 1

    def advance(self, record: Record) -> tuple[Interval, ...]:
        """Step the engine by a record not older than the newest; returns the quarter-hours it closed."""
        time_ms = record.time_ms
        if time_ms >= self.boundary_ms:
            self.boundary_ms = self.snapshots.enter(time_ms, self.newest_ms, self.state)
        if time_ms >= self.calibration_until_ms:
            self._calibrate_for(time_ms)
        before = self.state.energy.suspects
        self.state, closed = pipeline.step(self.state, record, self.calibration)
        suspects = self.state.energy.suspects
        if suspects or (before and time_ms == self.newest_ms):
            self.aside[time_ms] = suspects
        self.newest_ms = time_ms
        return closed

    def taken_aside(self) -> dict[int, tuple[Suspect, ...]]:
        """Return what was set aside since the last call."""
        taken, self.aside = self.aside, {}
        return taken

    def _calibrate_for(self, time_ms: int) -> None:
        later = [each.from_ms for each in self.calibrations if each.from_ms > time_ms]
        self.calibration = pipeline.calibration_at(self.calibrations, time_ms)
        self.calibration_until_ms = min(later, default=FAR_MS)
