"""Reads prices in tests, and says what of them is compared."""

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.files.price_values import Manner, stamp
from casawatt.files.prices import read_prices
from casawatt.model.price import Price, PriceFormat

CAPTURES = Path(__file__).parents[1] / "captures" / "prices"
ROME = Manner(currency="EUR", zone=ZoneInfo("Europe/Rome"))


def captured(name: str) -> bytes:
    return (CAPTURES / name).read_bytes()


def read(data: str | bytes, form: PriceFormat, manner: Manner = ROME) -> list[Price]:
    return read_prices(data.encode() if isinstance(data, str) else data, form, "prices.txt", manner)


def shown(prices: list[Price]) -> list[tuple[str, int, Decimal]]:
    """Return when each price begins, how many minutes it holds, and the price."""
    return [(stamp(each.start_ms), (each.end_ms - each.start_ms) // 60_000, each.rate_per_kwh) for each in prices]
