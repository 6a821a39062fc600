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
baseline. So it is where the device came back from elsewhere, and after readings that are left out for longer than the
gap limit: what was counted meanwhile is not this meter's.

What cannot be true is set aside (`EnergyState.suspects`), never what the rest of the record says: a power beyond the
limit, in either direction, as if the record did not say its power; a value of the register by the rules of `register`,
as if it did not speak. A record of a device that is ignored, or of a time that is, is as if it did not exist.
"""

import msgspec

from casawatt.engine import register as registers
from casawatt.engine.counter import Kind, Register, Settled
from casawatt.engine.power import power_mw
from casawatt.engine.stretches import (
    Span,
    Stretch,
    appended,
    by_register,
    is_given_up,
    joined,
    rounded_mwh,
    said_by_power,
)
from casawatt.model.interval import How
from casawatt.model.meter import Cadence, Calibration
from casawatt.model.reading import Record
from casawatt.model.suspect import Cause, Suspect

POLLED = Cadence.POLLED
HOLD = int(How.HOLD)
TRAPEZOID = int(How.TRAPEZOID)


class EnergyState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that the energy of what follows depends on: a meter up to its newest record that was not ignored.

    `time_ms` is that record's, None at the start. `said_mw` is the power that this device said last, at `said_ms`.
    `pending` is what lies between the register's last word and `time_ms`, in order of time; while a value of it is in
    doubt, only up to that value, and `since` is what lies after it. `suspects` is what was set aside of the newest
    record. `left_out`: all that was said since is ignored.
    """

    time_ms: int | None
    device_id: int
    said_mw: int | None
    said_ms: int
    register: Register | None
    pending: tuple[Stretch, ...]
    since: tuple[Stretch, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    left_out: bool = False

    @property
    def open(self) -> tuple[Stretch, ...]:
        """All that waits for the register's word, in order of time."""
        return joined(self.pending, self.since) if self.since else self.pending


START = EnergyState(None, 0, None, 0, None, ())


def step(state: EnergyState, record: Record, calibration: Calibration) -> tuple[EnergyState, tuple[Span, ...]]:
    """Return the state after a record later than any before it, and the spans that are settled by it.

    Spans come in order of time and do not overlap; time that is not covered has none.
    """
    time_ms, device_id = record.time_ms, record.device_id
    if calibration.ignores_all or device_id in calibration.ignored_devices:
        return _passed_over(state, calibration), ()
    speaks = record.register_mwh is not None or record.charge_mas is not None
    power, suspects = _believed_mw(record, calibration)
    start_ms = state.time_ms
    if start_ms is None:
        register = registers.step(None, record, calibration)[0] if speaks else None
        return EnergyState(time_ms, device_id, power, time_ms, register, (), (), suspects), ()
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
        after = EnergyState(time_ms, device_id, said_mw, said_ms, None, (), (), suspects)
        if held_mw is None or time_ms - start_ms > gap_limit_ms:
            return after, ()
        return after, (Span(start_ms, time_ms, *_by_power(held_mw, power_then_mw, time_ms - start_ms, calibration)),)
    stretch = _stretch(start_ms, time_ms, held_mw, power_then_mw, calibration)
    if not same_device or start_ms < calibration.moved_ms or (state.left_out and time_ms - start_ms > gap_limit_ms):
        register = None
    settled: Settled = ()
    if speaks:
        register, settled = registers.step(register, record, calibration)
        suspects += _jump(register, time_ms)
    pending, since, spans = _shared_out(state, stretch, register, settled)
    if register is None or ((pending or since) and is_given_up(joined(pending, since))):
        spans += said_by_power(pending) + said_by_power(since)
        register, pending, since = None, (), ()
    return EnergyState(time_ms, device_id, said_mw, said_ms, register, pending, since, suspects), spans


def _passed_over(state: EnergyState, calibration: Calibration) -> EnergyState:
    """Return the state after a record that is ignored."""
    left_out = state.left_out or calibration.ignores_all
    if not state.suspects and left_out is state.left_out:
        return state
    return msgspec.structs.replace(state, suspects=(), left_out=left_out)


def _believed_mw(record: Record, calibration: Calibration) -> tuple[int | None, tuple[Suspect, ...]]:
    """Return a record's power (mW), None if it has none or it is set aside, and what is set aside."""
    power, limit_mw = power_mw(record, calibration), calibration.limit_mw
    if power is None or limit_mw is None or -limit_mw <= power <= limit_mw:
        return power, ()
    return None, (Suspect(record.time_ms, Cause.POWER, power),)


def _jump(register: Register, time_ms: int) -> tuple[Suspect, ...]:
    """Return the register's value at an instant as a suspect, if it is a jump."""
    doubt = register.doubt
    if doubt is None or doubt.kind is not Kind.JUMP or doubt.level.time_ms != time_ms:
        return ()
    return (Suspect(time_ms, Cause.JUMP, doubt.level.value, rounded_mwh(doubt.energy_uj)),)


def _shared_out(
    state: EnergyState, stretch: Stretch, register: Register | None, settled: Settled
) -> tuple[tuple[Stretch, ...], tuple[Stretch, ...], tuple[Span, ...]]:
    """Return what is pending up to the value in doubt, and since, and what is settled, after one more stretch."""
    pending, since = state.pending, state.since
    if not settled:
        doubt = None if register is None else register.doubt
        if doubt is not None and doubt.level.time_ms != stretch.end_ms:
            return pending, appended(since, stretch), ()
        return appended(joined(pending, since), stretch), (), ()
    until_ms, energy_uj = settled[0]
    if until_ms == stretch.end_ms:
        stretches = (*joined(pending, since), stretch) if pending else (stretch,)
        return (), (), said_by_power(stretches) if energy_uj is None else by_register(stretches, energy_uj)
    spans = said_by_power(pending) if energy_uj is None else by_register(pending, energy_uj)
    if len(settled) == 1:
        return appended(since, stretch), (), spans
    _, energy_uj = settled[1]
    since = (*since, stretch)
    return (), (), spans + (said_by_power(since) if energy_uj is None else by_register(since, energy_uj))


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
