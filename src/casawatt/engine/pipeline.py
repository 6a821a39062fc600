"""One meter's records in order of time, in; its quarter-hours, out.

The list of steps is short: `power` and `register` inside `energy`, then `rollup`. The state is a small frozen value:
keep it, save it with `dump`, go on from it after a restart, or go back to an older one and fold the records anew.
What comes out depends only on the set of records, in order of time.
"""

from collections.abc import Iterable, Sequence

import msgspec

from casawatt.engine import energy, rollup
from casawatt.engine.calibrations import calibration_at
from casawatt.engine.energy import EnergyState
from casawatt.engine.merge import merged
from casawatt.engine.rollup import Quarter
from casawatt.engine.saved import Saved
from casawatt.engine.stretches import said_by_power
from casawatt.model.interval import INTERVAL_MS, Interval
from casawatt.model.meter import Calibration
from casawatt.model.reading import Record

__all__ = ["START", "MeterState", "calibration_at", "dump", "first_open_ms", "load", "open_intervals", "run", "step"]


class MeterState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A meter up to its newest record, and up to before it, should that record come again with more to say."""

    newest: Record | None
    energy: EnergyState
    quarter: Quarter
    energy_before: EnergyState
    quarter_before: Quarter


VERSION = 2
"""Counts up whenever the same records would give other states or figures: saved states of before are then not used."""

START = MeterState(None, energy.START, rollup.START, energy.START, rollup.START)
"""A meter that has no records yet."""

_saved = Saved(MeterState, VERSION)
_energy_step = energy.step
_rollup_step = rollup.step
_END_OF_TIME_MS = 2**62


def step(state: MeterState, record: Record, calibration: Calibration) -> tuple[MeterState, tuple[Interval, ...]]:
    """Return the state after a record, and the quarter-hours that are closed by it (mostly none).

    `calibration` is the one that applies at the record's time. A record of the newest record's time is merged with it
    and takes its place; the quarter-hours that the first had closed are then closed again, and the new ones count. One
    that the first alone had closed is taken back by an interval of nothing (no energy, no measured time, no `how`).
    Raises ValueError for a record older than the newest: go back to a state before it and fold from there.
    """
    newest = state.newest
    if newest is None or record.time_ms > newest.time_ms:
        after, quarter, closed = _fold(state.energy, state.quarter, record, calibration)
        return MeterState(record, after, quarter, state.energy, state.quarter), closed
    if record.time_ms < newest.time_ms:
        message = f"a record of {record.time_ms} ms came after one of {newest.time_ms} ms"
        raise ValueError(message)
    before, quarter_before = state.energy_before, state.quarter_before
    record = merged(newest, record)
    after, quarter, closed = _fold(before, quarter_before, record, calibration)
    _, _, closed_first = _fold(before, quarter_before, newest, calibration)
    kept = {interval.start_ms for interval in closed}
    gone = [Interval(each.start_ms, 0, 0, None, None, 0) for each in closed_first if each.start_ms not in kept]
    return MeterState(record, after, quarter, before, quarter_before), (*gone, *closed)


def _fold(
    before: EnergyState, quarter: Quarter, record: Record, calibration: Calibration
) -> tuple[EnergyState, Quarter, tuple[Interval, ...]]:
    """Return what a record makes of the states before it, and the quarter-hours closed by it."""
    after, spans = _energy_step(before, record, calibration)
    settled_ms = _settled_ms(after)
    if settled_ms is None:
        return after, quarter, ()
    quarter, closed = _rollup_step(quarter, spans, settled_ms)
    return after, quarter, closed


def _settled_ms(state: EnergyState) -> int | None:
    """Return until when (UTC ms) nothing later can change what was said; None before the first record."""
    return state.pending[0].start_ms if state.pending else state.time_ms


def open_intervals(state: MeterState) -> tuple[Interval, ...]:
    """Return the quarter-hours that are not closed yet, in order of time, as far as they are known.

    Mostly one or none. More while a register has not spoken: they stand by power's word until it does. Each of
    them is later closed, maybe with other figures.
    """
    spans = said_by_power(state.energy.open)
    return _rollup_step(state.quarter, spans, _END_OF_TIME_MS)[1]


def first_open_ms(state: MeterState) -> int | None:
    """Return where the first quarter-hour begins that later records can still add to or change.

    None where there is no record that counts. Whoever folds anew from this state replaces the quarter-hours from there
    on.
    """
    settled_ms = _settled_ms(state.energy)
    return None if settled_ms is None else settled_ms - settled_ms % INTERVAL_MS


def run(
    state: MeterState, records: Iterable[Record], calibrations: Sequence[Calibration]
) -> tuple[MeterState, list[Interval]]:
    """Return the state after records in order of time, and all quarter-hours closed by them.

    A quarter-hour closed again (see `step`) stands in the list again; the last one counts.
    Raises ValueError for a record out of order, IndexError without calibrations.
    """
    intervals: list[Interval] = []
    only = calibrations[0] if len(calibrations) == 1 else None
    for record in records:
        state, closed = step(state, record, only or calibration_at(calibrations, record.time_ms))
        intervals.extend(closed)
    return state, intervals


def dump(state: MeterState) -> bytes:
    """Return a state as bytes: the engine's version, then msgpack."""
    return _saved.dump(state)


def load(data: bytes) -> MeterState | None:
    """Return the state that `dump` made bytes of; None when another version of the engine did, or nobody."""
    return _saved.load(data)
