"""Prices of a home by the quarter-hour: what is kept of them, and what is to count."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from casawatt.answers.bills import Bills
from casawatt.answers.tariffs import MonthChange
from casawatt.engine.localtime import day_start, local_date
from casawatt.engine.periods import Period, billing_month_of
from casawatt.engine.price_columns import price_columns
from casawatt.model.errors import PriceError, UnknownSeriesError
from casawatt.model.event import Event
from casawatt.model.event_data import PriceDiffers
from casawatt.model.event_types import event_of
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import SLUG
from casawatt.model.ports import Clock
from casawatt.model.price import Price, PriceChange, QuarterRates, Recorded, SeriesSummary
from casawatt.store.store import Store

NAME_LENGTH_MAX = 64


def is_series_name(name: str) -> bool:
    """Return whether a series of prices can be called so: words of a-z and 0-9 joined by hyphens."""
    return len(name) <= NAME_LENGTH_MAX and SLUG.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class PriceCorrection:
    """Prices that would count in the place of others, and the billing months that would cost something else.

    `applied`: it was done.
    """

    changes: tuple[PriceChange, ...]
    months: tuple[MonthChange, ...]
    digits: int
    applied: bool


class Prices:
    """The series of prices: those of the config, and those that were imported."""

    def __init__(
        self,
        store: Store,
        bills: Bills,
        configured: Collection[str],
        clock: Clock,
        on_event: Callable[[Event], object],
    ) -> None:
        """`on_event` hears of each batch of prices that differ from those that were told before."""
        self._rows = store.book.prices
        self._zone = store.zone
        self._bills = bills
        self._configured = configured
        self._clock = clock
        self._on_event = on_event

    def series(self) -> list[SeriesSummary]:
        """Return what is kept of each series, by name; of one of the config that has no prices yet too."""
        kept = {each.name: each for each in self._rows.series()}
        empty = {name: SeriesSummary(name, None, None, 0, 0) for name in self._configured}
        return [each for _, each in sorted((empty | kept).items())]

    def rates(self, name: str, start_ms: int, end_ms: int) -> QuarterRates:
        """Return the price per kWh of each quarter-hour that touches a span and has one, in ascending time.

        Raises UnknownSeriesError, StoreError.
        """
        self._check(name)
        return self._rows.rates(name, start_ms - start_ms % INTERVAL_MS, end_ms)

    def waiting(self, name: str, start_ms: int, end_ms: int) -> list[PriceChange]:
        """Return the prices of a span that differ from those that count. Raises UnknownSeriesError, StoreError."""
        self._check(name)
        return self._rows.waiting(name, start_ms - start_ms % INTERVAL_MS, end_ms)

    def record(self, name: str, prices: Sequence[Price]) -> Recorded:
        """Take in prices that were told now. Raises PriceError when the series cannot be called so, StoreError.

        Of time that has begun the first price that was told stays; another one waits for `correct`. Of time to come the
        newest counts.
        """
        if not is_series_name(name):
            message = f"a series of prices cannot be called {name!r}: use words of a-z and 0-9 joined by hyphens"
            raise PriceError(message)
        recorded = self._rows.record(name, prices, self._clock.now_ms())
        if recorded.noticed:
            self._on_event(differs(name, recorded.noticed, self._clock.now_ms()))
        return recorded

    def correct(self, name: str, start_ms: int, end_ms: int, *, apply: bool) -> PriceCorrection:
        """Return what it would change if the prices of a span that wait counted; with `apply` let them count.

        Raises UnknownSeriesError, StoreError.
        """
        changes = self.waiting(name, start_ms, end_ms)
        months = self._months(name, changes)
        if apply and changes:
            self._rows.apply(name, start_ms - start_ms % INTERVAL_MS, end_ms, self._clock.now_ms())
        return PriceCorrection(tuple(changes), tuple(months), self._bills.digits, apply and bool(changes))

    def _months(self, name: str, changes: Sequence[PriceChange]) -> list[MonthChange]:
        """Return the billing months whose bills would be different with new prices in the place of old ones."""
        found = []
        last = local_date(self._zone, self._clock.now_ms()) + timedelta(days=1)
        for period in sorted({self._month_of(each.start_ms) for each in changes}):
            until_now = Period(period.start, min(period.end, last))
            market = self._bills.market(until_now)
            if name not in market.prices or not self._bills.consumption.meters():
                continue
            quarters = self._bills.quarters(until_now)
            span_ms = day_start(self._zone, until_now.start), day_start(self._zone, until_now.end)
            rates = self._rates_after(name, changes, *span_ms)
            after = replace(market, prices={**market.prices, name: price_columns(rates)})
            old, new = (self._bills.bill_or_none(until_now, each, quarters) for each in (market, after))
            if old and new and old.amount != new.amount:
                found.append(MonthChange(until_now, old.amount, new.amount, old.units, new.units))
        return found

    def _month_of(self, time_ms: int) -> Period:
        return billing_month_of(local_date(self._zone, time_ms), self._bills.terms.billing_day)

    def _rates_after(self, name: str, changes: Sequence[PriceChange], start_ms: int, end_ms: int) -> QuarterRates:
        new = {
            time_ms: each.new_per_kwh
            for each in changes
            for time_ms in range(each.start_ms, each.end_ms, INTERVAL_MS)
            if start_ms <= time_ms < end_ms
        }
        return {time_ms: new.get(time_ms, rate) for time_ms, rate in self._rows.rates(name, start_ms, end_ms).items()}

    def _check(self, name: str) -> None:
        names = [each.name for each in self.series()]
        if name not in names:
            message = f"there are no prices called {name!r}; there are: {', '.join(names) or 'none'}"
            raise UnknownSeriesError(message)


def differs(name: str, changes: Sequence[PriceChange], now_ms: int) -> Event:
    """Return the event that a source told other prices of time that has passed than it had told before."""
    first = changes[0]
    data = PriceDiffers(
        start_ms=first.start_ms,
        end_ms=changes[-1].end_ms,
        quarters=sum((each.end_ms - each.start_ms) // INTERVAL_MS for each in changes),
        old_per_kwh=f"{first.old_per_kwh:f}",
        new_per_kwh=f"{first.new_per_kwh:f}",
    )
    return event_of(data, now_ms, name, f"{first.start_ms}/{first.new_per_kwh:f}")
