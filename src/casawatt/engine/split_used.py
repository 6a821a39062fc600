"""Finds out, quarter-hour by quarter-hour, what of the billed energy is whose, and what it cost at the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Protocol, Self
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.engine.localtime import day_start
from casawatt.model.columns import Int64Array
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.member import SplitRules
from casawatt.model.quarters import Quarters
from casawatt.model.split import Amount, ClaimedRun, Excess, Used


class Prices(Protocol):
    """What each quarter-hour's energy costs."""

    def cost(self, quarters: Quarters) -> Fraction:
        """Return what the energy of quarter-hours costs at the price of each; it may be negative."""
        ...


@dataclass(frozen=True, slots=True)
class Grid:
    """The clock quarter-hours of a period of local days. `edges_ms`: where each day begins, and the last one ends."""

    days: tuple[date, ...]
    edges_ms: tuple[int, ...]

    @classmethod
    def of(cls, start: date, end: date, zone: ZoneInfo) -> Self:
        """Return the quarter-hours from the day `start` until before the day `end`."""
        days = tuple(start + timedelta(days=number) for number in range((end - start).days))
        return cls(days, tuple(day_start(zone, day) for day in (*days, end)))

    @property
    def start_ms(self) -> int:
        """Where it begins (UTC ms)."""
        return self.edges_ms[0]

    @property
    def end_ms(self) -> int:
        """Before when it ends (UTC ms)."""
        return self.edges_ms[-1]

    def __len__(self) -> int:
        return (self.end_ms - self.start_ms) // INTERVAL_MS

    def starts_ms(self) -> Int64Array:
        """Return where each quarter-hour begins (UTC ms)."""
        return np.arange(self.start_ms, self.end_ms, INTERVAL_MS, dtype=np.int64)

    def place(self, time_ms: int) -> int:
        """Return the place of the quarter-hour that a time lies in."""
        return (time_ms - self.start_ms) // INTERVAL_MS

    def day_of(self, time_ms: int) -> int:
        """Return the place of the day that a time lies in; of one outside the nearest."""
        return min(max(int(np.searchsorted(self.edges_ms, time_ms, "right")) - 1, 0), len(self.days) - 1)

    def spread(self, quarters: Quarters) -> Int64Array:
        """Return the energy (mWh) of every quarter-hour, 0 where there is none."""
        energy_mwh = np.zeros(len(self), np.int64)
        inside = quarters.between(self.start_ms, self.end_ms)
        energy_mwh[(inside.start_ms - self.start_ms) // INTERVAL_MS] = inside.energy_mwh
        return energy_mwh

    def by_day(self, energy_mwh: Int64Array, prices: Prices) -> list[Amount]:
        """Return the energy of every quarter-hour and what it cost, summed up for each day."""
        edges = [self.place(edge_ms) for edge_ms in self.edges_ms]
        return [self.amount(energy_mwh[first:stop], first, prices) for first, stop in pairwise(edges)]

    def amount(self, energy_mwh: Int64Array, first: int, prices: Prices) -> Amount:
        """Return the energy of consecutive quarter-hours, of which the one at the place `first` is the first."""
        places = np.flatnonzero(energy_mwh)
        if not len(places):
            return Amount(Fraction(0))
        start_ms = self.start_ms + (first + places) * INTERVAL_MS
        energy_mwh = energy_mwh[places]
        nothing = np.zeros_like(start_ms)
        return Amount(prices.cost(Quarters(start_ms, energy_mwh, nothing, nothing)), int(energy_mwh.sum()))


@dataclass(frozen=True, slots=True)
class RunEnergy:
    """A claimed run and its energy in consecutive quarter-hours, of which the one at the place `first` is the first.

    Energy that another member's meter measured behind this one is not in it. `when`: its times, for people.
    """

    meter: str
    member: str
    start_ms: int
    when: str
    first: int
    energy_mwh: Int64Array


@dataclass(frozen=True, slots=True)
class Measurements:
    """The quarter-hours of a period. `billed`: those that the bill is of; `meters`: those of meters by slug.

    `notes`: what of the measuring people should know.
    """

    billed_name: str
    billed: Quarters
    meters: Mapping[str, Quarters]
    runs: Sequence[RunEnergy]
    notes: Sequence[str] = ()


def used_of(
    grid: Grid,
    measured: Measurements,
    rules: SplitRules,
    prices: Prices,
    charges: Mapping[str, Sequence[Fraction]],
    total: Fraction,
) -> Used:
    """Return what is to be divided. `charges` and `total`: of the bill, the first for each day."""
    spread = {each.meter: grid.spread(measured.meters[each.meter]) for each in rules.assignments}
    own = {slug: energy_mwh.copy() for slug, energy_mwh in spread.items()}
    rest = grid.spread(measured.billed)
    for assignment in rules.assignments:
        if assignment.within is None:
            rest -= spread[assignment.meter]
        else:
            own[assignment.within] -= spread[assignment.meter]
    runs = []
    for run in measured.runs:
        own[run.meter][run.first : run.first + len(run.energy_mwh)] -= run.energy_mwh
        amount = grid.amount(run.energy_mwh, run.first, prices)
        runs.append(ClaimedRun(run.meter, run.member, run.start_ms, grid.day_of(run.start_ms), run.when, amount))
    meters = {slug: grid.by_day(energy_mwh, prices) for slug, energy_mwh in own.items()}
    over = np.minimum(rest, 0)
    excess = Excess(grid.by_day(over, prices), *_excess_quarters(grid, measured.billed, over))
    unmetered = grid.by_day(np.maximum(rest, 0), prices)
    name, notes = measured.billed_name, measured.notes
    return Used(grid.days, name, meters, runs, unmetered, excess, charges, total, notes)


def _excess_quarters(grid: Grid, billed: Quarters, over: Int64Array) -> tuple[int, int]:
    """Return in how many quarter-hours there is an excess, and in how many of these not all was measured."""
    whole = np.zeros(len(grid), bool)
    inside = billed.between(grid.start_ms, grid.end_ms)
    whole[(inside.start_ms - grid.start_ms) // INTERVAL_MS] = inside.measured_ms >= INTERVAL_MS
    return int((over < 0).sum()), int(((over < 0) & ~whole).sum())
