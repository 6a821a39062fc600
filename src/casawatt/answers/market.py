"""What says what a kWh costs and when: tariffs on record, holidays, prices."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from casawatt.answers.holidays import holidays_between
from casawatt.engine.localtime import local_date
from casawatt.engine.price_columns import price_columns
from casawatt.engine.pricing import Market
from casawatt.model.prices import PriceSeries
from casawatt.store.store import Store


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose holidays count, None for none; which days do beside them, and which of them do not."""

    country: str | None = None
    extra: Collection[date] = ()
    without: Collection[date] = ()

    def holidays(self, first: date, last: date) -> frozenset[date]:
        """Return the holidays from one day to another, both among them."""
        return holidays_between(self.country, first, last, extra=self.extra, without=self.without)


class Markets:
    """Puts them together for a span of time."""

    def __init__(self, store: Store, zone: ZoneInfo, calendar: Calendar) -> None:
        self._tariffs = store.book.tariffs
        self._prices = store.book.prices
        self._calendar = calendar
        self.zone = zone

    def market(self, start_ms: int, end_ms: int) -> Market:
        """Return the tariffs that are on record, and the holidays and prices of a span. Raises StoreError."""
        tariffs = self._tariffs.standing()
        names = {each.tariff.prices for each in tariffs}
        return Market(self.zone, tariffs, self.holidays(start_ms, end_ms), self.prices(names, start_ms, end_ms))

    def holidays(self, start_ms: int, end_ms: int) -> frozenset[date]:
        """Return the holidays of a span, and of the day before it, whose bands may reach into it."""
        first, last = (local_date(self.zone, each) for each in (start_ms, end_ms))
        return self._calendar.holidays(first - timedelta(days=1), last)

    def prices(self, names: Collection[str | None], start_ms: int, end_ms: int) -> dict[str, PriceSeries]:
        """Return the prices of a span, by the names of their series; empty columns where there are none."""
        return {name: price_columns(self._prices.rates(name, start_ms, end_ms)) for name in names if name is not None}
