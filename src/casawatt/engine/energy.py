"""What was used between a meter's records: from record to spans of energy.

Power first fills the time between two records no further apart than the gap limit: held from the earlier one, or,
for a device polled at even times, as a straight line between the two. A record that does not say its power is
taken to have the power that was said last, as long as that is not older than the gap limit. Longer apart: nothing.

A device's own register is better than its power, and has the last word. While it has not spoken since its last value,
what power says is only provisional (`EnergyState.pending`). When it speaks, the energy it counted is shared out over
the time since:

- Where power left no time open, all of it goes in proportion to what power said (to time if power said nothing,
  or export only), so each moment's energy is scaled, never added on top.
- Where power left time open (a gap, or no power known), power keeps its word and the open time shares the rest evenly;
  if power said more than was counted, it is scaled down and the open time gets nothing.
- Open time up to the gap limit is measured; open time in a longer gap is not, and is marked as spread.

So over the time between two values of a register the sum is exactly what it counted, and never below zero in one place
to make up for another. When the device is replaced, or the register stays silent for six hours of known power or behind
more than sixteen separate stretches of open time, it is given up: what power says stands, and its next value is a new
baseline.
"""

from itertools import pairwise

import msgspec

from casawatt.engine import register as registers
from casawatt.engine.power import power_mw
from casawatt.engine.register import Register
from casawatt.model.interval import INTERVAL_MS, How, highest, lowest
from casawatt.model.meter import Cadence, Calibration
from casawatt.model.reading import Record
from casawatt.model.suspect import Suspect

PATIENCE_MS = 6 * 3_600_000
"""How much time of known power a silent register is waited for."""
OPEN_STRETCHES_MAX = 16
"""How many separate stretches without known power a silent register is waited for."""

POLLED = Cadence.POLLED
HOLD = int(How.HOLD)
TRAPEZOID = int(How.TRAPEZOID)
REGISTER = int(How.REGISTER)
SPREAD = int(How.REGISTER | How.SPREAD)


class Span(msgspec.Struct, frozen=True, gc=False):
    """Energy used evenly from `start_ms` to `end_ms` (UTC ms, later than the start).

    `min_mw` and `max_mw` are None where no power is known; a span that is not measured has none.
    """

    start_ms: int
    end_ms: int
    energy_uj: int
    measured: bool
    min_mw: int | None
    max_mw: int | None
    how: int


