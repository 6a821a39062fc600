"""One meter's records in order of time, in; its quarter-hours, out.

The list of steps is short: `power` and `register` inside `energy`, then `rollup`. The state is a small frozen value: keep it,
save it with `dump`, go on from it after a restart, or go back to an older one and fold the records anew.
What comes out depends only on the set of records, in order of time.
"""

from collections.abc import Iterable, Sequence

import msgspec

from casawatt.engine import energy, rollup
from casawatt.engine.calibrations import calibration_at
from casawatt.engine.energy import EnergyState
from casawatt.engine.merge import merged
from casawatt.engine.rollup import Quarter
from casawatt.model.interval import Interval
from casawatt.model.meter import Calibration
from casawatt.model.reading import Record

__all__ = ["START", "MeterState", "calibration_at", "dump", "load", "open_intervals", "run", "step"]


class MeterState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A meter up to its newest record, and up to before it, should that record come again with more to say."""

    newest: Record | None
    energy: EnergyState
    quarter: Quarter
    energy_before: EnergyState
    quarter_before: Quarter


START = MeterState(None, energy.START, rollup.START, energy.START, rollup.START)
"""A meter that has no records yet."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(MeterState)
_energy_step = energy.step
_rollup_step = rollup.step


def step(state: MeterState, record: Record, calibration: Calibration) -> tuple[MeterState, tuple[Interval, ...]]:
    """Return the state after a record, and the quarter-hours that are closed by it (mostly none).

    `calibration` is the one that applies at the record's time. A record of the newest record's time is merged with it and
    takes its place; the quarter-hours that the first had closed are then closed again, and the new ones count.
    Raises ValueError for a record older than the newest: go back to a state before it and fold from there.
    """
    newest = state.newest
    if newest is None or record.time_ms > newest.time_ms:
        before, quarter_before = state.energy, state.quarter
    elif record.time_ms == newest.time_ms:
        record = merged(newest, record)
        before, quarter_before = state.energy_before, state.quarter_before
    else:
        message = f"a record of {record.time_ms} ms came after one of {newest.time_ms} ms"
        raise ValueError(message)
    after, spans = _energy_step(before, record, calibration)
    pending = after.pending
    quarter, closed = _rollup_step(quarter_before, spans, pending[0].start_ms if pending else record.time_ms)
    return MeterState(record, after, quarter, before, quarter_before), closed


def open_intervals(state: MeterState) -> tuple[Interval, ...]:
    """Return the quarter-hours that are not closed yet, in order of time, as far as they are known.

    Mostly one or none. More while a register has not spoken: they stand by power's word until it does. Each of
    them is later closed, maybe with other figures.
    """
    spans = energy.said_by_power(state.energy.pending)
    return _rollup_step(state.quarter, spans, _END_OF_TIME_MS)[1]


_END_OF_TIME_MS = 2**62


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
    """Return a state as bytes (msgpack)."""
    return _encoder.encode(state)


def load(data: bytes) -> MeterState:
    """Return the state that `dump` made bytes of. Raises msgspec.DecodeError or ValidationError for anything else."""
    return _decoder.decode(data)
