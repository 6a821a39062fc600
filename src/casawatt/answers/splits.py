"""Who owes what of a bill: the open period worked out, the closed ones as they were told."""

from collections.abc import Sequence
from datetime import date

import msgspec

from casawatt.answers.bills import Bills
from casawatt.answers.claims import Claims, RunList
from casawatt.answers.split_measure import Measuring
from casawatt.answers.split_rules import Household
from casawatt.config import Config
from casawatt.engine.adjust import adjustments, last_told, rules_for
from casawatt.engine.billing import drawn
from casawatt.engine.localtime import day_start, local_date
from casawatt.engine.periods import Period, billing_month_of
from casawatt.engine.pricing import unit_prices
from casawatt.engine.split import split
from casawatt.engine.split_charges import charges_by_day
from casawatt.engine.split_used import Grid, used_of
from casawatt.engine.split_words import count, kwh
from casawatt.model.bill import Bill
from casawatt.model.errors import LedgerError
from casawatt.model.member import Member, SplitRules
from casawatt.model.ports import Clock
from casawatt.model.split import Adjustment, Split, Statement
from casawatt.registry import Registry
from casawatt.store.store import Store


class Splits:
    """Answers who owes what, and closes periods."""

    def __init__(
        self, store: Store, registry: Registry, household: Household, bills: Bills, claims: Claims, clock: Clock
    ) -> None:
        """Divide what `bills` bills by the rules of `household`."""
        self._ledger = store.book.ledger
        self._registry = registry
        self._household = household
        self._bills = bills
        self._clock = clock
        self._measuring = Measuring(store, registry, claims, household.config.home.zone)
        self.claims = claims

    def members(self) -> tuple[Member, ...]:
        """Return all members, ascending by slug."""
        return self._household.members

    def closed(self) -> list[Statement]:
        """Return what is closed, oldest period first."""
        return self._ledger.list()

    def next_period(self) -> Period:
        """Return the period to be closed next: from the first day that is not closed until the billing month ends.

        Before anything is closed it is the billing month of today.
        """
        zone, billing_day = self._household.config.home.zone, self._bills.terms.billing_day
        start = self._ledger.last_end()
        if start is None:
            return billing_month_of(local_date(zone, self._clock.now_ms()), billing_day)
        return Period(start, billing_month_of(start, billing_day).end)

    def statement(self, start: date, end: date) -> Statement:
        """Return what is asked of each member for the days from `start` until before `end`.

        What is closed comes as it was closed. The period that follows it holds the adjustments of all that is closed.
        Raises LedgerError when there are no members, BillError when there is no tariff, StoreError.
        """
        closed = self.closed()
        for each in closed:
            if (each.split.start, each.split.end) == (start, end):
                return each
        return self._open(start, end, closed)

    def close(self, start: date, end: date) -> Statement:
        """Write the split of a period down for good.

        Raises LedgerError when it is not over, is closed already, or does not begin where the last closed one ended.
        """
        asked, zone = f"{start} until before {end}", self._household.config.home.zone
        closed = self.closed()
        following = closed[-1].split.end if closed else start
        if any((each.split.start, each.split.end) == (start, end) for each in closed):
            message = f"{asked} is closed already"
            raise LedgerError(message)
        if start < following:
            message = f"{asked} cannot be closed: everything until before {following} is closed already"
            raise LedgerError(message)
        if start > following:
            message = f"{asked} cannot be closed before {following} until before {start} is: no day may be left out"
            raise LedgerError(message)
        if self._clock.now_ms() < day_start(zone, end):
            message = f"{asked} cannot be closed yet: it is not over"
            raise LedgerError(message)
        statement = self._open(start, end, closed)
        for each in (statement.split, *statement.restated):
            if missing := missing_of(self._bills.bill(Period(each.start, each.end))):
                message = f"{asked} cannot be closed yet: of {each.start} until before {each.end}: {missing}"
                raise LedgerError(message)
        statement = msgspec.structs.replace(statement, closed_ms=self._clock.now_ms())
        self._ledger.close(statement)
        return statement

    def _open(self, start: date, end: date, closed: Sequence[Statement]) -> Statement:
        if start >= end:
            message = f"a period must begin before it ends: {start} until before {end}"
            raise LedgerError(message)
        members = self._household.members
        if not members:
            message = "there are no members to split a bill among; write a section [member.<name>] for each"
            raise LedgerError(message)
        now = self._split(start, end, None)
        if not closed or closed[-1].split.end != start:
            return Statement(now)
        found: list[Adjustment] = []
        restated: list[Split] = []
        for number, each in enumerate(closed):
            then = self._split(each.split.start, each.split.end, rules_for(each.split, now.rules))
            if those := adjustments(last_told(each.split, closed[number + 1 :]), then):
                found += those
                restated.append(then)
        return Statement(now, tuple(found), tuple(restated))

    def _split(self, start: date, end: date, rules: SplitRules | None) -> Split:
        """Return the split of a period by `rules`, or by those of the config."""
        period = Period(start, end)
        home = self._household.config.home
        grid = Grid.of(start, end, home.zone)
        billed = self._bills.billed()
        market, quarters = self._bills.market(period), self._bills.quarters(period)
        bill = self._bills.bill_by(period, market, quarters)
        if rules is None:
            rules = self._household.rules(self._registry.meters(), billed.slug)
        prices = unit_prices(market, grid.starts_ms())
        used = drawn(quarters.between(grid.start_ms, grid.end_ms))
        measured = self._measuring.measurements(grid, rules, billed.name, used)
        charges = charges_by_day(bill, prices.cost(used), grid.days)
        divided = split(used_of(grid, measured, rules, prices, charges, bill.amount), rules, home.currency, bill.digits)
        missing = missing_of(bill)
        return msgspec.structs.replace(divided, notes=(*divided.notes, missing)) if missing else divided


def splits_of(config: Config, store: Store, registry: Registry, bills: Bills, runs: RunList, clock: Clock) -> Splits:
    """Return what answers for a home that is open; its runs are what `runs` says."""
    household = Household(config)
    claims = Claims(store.book.claims, registry, runs, household, clock)
    return Splits(store, registry, household, bills, claims, clock)


def missing_of(bill: Bill) -> str | None:
    """Return what a bill lacks, as a sentence; None when it is complete."""
    if bill.untariffed_days:
        return f"No tariff holds on {count(bill.untariffed_days, 'day')}, for which there is no charge."
    if bill.unpriced_mwh:
        return f"{kwh(bill.unpriced_mwh)} had no price and are not in the bill."
    return None
