"""Derive a meter's intervals anew from its records, from where late data touched them."""

from collections.abc import Iterator

from casawatt.engine import pipeline
from casawatt.model.interval import INTERVAL_MS, Interval
from casawatt.model.reading import Record
from casawatt.recorder.line import FAR_MS, SEGMENT_MS, Line
from casawatt.store.store import Store

DAY_MS = 24 * 3_600_000


def rebuild(line: Line, store: Store) -> None:
    """Do anew what late records touched, and bring the store's intervals and the line up to it.

    Starts from the newest saved state not after the first late record and stops as soon as the
    state is again what it was: from there on everything is as before.
    """
    if line.dirty_from_ms is None:
        return
    from_ms, state = starting_state(line, store, line.dirty_from_ms)
    work = Line(line.meter, line.calibrations)
    work.resume(state)
    work.boundary_ms = from_ms
    replaced_from_ms = first_open_ms(state, from_ms)
    until_ms = suspects_until_ms = FAR_MS
    intervals: list[Interval] = []
    for record in records_from(store, line.meter_id, from_ms):
        if record.time_ms >= work.boundary_ms and record.time_ms > line.dirty_to_ms:
            known = known_state(line, store, work.newest_ms, record.time_ms)
            if known == work.state:
                until_ms = first_open_ms(work.state, quarter_ms(record.time_ms))
                suspects_until_ms = record.time_ms
                break
        intervals += work.advance(record)
    adopt_snapshots(line, work, from_ms, until_ms)
    closed = [interval for interval in intervals if interval.start_ms < until_ms]
    store.replace_intervals(line.meter_id, replaced_from_ms, until_ms, closed)
    suspects = [each for those in work.taken_aside().values() for each in those]
    store.suspects.replace(line.meter_id, from_ms, suspects_until_ms, suspects)
    if until_ms == FAR_MS:
        line.resume(work.state)
    store.put_intervals(line.meter_id, (), pipeline.open_intervals(line.state))
    line.mark_rebuilt()


def starting_state(line: Line, store: Store, time_ms: int) -> tuple[int, pipeline.MeterState]:
    """Return the newest boundary not after `time_ms` at which the state is known, and that state."""
    in_memory = line.snapshots.before(time_ms)
    saved = store.snapshot_before(line.meter_id, time_ms)
    if in_memory is not None and (saved is None or in_memory[0] >= saved[0]):
        return in_memory
    state = pipeline.load(saved[1]) if saved is not None else None
    if saved is not None and state is not None:
        return saved[0], state
    first_ms = store.first_time_ms(line.meter_id)
    return quarter_ms(time_ms if first_ms is None else first_ms), pipeline.START


def known_state(line: Line, store: Store, newest_ms: int, time_ms: int) -> pipeline.MeterState | None:
    """Return the state that was kept as of just before the record at `time_ms`, None when none was."""
    at_ms = quarter_ms(time_ms)
    if at_ms in line.snapshots.quarters:
        return line.snapshots.quarters[at_ms]
    segment_ms = time_ms - time_ms % SEGMENT_MS
    if newest_ms >= segment_ms:
        return None
    if segment_ms in line.snapshots.segments:
        return line.snapshots.segments[segment_ms]
    saved = store.snapshot_before(line.meter_id, segment_ms)
    return pipeline.load(saved[1]) if saved and saved[0] == segment_ms else None


def adopt_snapshots(line: Line, work: Line, from_ms: int, until_ms: int) -> None:
    """Put the snapshots made by `work` in the place of the line's own of that time."""
    for mine, made in (
        (line.snapshots.quarters, work.snapshots.quarters),
        (line.snapshots.segments, work.snapshots.segments),
    ):
        for at_ms in [at_ms for at_ms in mine if from_ms < at_ms < until_ms]:
            del mine[at_ms]
        mine.update(made)


def records_from(store: Store, meter_id: int, from_ms: int) -> Iterator[Record]:
    """Yield the meter's records from `from_ms` on in ascending time, a day at a time in memory."""
    last = store.last_record(meter_id)
    if last is None:
        return
    for start_ms in range(from_ms, last.time_ms + 1, DAY_MS):
        yield from store.columns(meter_id, start_ms, start_ms + DAY_MS).records()


def first_open_ms(state: pipeline.MeterState, boundary_ms: int) -> int:
    """Return the first quarter-hour whose figures what comes at `boundary_ms` or later may still change."""
    open_ms = pipeline.first_open_ms(state)
    return boundary_ms if open_ms is None else min(boundary_ms, open_ms)


def quarter_ms(time_ms: int) -> int:
    """Return the start of the quarter-hour that holds `time_ms`."""
    return time_ms - time_ms % INTERVAL_MS
