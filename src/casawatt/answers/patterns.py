"""The patterns of the home and of each meter, as of now."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import numpy as np

from casawatt.answers.known import Known
from casawatt.engine.balance import Measured, balance
from casawatt.engine.day_prices import DayPrices
from casawatt.engine.days import Days, by_day
from casawatt.engine.digest import year_cost
from casawatt.engine.localtime import day_edges, day_start, local_date
from casawatt.engine.profile import by_wall_clock, profiles, unusual
from casawatt.engine.rising import (
    BEFORE_DAYS,
    BEFORE_RUNS,
    RECENT_DAYS,
    RECENT_RUNS,
    YEAR_DAYS,
    YEAR_ROUND_DAYS,
    rising_by_day,
    rising_by_run,
)
from casawatt.engine.usual import LAST_DAYS, base_load, peaks
from casawatt.engine.walltime import wall_time
from casawatt.model.columns import Int64Array
from casawatt.model.digest import Standby
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import Meter
from casawatt.model.patterns import Balance, Base, Pattern, Patterns, Rise
from casawatt.model.quarters import Quarters, added

PROFILE_DAYS = 56
RUN_DAYS = 180
"""Runs are compared of so many days."""

BALANCE_DAYS = (1, 7, LAST_DAYS)
"""Meters are balanced over the last so many whole days."""

MAINS = "mains"


class PatternsOfHome:
    """Finds the patterns in what is recorded now."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._store = known.store
        self._registry = known.registry

    def all(self) -> Patterns:
        """Return the patterns of the home and of every meter, and the balances. Raises StoreError."""
        edges_ms = self._edges_ms()
        every = self._registry.meters()
        quarters = {each.meter_id: self._quarters(each, edges_ms) for each in every}
        home = added([quarters[each.meter_id] for each in self._known.billed])
        price = self._price(edges_ms)
        return Patterns(
            self._known.clock.now_ms(),
            self._pattern(None, home, edges_ms, price),
            tuple(self._pattern(each, quarters[each.meter_id], edges_ms, price) for each in every),
            tuple(self._balances(every, quarters, edges_ms)),
        )

    def of(self, meter: Meter) -> Pattern:
        """Return the patterns of one meter. Raises StoreError."""
        edges_ms = self._edges_ms()
        return self._pattern(meter, self._quarters(meter, edges_ms), edges_ms, self._price(edges_ms))

    def _edges_ms(self) -> Int64Array:
        """Return where the days begin that are looked at; the last of them is today."""
        zone = self._store.zone
        today = local_date(zone, self._known.clock.now_ms())
        first = today - timedelta(days=max(YEAR_DAYS + YEAR_ROUND_DAYS, BEFORE_DAYS) + RECENT_DAYS)
        return np.array(day_edges(zone, day_start(zone, first), day_start(zone, today + timedelta(days=1))), np.int64)

    def _quarters(self, meter: Meter, edges_ms: Int64Array) -> Quarters:
        return self._store.quarters(meter.meter_id, int(edges_ms[0]), int(edges_ms[-1]))

    def _price(self, edges_ms: Int64Array) -> Fraction | None:
        """Return what a mWh costs on average of the last whole days; None where not all prices are known."""
        span = int(edges_ms[-2 - LAST_DAYS]), int(edges_ms[-2])
        return DayPrices(self._known.costs.prices(*span), *span).mean_per_mwh

    def _pattern(
        self, meter: Meter | None, quarters: Quarters, edges_ms: Int64Array, price: Fraction | None
    ) -> Pattern:
        zone, now_ms = self._store.zone, self._known.clock.now_ms()
        slug = meter.slug if meter else None
        days = by_day(quarters, edges_ms)
        today = len(days) - 1
        lately = quarters.between(int(edges_ms[today - PROFILE_DAYS]), int(edges_ms[-1]))
        wall = by_wall_clock(lately, zone)
        # The last whole quarter-hour, so that none counts in part.
        now = wall_time(zone, np.array([now_ms - now_ms % INTERVAL_MS]))
        before = by_wall_clock(lately.between(0, int(edges_ms[today])), zone)
        return Pattern(
            slug,
            self._base(days, today, price),
            peaks(days, today),
            profiles(before),
            unusual(slug, wall, int(now.day[0]), int(now.minute[0])),
            tuple(self._rises(meter, days, today, price)) if meter else (),
        )

    def _base(self, days: Days, today: int, price: Fraction | None) -> Base | None:
        base = base_load(days, today)
        if base is None:
            return None
        power_mw = base.standby.power_mw
        return replace(base, standby=Standby(power_mw, year_cost(power_mw, price)))

    def _rises(self, meter: Meter, days: Days, today: int, price: Fraction | None) -> list[Rise]:
        """Return in what an appliance uses more than it did; a meter that others are behind is none."""
        if meter.appliance == MAINS or any(each.parent == meter.slug for each in self._registry.meters()):
            return []
        found = []
        by_day_ = rising_by_day(meter.slug, days, today)
        if by_day_ is not None:
            more_mwh = by_day_.recent_mwh - by_day_.before_mwh
            found.append(replace(by_day_, year_cost=None if price is None else more_mwh * 365 * price))
        end_ms = int(days.edges_ms[-1])
        start_ms = int(days.edges_ms[today - RUN_DAYS])
        ended = self._known.ended(meter, start_ms, end_ms, RECENT_RUNS + BEFORE_RUNS)
        by_run = rising_by_run(meter.slug, np.array(ended, np.int64))
        return [*found, by_run] if by_run else found

    def _balances(self, every: Sequence[Meter], quarters: dict[int, Quarters], edges_ms: Int64Array) -> list[Balance]:
        """Return the balance of each meter that others are behind, over each of `BALANCE_DAYS`."""
        found = []
        for whole in every:
            behind = [each for each in every if each.parent == whole.slug]
            if not behind:
                continue
            measured, *parts = (
                Measured(each.slug, quarters[each.meter_id], self._by_current(each)) for each in (whole, *behind)
            )
            spans = [(int(edges_ms[-2 - count]), int(edges_ms[-2])) for count in BALANCE_DAYS]
            found += [balance(measured, parts, *span) for span in spans]
        return found

    def _by_current(self, meter: Meter) -> bool:
        """Return whether a meter's device says how much current flows, and neither power nor energy."""
        last = self._store.last_record(meter.meter_id)
        if last is None or last.power_mw is not None or last.register_mwh is not None:
            return False
        return last.current_ma is not None or last.charge_mas is not None