class Stretch(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Time since a register last spoke, of one kind throughout.

    Known by power: `how` says in which way, it lies within one quarter-hour, `energy_uj` is what power says and
    `weight_uj` the same without export. Open: `how` is 0 and there is no energy; `near` if no two records were further
    apart than the gap limit.
    """

    start_ms: int
    end_ms: int
    energy_uj: int
    weight_uj: int
    near: bool
    min_mw: int | None
    max_mw: int | None
    how: int


class EnergyState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that the energy of what follows depends on: a meter up to its newest record.

    `time_ms` is that record's, None at the start. `said_mw` is the power that this device said last, at `said_ms`.
    `pending` is what lies between the register's last word and `time_ms`, in order of time.
    """

    time_ms: int | None
    device_id: int
    said_mw: int | None
    said_ms: int
    register: Register | None
    pending: tuple[Stretch, ...]
    suspects: tuple[Suspect, ...] = ()


START = EnergyState(None, 0, None, 0, None, ())


def step(state: EnergyState, record: Record, calibration: Calibration) -> tuple[EnergyState, tuple[Span, ...]]:
    """Return the state after a record later than any before it, and the spans that are settled by it.

    Spans come in order of time and do not overlap; time that is not covered has none.
    """
    time_ms, device_id = record.time_ms, record.device_id
    speaks = record.register_mwh is not None or record.charge_mas is not None
    power = power_mw(record, calibration)
    start_ms = state.time_ms
    if start_ms is None:
        register = registers.step(None, record, calibration)[0] if speaks else None
        return EnergyState(time_ms, device_id, power, time_ms, register, ()), ()
    same_device = device_id == state.device_id
    gap_limit_ms = calibration.gap_limit_ms
    held_mw = state.said_mw
    if held_mw is not None and start_ms - state.said_ms > gap_limit_ms:
        held_mw = None
    said_mw, said_ms, power_then_mw = power, time_ms, power
    if power is None and same_device:
        said_mw, said_ms = state.said_mw, state.said_ms
        power_then_mw = said_mw if time_ms - said_ms <= gap_limit_ms else None
    register = state.register
    if not speaks and register is None:
        after = EnergyState(time_ms, device_id, said_mw, said_ms, None, ())
        if held_mw is None or time_ms - start_ms > gap_limit_ms:
            return after, ()
        return after, (Span(start_ms, time_ms, *_by_power(held_mw, power_then_mw, time_ms - start_ms, calibration)),)
    stretch = _stretch(start_ms, time_ms, held_mw, power_then_mw, calibration)
    if not same_device:
        register = None
    if speaks:
        register, energy_uj = registers.step(register, record, calibration)
        stretches = (*state.pending, stretch)
        spans = said_by_power(stretches) if energy_uj is None else _settled(stretches, energy_uj)
        return EnergyState(time_ms, device_id, said_mw, said_ms, register, ()), spans
    pending = _appended(state.pending, stretch)
    if register is None or _is_given_up(pending):
        return EnergyState(time_ms, device_id, said_mw, said_ms, None, ()), said_by_power(pending)
    return EnergyState(time_ms, device_id, said_mw, said_ms, register, pending), ()


def _stretch(
    start_ms: int, end_ms: int, held_mw: int | None, power_then_mw: int | None, calibration: Calibration
) -> Stretch:
    """Return what power says about the time between two records, from `held_mw` to `power_then_mw`."""
    length_ms = end_ms - start_ms
    if length_ms > calibration.gap_limit_ms:
        return Stretch(start_ms, end_ms, 0, 0, False, None, None, 0)
    if held_mw is None:
        return Stretch(start_ms, end_ms, 0, 0, True, None, None, 0)
    energy_uj, near, low_mw, high_mw, how = _by_power(held_mw, power_then_mw, length_ms, calibration)
    return Stretch(start_ms, end_ms, energy_uj, max(energy_uj, 0), near, low_mw, high_mw, how)


def _by_power(
    held_mw: int, power_then_mw: int | None, length_ms: int, calibration: Calibration
) -> tuple[int, bool, int, int, int]:
    """Return energy (uJ), measured, lowest and highest power and how, of known power no longer than the gap limit."""
    if power_then_mw is None or calibration.cadence is not POLLED:
        return held_mw * length_ms, True, held_mw, held_mw, HOLD
    energy_uj = (held_mw + power_then_mw) * length_ms // 2
    if held_mw < power_then_mw:
        return energy_uj, True, held_mw, power_then_mw, TRAPEZOID
    return energy_uj, True, power_then_mw, held_mw, TRAPEZOID


def _as_said(stretch: Stretch) -> Span:
    """Return a stretch of known power as the span it is by power's word."""
    return Span(stretch.start_ms, stretch.end_ms, stretch.energy_uj, True, stretch.min_mw, stretch.max_mw, stretch.how)


def said_by_power(stretches: tuple[Stretch, ...]) -> tuple[Span, ...]:
    """Return stretches as spans by power's word; open time has none."""
    return tuple([_as_said(stretch) for stretch in stretches if stretch.how])


def _appended(pending: tuple[Stretch, ...], stretch: Stretch) -> tuple[Stretch, ...]:
    """Return the pending stretches with one more, joined to the last where they are of one kind.

    Known ones are kept apart at the quarter-hours, so that what is pending stays small and still falls where it
    belongs.
    """
    for part in _quarters(stretch) if stretch.how else (stretch,):
        last = pending[-1] if pending else None
        joined = None if last is None else _joined(last, part)
        pending = (*pending, part) if joined is None else (*pending[:-1], joined)
    return pending


def _joined(a: Stretch, b: Stretch) -> Stretch | None:
    """Return two adjacent stretches as one, None where they are of different kinds or quarter-hours."""
    if (a.how > 0) != (b.how > 0) or a.near is not b.near:
        return None
    if a.how and a.start_ms // INTERVAL_MS != b.start_ms // INTERVAL_MS:
        return None
    return Stretch(
        a.start_ms,
        b.end_ms,
        a.energy_uj + b.energy_uj,
        a.weight_uj + b.weight_uj,
        a.near,
        lowest(a.min_mw, b.min_mw),
        highest(a.max_mw, b.max_mw),
        a.how | b.how,
    )


def _quarters(stretch: Stretch) -> list[Stretch]:
    """Return a stretch of known power cut at the quarter-hours."""
    start_ms, end_ms = stretch.start_ms, stretch.end_ms
    edges = [start_ms, *range((start_ms // INTERVAL_MS + 1) * INTERVAL_MS, end_ms, INTERVAL_MS), end_ms]
    if len(edges) == 2:
        return [stretch]
    length_ms = end_ms - start_ms
    parts = []
    for part_start_ms, part_end_ms in pairwise(edges):
        energy_uj, weight_uj = (
            whole_uj * (part_end_ms - start_ms) // length_ms - whole_uj * (part_start_ms - start_ms) // length_ms
            for whole_uj in (stretch.energy_uj, stretch.weight_uj)
        )
        parts.append(
            Stretch(part_start_ms, part_end_ms, energy_uj, weight_uj, True, stretch.min_mw, stretch.max_mw, stretch.how)
        )
    return parts


def _is_given_up(pending: tuple[Stretch, ...]) -> bool:
    """Say whether a register has been silent for too long to wait for it."""
    known_ms = sum([stretch.end_ms - stretch.start_ms for stretch in pending if stretch.how])
    return known_ms > PATIENCE_MS or sum([not stretch.how for stretch in pending]) > OPEN_STRETCHES_MAX


def _settled(stretches: tuple[Stretch, ...], energy_uj: int) -> tuple[Span, ...]:
    """Return stretches as spans that share what the register counted over them, by the rules at the top."""
    if len(stretches) == 1:
        return (_counted(stretches[0], energy_uj),)
    weight_uj = known_ms = open_ms = 0
    for stretch in stretches:
        length_ms = stretch.end_ms - stretch.start_ms
        weight_uj += stretch.weight_uj
        if stretch.how:
            known_ms += length_ms
        else:
            open_ms += length_ms
    rest_uj = 0
    if open_ms and (energy_uj > weight_uj or not known_ms):
        rest_uj = energy_uj - weight_uj
    shared_uj, share_of = energy_uj - rest_uj, weight_uj or known_ms
    spans = []
    known_done = open_done = 0
    for stretch in stretches:
        length_ms = stretch.end_ms - stretch.start_ms
        if stretch.how:
            share = stretch.weight_uj if weight_uj else length_ms
            part_uj = shared_uj * (known_done + share) // share_of - shared_uj * known_done // share_of
            known_done += share
        else:
            part_uj = rest_uj * (open_done + length_ms) // open_ms - rest_uj * open_done // open_ms
            open_done += length_ms
        spans.append(_counted(stretch, part_uj))
    return tuple(spans)


def _counted(stretch: Stretch, energy_uj: int) -> Span:
    """Return a stretch as the span it is by a register's word."""
    start_ms, end_ms = stretch.start_ms, stretch.end_ms
    if stretch.how:
        return Span(start_ms, end_ms, energy_uj, True, stretch.min_mw, stretch.max_mw, REGISTER)
    if stretch.near:
        mean_mw = energy_uj // (end_ms - start_ms)
        return Span(start_ms, end_ms, energy_uj, True, mean_mw, mean_mw, REGISTER)
    return Span(start_ms, end_ms, energy_uj, False, None, None, SPREAD)
