"""What a period would have cost by another tariff, with another contracted power, or with runs at other hours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

import msgspec
import numpy as np

from casawatt.answers.bills import Bills
from casawatt.answers.claims import RunList
from casawatt.answers.costs import Costs
from casawatt.answers.market import Markets
from casawatt.answers.would_trip import WouldTrip
from casawatt.engine import whatif_words as words
from casawatt.engine.localtime import HOUR_MS, day_start
from casawatt.engine.moving import Span, cheapest_shift, moved
from casawatt.engine.periods import Period
from casawatt.engine.pricing import Market, UnitPrices, unit_prices
from casawatt.model.bill import Bill
from casawatt.model.columns import ABSENT
from casawatt.model.errors import RegistryError
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import Meter
from casawatt.model.quarters import Quarters
from casawatt.model.tariff import DatedTariff, Tariff
from casawatt.model.whatif import Kind, Move, MovedRun, Question, Scenario, WhatIfs, lacks
from casawatt.registry import Registry

ALWAYS = date(1970, 1, 1)
MOVABLE = frozenset({"washing_machine", "dishwasher", "dryer", "ev"})
"""The appliances whose runs people can put off; asked about when nobody says which."""

WITHIN_MS = 12 * HOUR_MS
STEP_W = 500
LEAST_W = 1500


@dataclass(frozen=True, slots=True)
class _Real:
    """A period as it was: what was used and what it cost. `span` is from when to when, UTC ms."""

    period: Period
    span: Span
    market: Market
    quarters: Quarters
    bill: Bill


class WhatIf:
    """Makes the bills of what never was. `runs` are those that may be moved."""

    def __init__(
        self,
        bills: Bills,
        costs: Costs,
        markets: Markets,
        registry: Registry,
        runs: RunList,
        *,
        alternatives: Sequence[Tariff],
        would_trip: WouldTrip,
    ) -> None:
        """`alternatives` are the tariffs that the config has to be compared; those of one name belong together."""
        self.runs = runs
        self._bills = bills
        self._costs = costs
        self._markets = markets
        self._registry = registry
        self._alternatives = alternatives
        self._would_trip = would_trip

    def usual_question(self, period: Period) -> Question:
        """Return what is asked when nobody says what: the config's alternatives, a power above and below, all runs."""
        contracted_w = self._bills.terms.contracted_w
        market = self._bills.market(period)
        charged = contracted_w and any(each.tariff.power_per_kw_year for each in market.tariffs)
        powers = (contracted_w - STEP_W, contracted_w + STEP_W) if contracted_w and charged else ()
        span = self._span(period)
        moves = [
            Move(meter.slug, *span, within_ms=WITHIN_MS)
            for meter in self._registry.meters()
            if meter.appliance in MOVABLE and self._is_billed(meter) and self.runs(meter, *span)
        ]
        return Question(grouped(self._alternatives), tuple(power for power in powers if power >= LEAST_W), tuple(moves))

    def ask(self, period: Period, question: Question) -> WhatIfs:
        """Return a period's bill, and what it would have been. Raises BillError, RegistryError, StoreError."""
        market, quarters = self._bills.market(period), self._bills.quarters(period)
        bill = self._bills.bill_by(period, market, quarters)
        real = _Real(period, self._span(period), market, quarters, bill)
        scenarios = [
            *(self._by_tariff(real, each) for each in question.alternatives),
            *(self._by_power(real, each) for each in question.contracted_w),
            *(self._by_runs(real, each) for each in question.moves),
        ]
        return WhatIfs(bill, tuple(sorted(scenarios, key=lambda each: (lacks(bill, each.bill), each.difference))))

    def _span(self, period: Period) -> Span:
        return day_start(self._markets.zone, period.start), day_start(self._markets.zone, period.end)

    def _by_tariff(self, real: _Real, alternative: Sequence[Tariff]) -> Scenario:
        names = {each.prices for each in alternative}
        market = replace(real.market, tariffs=dated(alternative), prices=self._markets.prices(names, *real.span))
        bill = self._bills.bill_by(real.period, market, real.quarters)
        return _scenario(real, Kind.TARIFF, alternative[0].name, bill, words.of_tariff(real.bill, bill))

    def _by_power(self, real: _Real, contracted_w: int) -> Scenario:
        tariffs = [
            msgspec.structs.replace(each, tariff=msgspec.structs.replace(each.tariff, contracted_w=contracted_w))
            for each in real.market.tariffs
        ]
        bill = self._bills.bill_by(real.period, replace(real.market, tariffs=tariffs), real.quarters)
        powers_mw = real.quarters.between(*real.span).max_mw
        powers_mw = powers_mw[powers_mw != ABSENT]
        peak_mw = int(powers_mw.max()) if len(powers_mw) else None
        above = int((powers_mw > contracted_w * 1000).sum())
        trips = self._trips(real, contracted_w)
        reason = words.of_power(real.bill, bill, contracted_w, words.Power(peak_mw, above, trips))
        scenario = _scenario(real, Kind.POWER, f"{contracted_w} W", bill, reason)
        return replace(scenario, peak_mw=peak_mw, quarters_above=above, trips=trips)

    def _trips(self, real: _Real, contracted_w: int) -> int | None:
        """Return how often the limiter of that power would have acted; None where it is not known what it is like."""
        rules, meters = self._would_trip.limiter_for(contracted_w), self._bills.billed().meters
        if rules is None or len(meters) != 1:
            return None
        return len(self._would_trip.times_ms(meters[0], real.quarters.between(*real.span), rules))

    def _by_runs(self, real: _Real, move: Move) -> Scenario:
        meter = self._registry.meter(move.meter)
        if not self._is_billed(meter):
            message = f"{meter.slug} is no part of what is billed, so moving its runs changes no bill"
            raise RegistryError(message)
        chosen, others = self._chosen(meter, move, real.span)
        prices = unit_prices(real.market, np.arange(*real.span, INTERVAL_MS, dtype=np.int64))
        placing = _Placing(prices, real.span, others)
        for run in reversed(chosen) if (move.shift_ms or 0) > 0 else chosen:  # who is in the way goes first
            placing.place(self._costs.quarters(meter, *run).between(*real.span), run, move)
        found = moved(real.quarters, placing.parts)
        bill = self._bills.bill_by(real.period, real.market, found.quarters)
        shifted = tuple(sorted((run for run in placing.moved if run.shift_ms), key=lambda run: run.start_ms))
        unseen_mwh = sum(run.energy_mwh for run in placing.moved) - found.moved_mwh
        reason = words.of_runs(real.bill, bill, shifted, placing.left, unseen_mwh) if chosen else words.NO_RUN
        return replace(_scenario(real, Kind.RUNS, named(meter, move), bill, reason), moved=shifted)

    def _chosen(self, meter: Meter, move: Move, span: Span) -> tuple[list[Span], list[Span]]:
        """Return the runs that are to be moved, and the meter's other runs, which are in their way."""
        runs = [(run.start_ms, run.end_ms) for run in self.runs(meter, *span) if run.end_ms is not None]
        if move.is_run:
            chosen = [(move.start_ms, move.end_ms)]
        else:
            chosen = [run for run in runs if move.start_ms <= run[0] < move.end_ms]
        inside = [run for run in chosen if span[0] <= run[0] and run[1] <= span[1]]
        return inside, [run for run in runs if all(run[1] <= each[0] or each[1] <= run[0] for each in inside)]

    def _is_billed(self, meter: Meter) -> bool:
        billed = {each.slug for each in self._bills.billed().meters}
        slug: str | None = meter.slug
        while slug is not None and slug not in billed:
            slug = self._registry.meter(slug).parent
        return slug is not None


