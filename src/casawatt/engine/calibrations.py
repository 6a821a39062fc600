"""Which of a meter's dated calibrations applies when, for one record and for whole columns."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

import numpy as np

from casawatt.model.columns import BoolArray, Columns, Int64Array
from casawatt.model.meter import Cadence, Calibration

NO_LIMIT_MW = 2**62
"""Stands for None in columns of limits: more than can be."""

_FROM_MS = attrgetter("from_ms")


def calibration_at(calibrations: Sequence[Calibration], time_ms: int) -> Calibration:
    """Return the calibration that applies at an instant (UTC ms).

    `calibrations` ascend by `from_ms`; of two with the same date the later in the sequence applies, and
    before the first date the first applies. Raises IndexError when there is none.
    """
    return calibrations[max(bisect_right(calibrations, time_ms, key=_FROM_MS) - 1, 0)]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the calibrations say at each of N instants.

    Each field has shape N, or a single value that holds for all where nothing changes in between.
    """

    nominal_voltage_mv: Int64Array
    power_factor_e4: Int64Array
    gap_limit_ms: Int64Array
    polled: Int64Array
    """1 where the device is polled at even times, 0 where it speaks on change."""
    limit_mw: Int64Array
    """`NO_LIMIT_MW` where everything is believed."""


def settings_at(calibrations: Sequence[Calibration], time_ms: Int64Array) -> Settings:
    """Return the settings at ascending instants (UTC ms, shape N), by the rule of `calibration_at`."""
    if len(calibrations) == 1:
        return _constant(calibrations[0])
    dates = np.array([calibration.from_ms for calibration in calibrations], np.int64)
    ends = time_ms[[0, -1]] if len(time_ms) else np.zeros(2, np.int64)
    first, last = np.maximum(np.searchsorted(dates, ends, "right") - 1, 0)
    if first == last:
        return _constant(calibrations[first])
    table = np.array([_values(each) for each in calibrations[first : last + 1]], np.int64)
    chosen = np.maximum(np.searchsorted(dates, time_ms, "right") - 1, 0) - first
    return Settings(*table[chosen].T)


def counted(columns: Columns, calibrations: Sequence[Calibration]) -> Columns:
    """Return the records of columns that the calibrations do not have ignored."""
    return columns if not ignores_any(calibrations) else _kept(columns, calibrations)[0]


def counted_and_left_out(columns: Columns, calibrations: Sequence[Calibration]) -> tuple[Columns, BoolArray | None]:
    """Return the same, and for each such record whether readings that are all ignored lie right before it.

    None where none do.
    """
    return (columns, None) if not ignores_any(calibrations) else _kept(columns, calibrations)


def _kept(columns: Columns, calibrations: Sequence[Calibration]) -> tuple[Columns, BoolArray | None]:
    """Return the same where some may be ignored."""
    chosen = chosen_at(calibrations, columns.time_ms)
    left_out = np.array([calibration.ignores_all for calibration in calibrations])[chosen]
    kept = ~left_out
    for place, calibration in enumerate(calibrations):
        if calibration.ignored_devices:
            kept &= (chosen != place) | ~np.isin(columns.device_id, calibration.ignored_devices)
    if kept.all():
        return columns, None
    channels = {name: column[kept] for name, column in columns.channels.items()}
    before = np.diff(left_out.cumsum()[kept], prepend=0) > 0 if left_out.any() else None
    return Columns(columns.time_ms[kept], columns.device_id[kept], channels), before


def chosen_at(calibrations: Sequence[Calibration], time_ms: Int64Array) -> Int64Array:
    """Return the place of the calibration that applies at each instant (UTC ms, shape N), by the same rule."""
    dates = np.array([calibration.from_ms for calibration in calibrations], np.int64)
    chosen: Int64Array = np.maximum(np.searchsorted(dates, time_ms, "right") - 1, 0)
    return chosen


def ignores_any(calibrations: Sequence[Calibration]) -> bool:
    """Say whether any of the calibrations has readings ignored."""
    return any(calibration.ignores_all or calibration.ignored_devices for calibration in calibrations)


def _values(calibration: Calibration) -> tuple[int, int, int, bool, int]:
    polled = calibration.cadence is Cadence.POLLED
    limit_mw = NO_LIMIT_MW if calibration.limit_mw is None else calibration.limit_mw
    return calibration.nominal_voltage_mv, calibration.power_factor_e4, calibration.gap_limit_ms, polled, limit_mw


@lru_cache(maxsize=1024)
def _constant(calibration: Calibration) -> Settings:
    """Return the settings where one calibration holds throughout; they are shared, and cannot be written."""
    values = np.array(_values(calibration), np.int64)
    values.flags.writeable = False
    return Settings(*values[:, np.newaxis])
