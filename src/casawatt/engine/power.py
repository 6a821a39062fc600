"""What power a record means, in mW."""

from collections.abc import Sequence

import numpy as np

from casawatt.engine.calibrations import settings_at
from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.model.meter import Calibration
from casawatt.model.reading import Record

_UNITS_PER_MW = 10_000_000
"""Products of mA, mV and a power factor of 1/10000 that make one mW."""


def power_mw(record: Record, calibration: Calibration) -> int | None:
    """Return a record's power in mW, None when it says neither power nor current.

    The power it says, else its current times its voltage (else the nominal one) times its power factor (else the
    calibrated one), rounded half away from zero.
    """
    if record.power_mw is not None:
        return record.power_mw
    current_ma = record.current_ma
    if current_ma is None:
        return None
    voltage_mv, factor_e4 = record.voltage_mv, record.power_factor_e4
    if voltage_mv is None:
        voltage_mv = calibration.nominal_voltage_mv
    if factor_e4 is None:
        factor_e4 = calibration.power_factor_e4
    product = current_ma * voltage_mv * factor_e4
    if product >= 0:
        return (product + _UNITS_PER_MW // 2) // _UNITS_PER_MW
    return -((_UNITS_PER_MW // 2 - product) // _UNITS_PER_MW)


def power_mw_columns(columns: Columns, calibrations: Sequence[Calibration]) -> Int64Array:
    """Return each record's power in mW, shape N, `ABSENT` where it is not known: `power_mw` for columns.

    What a record does not say is not carried over from the one before. Raises IndexError without calibrations.
    """
    said_mw = columns.channels.get("power_mw")
    current_ma = columns.channels.get("current_ma")
    if current_ma is None:
        return np.full(len(columns), ABSENT, np.int64) if said_mw is None else said_mw
    if said_mw is not None and not (said_mw == ABSENT).any():
        return said_mw
    settings = settings_at(calibrations, columns.time_ms)
    voltage_mv = said_or(columns, "voltage_mv", settings.nominal_voltage_mv)
    factor_e4 = said_or(columns, "power_factor_e4", settings.power_factor_e4)
    product = current_ma * voltage_mv * factor_e4
    size_mw = (np.abs(product) + _UNITS_PER_MW // 2) // _UNITS_PER_MW
    computed_mw = np.where(current_ma == ABSENT, ABSENT, np.sign(product) * size_mw)
    return computed_mw if said_mw is None else np.where(said_mw == ABSENT, computed_mw, said_mw)


def believed_mw_columns(columns: Columns, calibrations: Sequence[Calibration]) -> tuple[Int64Array, bool]:
    """Return the power of `power_mw_columns` without what is beyond the limit, and whether each record has one."""
    power_mw = power_mw_columns(columns, calibrations)
    if not len(power_mw):
        return power_mw, True
    limit_mw = settings_at(calibrations, columns.time_ms).limit_mw
    least_mw, most_mw, strictest_mw = int(power_mw.min()), int(power_mw.max()), int(limit_mw.min())
    if -strictest_mw <= least_mw and most_mw <= strictest_mw:
        return power_mw, True
    # ABSENT is below every limit too.
    beyond = (power_mw > limit_mw) | (power_mw < -limit_mw)
    return np.where(beyond, ABSENT, power_mw), not beyond.any()


def said_or(columns: Columns, channel: str, otherwise: Int64Array) -> Int64Array:
    """Return a channel with what `otherwise` holds (shape N or 1) where a record does not have it."""
    said = columns.channels.get(channel)
    return otherwise if said is None else np.where(said == ABSENT, otherwise, said)
