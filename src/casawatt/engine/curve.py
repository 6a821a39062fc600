"""The cumulative energy of many records at once, for charts and for parts of a quarter-hour.

It is the scalar engine (`energy`) over again in numpy, begun at the first record: the same at every
record, to the microjoule; only between two values of a register that speaks less often than the
device, where power shapes the way, it may be a few microjoules off. Inside a span energy grows in proportion to time,
as `rollup` splits it, also where power moved in a straight line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from casawatt.engine.calibrations import counted_and_left_out, settings_at
from casawatt.engine.growth import continued, counted_by_register, lives, points
from casawatt.engine.power import believed_mw_columns
from casawatt.engine.stretches import OPEN_STRETCHES_MAX, PATIENCE_MS
from casawatt.model.columns import ABSENT, BoolArray, Columns, Int64Array
from casawatt.model.meter import Calibration

EnergyArray = NDArray[np.int64] | NDArray[np.float64]

_INT64_SAFE = 2.0**62
_SQUARE_SAFE_MS = 2**31


@dataclass(frozen=True, slots=True)
class Curve:
    """Cumulative energy and measured time at N records: those that count.

    `time_ms` strictly ascending; `energy_uj` and `measured_ms` begin with 0 at the first record. `energy_uj` is int64
    and exact, float64 only where 64 bits would not hold it.
    """

    time_ms: Int64Array
    energy_uj: EnergyArray
    measured_ms: Int64Array
    power_mw: Int64Array
    """What each record says its power is, `ABSENT` where it does not, or is not believed."""
    measured: BoolArray | None = None
    """Whether the N-1 spans between the records are measured; None where all are."""

    def at(self, instants_ms: Int64Array, passed: Int64Array | None = None) -> tuple[EnergyArray, Int64Array]:
        """Return the cumulative energy (uJ) and measured time (ms) at M instants (UTC ms), shape M each.

        In proportion to time between two records; before the first record 0, after the last what it was there.
        `passed`, if it is known already: how many records are not later than each instant.
        """
        if len(self.time_ms) < 2:
            nothing = np.zeros(len(instants_ms), np.int64)
            return nothing, nothing
        if passed is None:
            passed = self.time_ms.searchsorted(instants_ms, "right")
        place = np.minimum(np.maximum(passed - 1, 0), len(self.time_ms) - 2)
        then = place + 1
        start_ms = self.time_ms[place]
        length_ms = self.time_ms[then] - start_ms
        passed_ms = np.minimum(np.maximum(instants_ms - start_ms, 0), length_ms)
        energy_uj = self.energy_uj[place]
        energy_uj = energy_uj + _share(self.energy_uj[then] - energy_uj, passed_ms, length_ms)
        measured_ms = self.measured_ms[place]
        if self.measured is None:
            return energy_uj, measured_ms + passed_ms
        return energy_uj, measured_ms + _share(self.measured_ms[then] - measured_ms, passed_ms, length_ms)


def _share(whole: EnergyArray, passed_ms: Int64Array, length_ms: Int64Array) -> Int64Array:
    """Return `whole * passed_ms // length_ms`, exact without overflow."""
    rate, left = np.divmod(whole, length_ms)
    if length_ms.size and length_ms.max() > _SQUARE_SAFE_MS:
        left_share = (left.astype(object) * passed_ms // length_ms).astype(np.int64)
    else:
        left_share = left * passed_ms // length_ms
    share: Int64Array = rate * passed_ms + left_share
    return share


def curve(columns: Columns, calibrations: Sequence[Calibration]) -> Curve:
    """Return the cumulative energy and measured time of records of one meter, as if the first were its first ever.

    Records that are ignored are left out. `calibrations` ascend by date. Raises IndexError when there are none.
    """
    columns, left_out = counted_and_left_out(columns, calibrations)
    if len(columns) < 2:
        nothing = np.zeros(len(columns), np.int64)
        return Curve(columns.time_ms, nothing, nothing, believed_mw_columns(columns, calibrations)[0])
    said = _said_by_power(columns, calibrations)
    channels = columns.channels
    if "register_mwh" in channels or "charge_mas" in channels:
        energy_uj, measured = _settled(columns, calibrations, said, left_out)
    else:
        energy_uj, measured = said.energy_uj, said.known
    if measured is None:
        measured_ms = columns.time_ms - columns.time_ms[0]
    else:
        measured_ms = _cumulative(np.where(measured, said.length_ms, 0))
    return Curve(columns.time_ms, _cumulative_energy(energy_uj), measured_ms, said.power_mw, measured)


@dataclass(frozen=True, slots=True)
class _Said:
    """What power says about the N-1 spans between N records, and each record's own power.

    `known`: whether power is known; None where all are. `energy_uj` is 0 where it is not.
    `near`: no longer than the gap limit.
    """

    length_ms: Int64Array
    near: BoolArray
    known: BoolArray | None
    energy_uj: Int64Array
    power_mw: Int64Array


def _said_by_power(columns: Columns, calibrations: Sequence[Calibration]) -> _Said:
    """Return what power says about the spans between records, by the rules of `energy`."""
    time_ms = columns.time_ms
    settings = settings_at(calibrations, time_ms)
    limit_ms, polled = settings.gap_limit_ms, settings.polled
    if len(limit_ms) > 1:
        limit_ms, polled = limit_ms[1:], polled[1:]
    length_ms = time_ms[1:] - time_ms[:-1]
    near = length_ms <= limit_ms
    power_mw, always = believed_mw_columns(columns, calibrations)
    known: BoolArray = near
    if always:
        held_mw, then_mw = power_mw[:-1], power_mw[1:]
        then_known: BoolArray | None = None
    else:
        held_mw, then_mw, held_known, then_known = _carried(columns, power_mw, limit_ms)
        known = near & held_known
    if polled.all() and then_known is None:
        energy_uj = held_mw + then_mw
        energy_uj *= length_ms
        energy_uj >>= 1
    elif polled.any():
        straight = polled.astype(np.bool_) if then_known is None else polled.astype(np.bool_) & then_known
        energy_uj = np.where(straight, (held_mw + then_mw) * length_ms >> 1, held_mw * length_ms)
    else:
        energy_uj = held_mw * length_ms
    if bool(known.all()):
        return _Said(length_ms, near, None, energy_uj, power_mw)
    return _Said(length_ms, near, known, np.where(known, energy_uj, 0), power_mw)


def _carried(
    columns: Columns, power_mw: Int64Array, limit_ms: Int64Array
) -> tuple[Int64Array, Int64Array, BoolArray, BoolArray]:
    """Return the power (mW) at the beginning and at the end of each span, and whether each of both is known.

    Power that a record does not say is what the same device said last, not longer ago than the gap limit.
    """
    time_ms = columns.time_ms
    said_at = np.where(power_mw == ABSENT, -1, np.arange(len(power_mw)))
    said_at = np.maximum.accumulate(said_at)
    known = said_at >= 0
    said_at = np.maximum(said_at, 0)
    life = lives(columns)
    known &= life[said_at] == life
    carried_mw = np.where(known, power_mw[said_at], 0)
    age_ms = time_ms - time_ms[said_at]
    held_known = known[:-1] & (age_ms[:-1] <= limit_ms)
    then_known = known[1:] & (age_ms[1:] <= limit_ms)
    return carried_mw[:-1], carried_mw[1:], held_known, then_known


def _settled(
    columns: Columns, calibrations: Sequence[Calibration], said: _Said, left_out: BoolArray | None
) -> tuple[Int64Array, BoolArray | None]:
    """Return the energy (uJ) of each span once the registers have spoken, and if it is measured (None: all are)."""
    speaking = points(columns, calibrations, left_out)
    if len(speaking.place) < 2:
        return said.energy_uj, said.known
    known = np.ones(len(said.length_ms), np.bool_) if said.known is None else said.known
    waiting = _Waiting(said, known)
    told = continued(speaking)
    if len(speaking.place) < len(columns):
        told[1:] &= ~waiting.given_up(speaking.place[:-1], speaking.place[1:])
    settled = counted_by_register(columns, calibrations, speaking, told, waiting.is_given_up)
    told, counted_uj = settled.told[1:], settled.energy_uj[1:]
    first, last = settled.place[:-1], settled.place[1:]
    if not len(first):
        return said.energy_uj, said.known
    if len(settled.place) == len(columns):
        if bool(told.all()):
            return counted_uj, said.near
        return np.where(told, counted_uj, said.energy_uj), np.where(told, said.near, known)
    inside = slice(int(first[0]), int(last[-1]))
    group = np.repeat(np.arange(len(first)), last - first)
    shared = told[group]
    energy_uj, measured = said.energy_uj.copy(), known.copy()
    energy_uj[inside] = np.where(shared, _shared(said, known, counted_uj, first, last), energy_uj[inside])
    measured[inside] |= shared & said.near[inside]
    return energy_uj, measured


class _Waiting:
    """How long a silent register is waited for, by the rules of `energy`.

    `first` and `last` are the positions of the records that a time without it lies between. What counts is the time up
    to the last silent record.
    """

    def __init__(self, said: _Said, known: BoolArray) -> None:
        self._said, self._known = said, known

    def given_up(self, first: Int64Array, last: Int64Array) -> BoolArray:
        """Say for each of many times whether the register was silent for too long."""
        begun, under_way, known_ms = self._sums
        silent = last - 1
        stretches = begun[silent] - begun[first] + (under_way[first] & (silent > first))
        given_up: BoolArray = (known_ms[silent] - known_ms[first] > PATIENCE_MS) | (stretches > OPEN_STRETCHES_MAX)
        return given_up

    def is_given_up(self, first: int, last: int) -> bool:
        """Say the same of one time."""
        return bool(self.given_up(np.array([first]), np.array([last]))[0])

    @cached_property
    def _sums(self) -> tuple[Int64Array, BoolArray, Int64Array]:
        """Return what there was before each record: open stretches that began, whether one goes on, known time (ms)."""
        kind = np.where(self._known, 0, np.where(self._said.near, 1, 2))
        begins = kind > 0
        under_way = np.zeros(len(kind) + 1, np.bool_)
        under_way[1:-1] = begins[1:] & (kind[1:] == kind[:-1])
        begins[1:] &= kind[1:] != kind[:-1]
        return _cumulative(begins), under_way, _cumulative(np.where(self._known, self._said.length_ms, 0))


def _shared(said: _Said, known: BoolArray, counted_uj: Int64Array, first: Int64Array, last: Int64Array) -> Int64Array:
    """Return the energy (uJ) of each span from the first register value to the last, shared out as `energy` does."""
    begin, end = int(first[0]), int(last[-1])
    known = known[begin:end]
    length_ms = said.length_ms[begin:end]
    first, last = first - begin, last - begin
    count = last - first
    weight = np.maximum(said.energy_uj[begin:end], 0)
    known_ms = np.where(known, length_ms, 0)
    weight_sum, known_sum, length_sum = (np.add.reduceat(each, first) for each in (weight, known_ms, length_ms))
    open_sum = length_sum - known_sum
    has_rest = (open_sum > 0) & ((counted_uj > weight_sum) | (known_sum == 0))
    rest_uj = np.where(has_rest, counted_uj - weight_sum, 0)
    by_power = weight_sum > 0
    share = weight if by_power.all() else np.where(np.repeat(by_power, count), weight, known_ms)
    share_sum = np.maximum(np.where(by_power, weight_sum, known_sum), 1)
    until = _until(share, (counted_uj - rest_uj) / share_sum, first, count)
    if has_rest.any():
        until += _until(length_ms - known_ms, rest_uj / np.maximum(open_sum, 1), first, count)
    until_uj: Int64Array = np.floor(until).astype(np.int64)
    until_uj[last - 1] = counted_uj
    before_uj = np.zeros(len(until_uj), np.int64)
    before_uj[1:] = until_uj[:-1]
    before_uj[first] = 0
    energy_uj: Int64Array = until_uj - before_uj
    return energy_uj


def _until(share: Int64Array, rate: NDArray[np.float64], first: Int64Array, count: Int64Array) -> NDArray[np.float64]:
    """Return what each span's share and those before it in its group come to, at the group's rate."""
    done = _cumulative(share)
    until: NDArray[np.float64] = np.multiply(done[1:] - np.repeat(done[first], count), np.repeat(rate, count))
    return until


def _cumulative(values: NDArray[np.generic]) -> Int64Array:
    """Return the sums of all values before each place, shape N+1."""
    sums = np.empty(len(values) + 1, np.int64)
    sums[0] = 0
    values.cumsum(out=sums[1:])
    return sums


def _cumulative_energy(energy_uj: Int64Array) -> EnergyArray:
    """Return the sums of all energies before each place, shape N+1, as floats only where 64 bits do not hold them."""
    if max(float(energy_uj.max()), -float(energy_uj.min())) * len(energy_uj) < _INT64_SAFE:
        return _cumulative(energy_uj)
    if float(np.abs(energy_uj).sum(dtype=np.float64)) < _INT64_SAFE:
        return _cumulative(energy_uj)
    return np.concatenate(([0.0], np.cumsum(energy_uj, dtype=np.float64)))
