"""What a device's own register says was used since it last spoke.

A register counts up for ever: `register_mwh` counts energy; `charge_mas` counts charge since the device's start
(`boot_id` tells one start from the next), which times voltage and power factor is energy. A record that
has both speaks by its energy register. The first value, and the first after a change of device or of kind, is a
baseline: it says nothing yet. After that each value is either counted at once, or set aside until later ones
decide.

**Counted at once** is what follows from the mark, the value that growth is counted from:

- Not below the mark, and no more above it than could be delivered: the difference is new. What can be delivered is the
  limit times the time since the register spoke. As registers count in steps, one may run ahead of that by a slack,
  which it works off in time: 20 Wh, or the least step that it grew by, if that is more (up to 1 kWh). So over any
  time it counts no more than the limit allows, and once the slack. Values that come within a minute after a silence of
  more than a minute may have waited and come all at once, without a time of their own: they are judged from before the
  silence.
- Charge, another `boot_id`: the register began at zero again, and all that it shows is new.
- Charge, the same `boot_id`: the device did not restart, so a lower value is a 32-bit counter that wrapped, if the
  way forward round the wheel is less than half of it (serial number arithmetic, RFC 1982).
- A fall of no more than 1 Wh (and 10 %) is a last digit that trembles: nothing is new, and the mark stays.

**Set aside** is everything else. The record counts as one without a register; what power says fills the time as long
as nothing is decided. The next value decides, and what can be delivered is judged in the same way:

- A *jump*, more than could be delivered. If the next value follows from the mark, it was a spike, and forgotten. If
  it follows from the jump, the device counts on from a new level: its height is not counted, all growth from there is.
- A *reset*: it fell by more than 10 %, or at all with another `boot_id`, to no more than could be delivered since it
  last spoke. If the next value follows from it, it began at zero, and all that it shows is new. If the next one follows
  from the mark, the fall was the outlier. If it fell again in the same way, it began at zero twice.
- A *wrap* is the same where the mark was just below the end of a wheel of so many digits and the value is just above
  zero (within a thousandth of the wheel, and 1 kWh), only that the way round is new.
- *Back*: the same, to more than could be delivered since; or with another `boot_id` to more than half of what it showed
  and more than 20 Wh: to what the device had saved before a power cut. If the next value follows from it, the device
  counts on from there, and nothing of the value itself is new; if it follows from the mark, the fall was the outlier.
  (A plug that is back after days had time for all that it ever counted; that it began at zero and shows nearly the same
  is unlikely.) So is every fall of a device whose source declares that its register goes on from a saved value.
- *Noise*: it fell by no more than 10 %, and more than 1 Wh. If a later value follows from the mark, it was noise. If it
  grows twice in a row while still below the mark, it fell back without saying so, and counts on from the lowest value.
- If none of these, the newest value is the one in doubt, and what was in doubt before is forgotten.

With a limit of None everything can be delivered.
"""

from casawatt.engine.counter import (
    BURST_MS,
    ENERGY_UJ_E4,
    Register,
    Settled,
    Shown,
    Silence,
    learnt,
    same_boot,
)
from casawatt.engine.doubt import judged
from casawatt.model.meter import Calibration
from casawatt.model.reading import POWER_FACTOR_ONE, Record


def step(register: Register | None, record: Record, calibration: Calibration) -> tuple[Register, Settled]:
    """Return the register as it stands after a record that has one, and what is settled by it.

    `register` is None at the start and after a change of device. Charge becomes energy by the record's voltage and
    power factor, else the calibrated. Raises ValueError for a record without a register.
    """
    value, time_ms, boot_id = record.register_mwh, record.time_ms, record.boot_id
    is_charge, uj_e4 = False, ENERGY_UJ_E4
    if value is None:
        value, is_charge = record.charge_mas, True
        if value is None:
            message = "the record has no register"
            raise ValueError(message)
        uj_e4 = _charge_uj_e4(record, calibration)
    if register is None or register.is_charge is not is_charge:
        return Register(is_charge, value, time_ms, boot_id), ((time_ms, None),)
    # What nearly every value is, without detours: no other rule applies where this one does.
    limit_mw, mark = calibration.limit_mw, register.mark
    anew = is_charge and same_boot(register.boot_id, boot_id) is False
    if value >= mark and limit_mw is not None and register.doubt is None and not anew:
        energy_uj = (value - mark) * uj_e4 // POWER_FACTOR_ONE
        spoke_ms, ahead_uj, step_uj, silence = register.spoke_ms, register.ahead_uj, register.step_uj, register.silence
        over_uj = energy_uj - limit_mw * (time_ms - spoke_ms)
        if over_uj <= 0:
            if ahead_uj:
                ahead_uj = max(ahead_uj + over_uj, 0)
            if time_ms - spoke_ms > BURST_MS:
                silence = Silence(register.level, time_ms)
            if energy_uj < step_uj or not step_uj:
                step_uj = learnt(step_uj, energy_uj)
            return Register(is_charge, value, time_ms, boot_id, ahead_uj, step_uj, silence), ((time_ms, energy_uj),)
    return judged(register, Shown(value, time_ms, boot_id, calibration.limit_mw, uj_e4, calibration.falls_back))


def _charge_uj_e4(record: Record, calibration: Calibration) -> int:
    """Return what one mA s is worth, in microjoules times 10,000."""
    voltage_mv = calibration.nominal_voltage_mv if record.voltage_mv is None else record.voltage_mv
    factor_e4 = calibration.power_factor_e4 if record.power_factor_e4 is None else record.power_factor_e4
    return voltage_mv * factor_e4
