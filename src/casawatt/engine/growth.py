"""What the registers in columns counted: `register` for many records at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casawatt.engine.calibrations import settings_at
from casawatt.engine.power import said_or
from casawatt.engine.register import grow, same_boot
from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.meter import Calibration
from casawatt.model.reading import POWER_FACTOR_ONE

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Points:
    """The R records that speak by a register, out of columns of N.

    `place` (shape R): their positions, ascending. `value` (R): what they show, in mWh or mA s. `is_charge` (R): which
    of both. `life` (R): a number that changes with every change of device.
    """

    place: Int64Array
    value: Int64Array
    is_charge: BoolArray
    life: Int64Array


def points(columns: Columns) -> Points:
    """Return the records of columns that speak by a register, an energy register before a charge register."""
    energy = columns.channels.get("register_mwh")
    charge = columns.channels.get("charge_mas")
    life = lives(columns)
    is_charge = np.full(len(columns), energy is None)
    if energy is None:
        shown = _absent(columns) if charge is None else charge
    elif charge is None:
        shown = energy
    else:
        shown, is_charge = np.where(energy == ABSENT, charge, energy), energy == ABSENT
    speaks = shown != ABSENT
    if bool(speaks.all()):
        return Points(np.arange(len(shown)), shown, is_charge, life)
    place = np.flatnonzero(speaks)
    return Points(place, shown[place], is_charge[place], life[place])


def lives(columns: Columns) -> Int64Array:
    """Return a number for each record (shape N) that changes with every change of device."""
    life = np.zeros(len(columns), np.int64)
    changed = columns.device_id[1:] != columns.device_id[:-1]
    if changed.any():
        np.cumsum(changed, out=life[1:])
    return life


def _absent(columns: Columns) -> Int64Array:
    return np.full(len(columns), ABSENT, np.int64)


def continued(speaking: Points) -> BoolArray:
    """Say for each register value (shape R) whether it can be told from the one before; if not, it is a baseline."""
    told = np.zeros(len(speaking.place), np.bool_)
    life = speaking.life
    told[1:] = (life[1:] == life[:-1]) & (speaking.is_charge[1:] == speaking.is_charge[:-1])
    return told


def growth_uj(columns: Columns, calibrations: Sequence[Calibration], speaking: Points, told: BoolArray) -> Int64Array:
    """Return what each register value (shape R) adds to the one before, in microjoules; 0 where it is not `told`."""
    place, value = speaking.place, speaking.value
    boot = columns.channels.get("boot_id", _absent(columns))[place]
    growth = np.zeros(len(place), np.int64)
    np.subtract(value[1:], value[:-1], out=growth[1:])
    if not told[1:].all():
        growth[~told] = 0
    plain = told
    if "boot_id" in columns.channels:
        anew = told & _restarted(boot) & speaking.is_charge
        growth[anew] = value[anew]
        plain = told & ~anew
    _correct_falls(speaking, boot, plain, growth)
    if not speaking.is_charge.any():
        growth *= MICROJOULES_PER_MWH
        return growth
    settings = settings_at(calibrations, columns.time_ms)
    voltage_mv = np.broadcast_to(said_or(columns, "voltage_mv", settings.nominal_voltage_mv), len(columns))[place]
    factor_e4 = np.broadcast_to(said_or(columns, "power_factor_e4", settings.power_factor_e4), len(columns))[place]
    charge_uj = _product(growth, voltage_mv, factor_e4)
    if speaking.is_charge.all():
        return charge_uj
    return np.where(speaking.is_charge, charge_uj, growth * MICROJOULES_PER_MWH)


def _restarted(boot: Int64Array) -> BoolArray:
    """Say for each register value (shape R) whether the device is known to have restarted since the one before."""
    restarted = np.zeros(len(boot), np.bool_)
    restarted[1:] = (boot[1:] != boot[:-1]) & (boot[1:] != ABSENT) & (boot[:-1] != ABSENT)
    return restarted


def _product(growth_mas: Int64Array, voltage_mv: Int64Array, factor_e4: Int64Array) -> Int64Array:
    """Return charge times voltage times power factor in uJ, exact also where 64 bits do not hold the product."""
    largest = float(np.abs(growth_mas).max()) * float(np.abs(voltage_mv).max()) * float(np.abs(factor_e4).max())
    if largest < 2**62:
        return growth_mas * voltage_mv * factor_e4 // POWER_FACTOR_ONE
    exact = growth_mas.astype(object) * voltage_mv * factor_e4 // POWER_FACTOR_ONE
    return exact.astype(np.int64)


def _correct_falls(speaking: Points, boot: Int64Array, plain: BoolArray, growth: Int64Array) -> None:
    """Put right the growth (in place) where a register fell, value by value until it is back above its mark."""
    value = speaking.value
    done = 0
    for fall in np.flatnonzero(plain & (growth < 0)).tolist():
        if fall < done:
            continue
        at = fall
        mark = newest = int(value[at - 1])
        while at < len(value) and plain[at]:
            shown = int(value[at])
            boots = [None if each == ABSENT else int(each) for each in boot[at - 1 : at + 1]]
            mark, growth[at] = grow(
                mark, newest, shown, is_charge=bool(speaking.is_charge[at]), same_boot=same_boot(boots[0], boots[1])
            )
            newest = shown
            at += 1
            if mark == shown:
                break
        done = at