class _Placing:
    """Puts the runs of a meter elsewhere, one after the other; `left` could not be put anywhere.

    `parts` are the quarter-hours of each run, and how much later (ms) they are put.
    """

    def __init__(self, prices: UnitPrices, bounds: Span, busy: Sequence[Span]) -> None:
        self.moved: list[MovedRun] = []
        self.parts: list[tuple[Quarters, int]] = []
        self.left = 0
        self._prices = prices
        self._bounds = bounds
        self._busy = list(busy)

    def place(self, part: Quarters, run: Span, move: Move) -> None:
        """Put a run where `move` says, unless that is outside the bounds or on another run."""
        shift_ms = move.shift_ms
        if shift_ms is None:
            within_ms = move.within_ms or 0
            reach = run[0] - within_ms - INTERVAL_MS, run[1] + within_ms + INTERVAL_MS
            near = [each for each in self._busy if each[0] < reach[1] and reach[0] < each[1]]
            shift_ms = cheapest_shift(part, run, self._prices, within_ms, self._bounds, near)
        elif not self._is_free((run[0] + shift_ms, run[1] + shift_ms)):
            shift_ms = None
        if shift_ms is None:
            self.left += 1
            shift_ms = 0
        after = replace(part, start_ms=part.start_ms + shift_ms)
        costs = self._prices.cost(part), self._prices.cost(after)
        self.moved.append(MovedRun(*run, shift_ms, part.energy_sum_mwh, *costs))
        self.parts.append((part, shift_ms))
        self._busy.append((run[0] + shift_ms, run[1] + shift_ms))

    def _is_free(self, there: Span) -> bool:
        """Return whether a span is within the bounds and on no other run."""
        inside = self._bounds[0] <= there[0] and there[1] <= self._bounds[1]
        return inside and all(there[1] <= each[0] or each[1] <= there[0] for each in self._busy)


def grouped(tariffs: Sequence[Tariff]) -> tuple[tuple[Tariff, ...], ...]:
    """Return tariffs as alternatives: those of one name together, in the order of the names' first."""
    names = dict.fromkeys(each.name for each in tariffs)
    return tuple(tuple(each for each in tariffs if each.name == name) for name in names)


def dated(alternative: Sequence[Tariff]) -> list[DatedTariff]:
    """Return an alternative as tariffs that hold one after the other, the first of them since ever."""
    ordered = sorted(alternative, key=lambda each: each.from_)
    ordered[0] = msgspec.structs.replace(ordered[0], from_=ALWAYS)
    ends = [*(each.from_ for each in ordered[1:]), None]
    return [DatedTariff(0, tariff, 0, until) for tariff, until in zip(ordered, ends, strict=True)]


def named(meter: Meter, move: Move) -> str:
    """Return what a move is called: `Lavatrice 3 h later`."""
    if move.shift_ms is None:
        return f"{meter.name} where it costs least within {_hours(move.within_ms or 0)}"
    return f"{meter.name} {_hours(abs(move.shift_ms))} {'later' if move.shift_ms >= 0 else 'earlier'}"


def _hours(length_ms: int) -> str:
    return f"{float(Fraction(length_ms, HOUR_MS)):g} h"


def _scenario(real: _Real, kind: Kind, name: str, bill: Bill, reason: str) -> Scenario:
    return Scenario(kind, name, bill, bill.amount - real.bill.amount, reason)
