"""What a device's own register says was used since it last spoke.

A register counts up for ever: `register_mwh` counts energy; `charge_mas` counts charge since the device's start
(`boot_id` tells one start from the next), which times voltage and power factor is energy. A record that
has both speaks by its energy register. The rules, in this order:

- The first value, and the first after a change of device or of kind, is a baseline: it says nothing yet.
- Charge, another `boot_id`: the register began at zero again, and all that it shows is new.
- Not below the highest value seen: the difference is new.
- Charge, the same `boot_id`: the device did not restart, so a lower value is a 32-bit counter that wrapped, if the
  way forward round the wheel is less than half of it (serial number arithmetic, RFC 1982).
- An energy register is kept through restarts, so another `boot_id` alone proves nothing; but with it, any
  fall is a reset: what it shows is new.
- A fall of less than 10 % of the value before is noise: nothing is new, and the highest value stays the mark.
- A larger fall is a wrap when the highest value was just below a wheel's end and the new value is just above zero
  (within a thousandth of the wheel, and 1 kWh); taking a reset for a wrap could then add no more than that.
- Any other fall is a reset: what it shows is new.
"""

import msgspec

from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.meter import Calibration
from casawatt.model.reading import POWER_FACTOR_ONE, Record

COUNTER_32_BIT = 2**32
ENERGY_WHEELS_MWH = (10**8, COUNTER_32_BIT, 10**9, 10**10, 10**11)
"""Where energy registers are known to start again: 5 to 8 digits of Wh, and 32 bits of mWh."""
CHARGE_WHEELS_MAS = (COUNTER_32_BIT,)
WRAP_WINDOW_MAX = 1_000_000
"""The furthest from a wheel's end (mWh or mA s) at which a fall is taken for a wrap without other proof."""


class Register(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is remembered of a register.

    `mark` is the highest value since the last reset, `newest` the value it showed last (mWh, or mA s when `is_charge`).
    """

    is_charge: bool
    mark: int
    newest: int
    boot_id: int | None


def step(register: Register | None, record: Record, calibration: Calibration) -> tuple[Register, int | None]:
    """Return the register as it stands after a record that has one, and the energy (uJ) since it last spoke.

    None means that this is a baseline: what was used until now is not known from it. `register` is None at the start
    and after a change of device. Charge becomes energy by the record's voltage and power factor, else the calibrated.
    Raises ValueError for a record without a register.
    """
    is_charge = record.register_mwh is None
    value = record.charge_mas if is_charge else record.register_mwh
    if value is None:
        message = "the record has no register"
        raise ValueError(message)
    boot_id = record.boot_id
    if register is None or register.is_charge is not is_charge:
        return Register(is_charge, value, value, boot_id), None
    mark, growth = grow(
        register.mark, register.newest, value, is_charge=is_charge, same_boot=same_boot(register.boot_id, boot_id)
    )
    if is_charge:
        voltage_mv = calibration.nominal_voltage_mv if record.voltage_mv is None else record.voltage_mv
        factor_e4 = calibration.power_factor_e4 if record.power_factor_e4 is None else record.power_factor_e4
        energy_uj = growth * voltage_mv * factor_e4 // POWER_FACTOR_ONE
    else:
        energy_uj = growth * MICROJOULES_PER_MWH
    return Register(is_charge, mark, value, boot_id), energy_uj


def same_boot(earlier: int | None, later: int | None) -> bool | None:
    """Say whether two records come from one life of the device; None when one does not tell."""
    return None if earlier is None or later is None else earlier == later


def grow(mark: int, newest: int, value: int, *, is_charge: bool, same_boot: bool | None) -> tuple[int, int]:
    """Return the new mark and how much of `value` is new, by the rules above, in the register's own unit.

    `same_boot` is None when it is not known whether the device restarted.
    """
    if is_charge and same_boot is False:
        return value, value
    if value >= mark:
        return value, value - mark
    if is_charge and same_boot and mark < COUNTER_32_BIT:
        forward = (value - mark) % COUNTER_32_BIT
        if forward < COUNTER_32_BIT // 2:
            return value, forward
    if same_boot is False:
        return value, value
    if 10 * value >= 9 * newest:
        return mark, 0
    wheel = _wheel_passed(mark, value, CHARGE_WHEELS_MAS if is_charge else ENERGY_WHEELS_MWH)
    return value, value if wheel is None else wheel - mark + value


def _wheel_passed(mark: int, value: int, wheels: tuple[int, ...]) -> int | None:
    """Return the size of the wheel whose end lies just above `mark`, if `value` is just above zero."""
    for wheel in wheels:
        window = min(wheel // 1000, WRAP_WINDOW_MAX)
        if wheel - window <= mark < wheel and value <= window:
            return wheel
    return None
