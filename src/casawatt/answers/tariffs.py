"""Tariffs on record. A new price never changes what is past; one that would is taken only when somebody says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

import msgspec

from casawatt.answers.bills import Bills
from casawatt.engine.localtime import local_date
from casawatt.engine.periods import Period, billing_month_of
from casawatt.model.errors import UnknownDecisionError
from casawatt.model.ports import Clock
from casawatt.model.tariff import UNRECORDED, DatedTariff, StoredTariff, Tariff
from casawatt.store.store import Store
from casawatt.store.tariffs import dated


@dataclass(frozen=True, slots=True)
class Waiting:
    """A tariff of the config that would change what time past cost, so that it is not taken by itself.

    `changes_from`: the first local day past that would cost something else; `instead_of`: the name of the tariff on
    record that begins on the same day, None when none does.
    """

    tariff: Tariff
    changes_from: date
    instead_of: str | None


@dataclass(frozen=True, slots=True)
class MonthChange:
    """What a billing month cost and what it would cost, exactly; `units` are the same in smallest units."""

    period: Period
    before: Fraction
    after: Fraction
    before_units: int
    after_units: int


@dataclass(frozen=True, slots=True)
class Correction:
    """What would be taken on record, and the months that would cost something else; `applied`: it was done."""

    waiting: tuple[Waiting, ...]
    months: tuple[MonthChange, ...]
    digits: int
    applied: bool


class Tariffs:
    """The tariffs of a home: those on record, and those that the config has beside them."""

    def __init__(self, store: Store, bills: Bills, configured: Callable[[], Sequence[Tariff]], clock: Clock) -> None:
        """`configured` returns the tariffs of the config as it is now, ascending; it may raise ConfigError."""
        self._rows = store.book.tariffs
        self._zone = store.zone
        self._bills = bills
        self._configured = configured
        self._clock = clock

    def on_record(self) -> list[StoredTariff]:
        """Return every tariff that ever was taken on record, oldest record first."""
        return self._rows.all()

    def standing(self) -> list[DatedTariff]:
        """Return those that hold, ascending by the day they begin on."""
        return self._rows.standing()

    def take_in(self, *, write: bool) -> list[Tariff]:
        """Take the config's tariffs on record as far as that changes nothing past, and return those.

        Without `write` they are only supposed to be on record, so that who may not write reckons like who will.
        """
        _, taken, gone = self._sort()
        if taken:
            (self._rows.replace if write else self._rows.suppose)(gone, taken, self._clock.now_ms())
        return taken

    def waiting(self) -> list[Waiting]:
        """Return the tariffs of the config that wait for somebody to say that time past shall cost something else."""
        return self._sort()[0]

    def correct(self, *, apply: bool) -> Correction:
        """Return what the tariffs that wait would change, month by month; with `apply` take them on record.

        Raises ConfigError, StoreError.
        """
        waiting, taken, gone = self._sort()
        new = [*taken, *(each.tariff for each in waiting)]
        begins = {each.tariff.from_ for each in waiting}
        gone += [each.tariff_id for each in self.standing() if each.tariff.from_ in begins]
        months = self._changes(waiting, new, gone)
        if apply and waiting:
            self._rows.replace(gone, new, self._clock.now_ms())
        return Correction(tuple(waiting), tuple(months), self._bills.digits, apply and bool(waiting))

    def undo(self, tariff_id: int) -> Correction:
        """Take a tariff back: what stood in its place, if anything, holds again, and so does the one before it.

        Raises UnknownDecisionError when there is none of that number that stands.
        """
        found = next((each for each in self.standing() if each.tariff_id == tariff_id), None)
        if found is None:
            message = f"there is no tariff {tariff_id} that stands"
            raise UnknownDecisionError(message)
        before = [
            each.tariff
            for each in self.on_record()
            if each.tariff.from_ == found.tariff.from_ and each.tariff_id < tariff_id
        ]
        again = before[-1:]
        change = Waiting(found.tariff, found.tariff.from_, found.tariff.name)
        months = self._changes([change], again, [tariff_id])
        self._rows.replace([tariff_id], again, self._clock.now_ms())
        return Correction((change,), tuple(months), self._bills.digits, applied=True)

    def _sort(self) -> tuple[list[Waiting], list[Tariff], list[int]]:
        """Return the config's tariffs that wait, those that can be taken, and the numbers of those they replace."""
        today = self._today()
        standing = self.standing()
        by_day = {each.tariff.from_: each for each in standing}
        waiting: list[Waiting] = []
        taken: list[Tariff] = []
        gone: list[int] = []
        for tariff in self._configured():
            there = by_day.get(tariff.from_)
            if there is not None and there.tariff == tariff:
                continue
            changes_from = _priced_from(standing, tariff.from_)
            renamed = there is not None and msgspec.structs.replace(there.tariff, name=tariff.name) == tariff
            if changes_from is None or changes_from >= today or renamed:
                taken.append(tariff)
                gone += [there.tariff_id] if there else []
            else:
                waiting.append(Waiting(tariff, changes_from, there.tariff.name if there else None))
        return waiting, taken, gone

    def _today(self) -> date:
        return local_date(self._zone, self._clock.now_ms())

    def _changes(self, waiting: Sequence[Waiting], new: Sequence[Tariff], gone: Sequence[int]) -> list[MonthChange]:
        """Return the months since the first change whose bills would be different."""
        if not waiting:
            return []
        first, today = min(each.changes_from for each in waiting), self._today()
        kept = [each for each in self.on_record() if each.retracted_ms is None and each.tariff_id not in gone]
        after = dated([*kept, *(StoredTariff(UNRECORDED, tariff, 0) for tariff in new)])
        changes = []
        day = first
        while day <= today:
            period = billing_month_of(day, self._bills.terms.billing_day)
            day = period.end
            until_now = Period(period.start, min(period.end, today + timedelta(days=1)))
            changes += self._change(until_now, after)
        return changes

    def _change(self, period: Period, after: Sequence[DatedTariff]) -> list[MonthChange]:
        market, quarters = self._bills.market(period), self._bills.quarters(period)
        new_market = replace(market, tariffs=after)
        old, new = (self._bills.bill_or_none(period, each, quarters) for each in (market, new_market))
        old_amount, new_amount = (each.amount if each else Fraction(0) for each in (old, new))
        if old_amount == new_amount:
            return []
        units = (each.units if each else 0 for each in (old, new))
        return [MonthChange(period, old_amount, new_amount, *units)]


def _priced_from(standing: Sequence[DatedTariff], start: date) -> date | None:
    """Return the first day from `start` on, until the next tariff on record begins, that has a tariff already.

    None when none has: then nothing that was reckoned changes.
    """
    holding = next((each for each in standing if each.tariff.from_ <= start and (each.until or date.max) > start), None)
    return start if holding is not None else None
