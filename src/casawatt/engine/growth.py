"""What the registers in columns counted: `register` for many records at once.

What simply follows is added up in numpy. Wherever a value does not, the rules of `register` themselves are asked, value
by value, until all simply follows again: there is only one copy of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from casawatt.engine import register as registers
from casawatt.engine.calibrations import NO_LIMIT_MW, calibration_at, chosen_at, settings_at
from casawatt.engine.counter import BURST_MS, COARSE_UJ, SLACK_UJ, Level, Register, Silence
from casawatt.engine.power import said_or
from casawatt.model.columns import ABSENT, BoolArray, Columns, Int64Array
from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.meter import NEVER_MS, Calibration
from casawatt.model.reading import POWER_FACTOR_ONE

_BLOCK = 256
_BLOCK_MAX = 65_536
_ENOUGH_UJ = 2**42
"""More than a register is ever ahead; sums of a block of these do not leave 64 bits."""


@dataclass(frozen=True, slots=True)
class Points:
    """The R records that speak by a register, out of columns of N.

    `place` (shape R): their positions, ascending. `value` (R): what they show, in mWh or mA s. `is_charge` (R): which
    of both. `life` (R): a number that changes with every change of device, and wherever what was counted before is left
    out.
    """

    place: Int64Array
    value: Int64Array
    is_charge: BoolArray
    life: Int64Array


@dataclass(frozen=True, slots=True)
class Counted:
    """What registers settled: S times, one after the other.

    `place` (shape S): the positions of the records at which each ends, ascending; the first is a beginning.
    `energy_uj` (S): what was counted since the one before. `told` (S): False where the register does not know, and
    power's word stands.
    """

    place: Int64Array
    energy_uj: Int64Array
    told: BoolArray


def points(columns: Columns, calibrations: Sequence[Calibration], left_out: BoolArray | None = None) -> Points:
    """Return the records of columns that speak by a register, an energy register before a charge register.

    `left_out` (shape N) is as in `calibrations.counted_and_left_out`.
    """
    energy = columns.channels.get("register_mwh")
    charge = columns.channels.get("charge_mas")
    life = lives(columns)
    if left_out is not None or any(each.moved_ms > NEVER_MS for each in calibrations):
        life += _counts(_begun_anew(columns, calibrations, left_out))
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
    return _counts(columns.device_id[1:] != columns.device_id[:-1])


def _begun_anew(columns: Columns, calibrations: Sequence[Calibration], left_out: BoolArray | None) -> BoolArray:
    """Say for each of N records but the first whether what a register counted before it is left out, as in `energy`."""
    chosen = chosen_at(calibrations, columns.time_ms[1:])
    moved_ms, gap_limit_ms = (
        np.array([getattr(each, name) for each in calibrations], np.int64)[chosen]
        for name in ("moved_ms", "gap_limit_ms")
    )
    start_ms, end_ms = columns.time_ms[:-1], columns.time_ms[1:]
    anew: BoolArray = start_ms < moved_ms
    return anew if left_out is None else anew | (left_out[1:] & (end_ms - start_ms > gap_limit_ms))


def _counts(begins: BoolArray) -> Int64Array:
    """Return how many of N-1 places between N records lie before each record (shape N)."""
    count = np.zeros(len(begins) + 1, np.int64)
    if begins.any():
        np.cumsum(begins, out=count[1:])
    return count


def _absent(columns: Columns) -> Int64Array:
    return np.full(len(columns), ABSENT, np.int64)


def continued(speaking: Points) -> BoolArray:
    """Say for each register value (shape R) whether it can be told from the one before; if not, it is a baseline."""
    told = np.zeros(len(speaking.place), np.bool_)
    life = speaking.life
    told[1:] = (life[1:] == life[:-1]) & (speaking.is_charge[1:] == speaking.is_charge[:-1])
    return told


def counted_by_register(
    columns: Columns,
    calibrations: Sequence[Calibration],
    speaking: Points,
    told: BoolArray,
    given_up: Callable[[int, int], bool],
) -> Counted:
    """Return what the register values settle.

    `told` (shape R): `continued`, and not given up since the value before. `given_up` says of the time between the
    records at two positions whether the register, if silent, was silent for too long to wait for it.
    """
    plain = _Plain(columns, calibrations, speaking, told)
    if plain.is_all_there_is():
        return Counted(speaking.place, plain.energy_uj, told)
    return _walked(columns, calibrations, plain, given_up)


class _Plain:
    """Each register value as if it simply followed from the one before, and where it does."""

    def __init__(
        self, columns: Columns, calibrations: Sequence[Calibration], speaking: Points, told: BoolArray
    ) -> None:
        place = speaking.place
        always = len(place) == len(columns)
        self.speaking, self.told = speaking, told
        self.time_ms = columns.time_ms if always else columns.time_ms[place]
        self.length_ms: Int64Array = np.diff(self.time_ms)
        growth = np.zeros(len(place), np.int64)
        np.subtract(speaking.value[1:], speaking.value[:-1], out=growth[1:])
        if not told[1:].all():
            growth[~told] = 0
        boot = columns.channels.get("boot_id")
        self.boot = None if boot is None else boot[place]
        settings = settings_at(calibrations, columns.time_ms)
        self.limit_mw = settings.limit_mw if len(settings.limit_mw) == 1 else settings.limit_mw[place]
        # Of growth only the sign is asked for beside the energy, and where all is energy that has the same.
        self.growth = self.energy_uj = growth
        if not speaking.is_charge.any():
            self.energy_uj *= MICROJOULES_PER_MWH
        else:
            voltage_mv = said_or(columns, "voltage_mv", settings.nominal_voltage_mv)
            factor_e4 = said_or(columns, "power_factor_e4", settings.power_factor_e4)
            voltage_mv, factor_e4 = (np.broadcast_to(each, len(columns))[place] for each in (voltage_mv, factor_e4))
            self.energy_uj = _product(growth, voltage_mv, factor_e4)
            if not speaking.is_charge.all():
                self.energy_uj = np.where(speaking.is_charge, self.energy_uj, growth * MICROJOULES_PER_MWH)

    def is_all_there_is(self) -> bool:
        """Say whether every value simply follows, so that nothing else has to be asked."""
        if len(self.length_ms) == 0:
            return True
        if int(self.growth.min()) < 0 or (self.boot is not None and self.began_anew(0, len(self.growth)).any()):
            return False
        if int(self.energy_uj.max()) <= int(self.limit_mw.min()) * int(self.length_ms.min()):
            return True
        return not (self.over_uj(1, len(self.growth)) > 0).any()

    def began_anew(self, start: int, stop: int) -> BoolArray:
        """Say for values from `start` to before `stop` whether a count of charge began at zero again."""
        anew = np.zeros(stop - start, np.bool_)
        if self.boot is not None:
            first = max(start, 1)
            boot, before = self.boot[first:stop], self.boot[first - 1 : stop - 1]
            changed = (boot != before) & (boot != ABSENT) & (before != ABSENT)
            anew[first - start :] = changed & self.speaking.is_charge[first:stop] & self.told[first:stop]
        return anew

    def over_uj(self, start: int, stop: int) -> Int64Array:
        """Return by how much each value is more than could be delivered, `start` (at least 1) to before `stop`."""
        limit_mw = self.limit_mw if len(self.limit_mw) == 1 else self.limit_mw[start:stop]
        longest_ms = NO_LIMIT_MW // limit_mw
        length_ms: Int64Array = np.minimum(self.length_ms[start - 1 : stop - 1], longest_ms)
        over_uj: Int64Array = self.energy_uj[start:stop] - length_ms * limit_mw
        return over_uj

    def follow(self, register: Register, start: int, stop: int) -> tuple[int, Register]:
        """Return from where on, between `start` and `stop`, values do not simply follow, and the register before it."""
        over_uj = np.minimum(np.maximum(self.over_uj(start, stop), -_ENOUGH_UJ), _ENOUGH_UJ)
        energy_uj = self.energy_uj[start:stop]
        late = over_uj > 0
        fits = self.told[start:stop] & (self.growth[start:stop] >= 0) & ~self.began_anew(start, stop)
        ahead_uj = np.zeros(stop - start, np.int64)
        if register.ahead_uj or late.any():
            # What is ahead is worked off in time, and never less than nothing: Lindley's recursion in closed form.
            sums = over_uj.cumsum()
            ahead_uj = sums - np.minimum(np.minimum.accumulate(sums), -register.ahead_uj)
            steps_uj = np.where((energy_uj > 0) & (energy_uj <= COARSE_UJ), energy_uj, NO_LIMIT_MW)
            known_uj = np.minimum.accumulate(np.concatenate(([register.step_uj or NO_LIMIT_MW], steps_uj[:-1])))
            slack_uj = np.where(known_uj == NO_LIMIT_MW, SLACK_UJ, np.maximum(known_uj, SLACK_UJ))
            fits &= ~late | (ahead_uj <= slack_uj)
        count = len(fits) if fits.all() else int(fits.argmin())
        if not count:
            return start, register
        return start + count, self._after(register, start, ahead_uj[:count])

    def _after(self, register: Register, start: int, ahead_uj: Int64Array) -> Register:
        """Return the register after values that simply followed; `ahead_uj` is how far ahead it was at each."""
        stop = start + len(ahead_uj)
        grown_uj = self.energy_uj[start:stop]
        grown_uj = grown_uj[(grown_uj > 0) & (grown_uj <= COARSE_UJ)]
        step_uj = register.step_uj
        if len(grown_uj):
            step_uj = min(step_uj or COARSE_UJ, int(grown_uj.min()))
        silence = register.silence
        long = np.flatnonzero(self.length_ms[start - 1 : stop - 1] > BURST_MS)
        if len(long):
            late = int(long[-1])
            before = register.level if late == 0 else self._level(start + late - 1, int(ahead_uj[late - 1]))
            silence = Silence(before, int(self.time_ms[start + late]))
        level = self._level(stop - 1, int(ahead_uj[-1]))
        return Register(register.is_charge, level.value, level.time_ms, level.boot_id, level.ahead_uj, step_uj, silence)

    def _level(self, at: int, ahead_uj: int) -> Level:
        """Return a value as a level to count on from."""
        boot_id = ABSENT if self.boot is None else int(self.boot[at])
        return Level(
            int(self.speaking.value[at]), int(self.time_ms[at]), None if boot_id == ABSENT else boot_id, ahead_uj
        )


def _walked(
    columns: Columns, calibrations: Sequence[Calibration], plain: _Plain, given_up: Callable[[int, int], bool]
) -> Counted:
    """Return what register values settle: many at once where they simply follow, by the rules elsewhere."""
    speaking, told = plain.speaking, plain.told
    linked = continued(speaking)
    register: Register | None = None
    pieces: list[tuple[Int64Array, Int64Array, BoolArray]] = []
    at, block, anchor = 0, _BLOCK, 0
    while at < len(told):
        if register is not None and register.doubt is None and register.mark == int(speaking.value[at - 1]):
            until, register = plain.follow(register, at, min(at + block, len(told)))
            if until > at:
                pieces.append((speaking.place[at:until], plain.energy_uj[at:until], told[at:until]))
                at, block, anchor = until, min(4 * block, _BLOCK_MAX), int(speaking.place[until - 1])
                continue
        place, block = int(speaking.place[at]), _BLOCK
        if not linked[at] or given_up(anchor, place):
            register = None
        record = next(columns.slice(place, place + 1).records())
        register, settled = registers.step(register, record, calibration_at(calibrations, record.time_ms))
        for until_ms, energy_uj in settled:
            anchor = int(columns.time_ms.searchsorted(until_ms))
            pieces.append((np.array([anchor]), np.array([energy_uj or 0]), np.array([energy_uj is not None])))
        at += 1
    return Counted(*[np.concatenate(parts) for parts in zip(*pieces, strict=True)])


def _product(growth_mas: Int64Array, voltage_mv: Int64Array, factor_e4: Int64Array) -> Int64Array:
    """Return charge times voltage times power factor in uJ, exact also where 64 bits do not hold the product."""
    largest = float(np.abs(growth_mas).max()) * float(np.abs(voltage_mv).max()) * float(np.abs(factor_e4).max())
    if largest < 2**62:
        return growth_mas * voltage_mv * factor_e4 // POWER_FACTOR_ONE
    exact = growth_mas.astype(object) * voltage_mv * factor_e4 // POWER_FACTOR_ONE
    return exact.astype(np.int64)
