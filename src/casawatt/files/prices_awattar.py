"""Prices as aWATTar publishes them: JSON, each hour with its beginning, its end and a price per MWh."""

from decimal import Decimal

import msgspec

from casawatt.files.price_values import Manner, decimal_of, in_order, price_of
from casawatt.model.errors import ImportFileError
from casawatt.model.price import Price, PriceUnit

_PRICES_MAX = 50_000
_UNITS = {"mwh": PriceUnit.PER_MWH, "kwh": PriceUnit.PER_KWH}


class _Entry(msgspec.Struct):
    start_timestamp: int
    end_timestamp: int
    marketprice: Decimal
    unit: str


class _Answer(msgspec.Struct):
    data: list[_Entry]


def parse_awattar(data: bytes, name: str, manner: Manner) -> list[Price]:
    """Return the prices in an answer of aWATTar's, in ascending time. Raises ImportFileError."""
    try:
        answer = msgspec.json.decode(data, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ImportFileError(f"{name}: no prices as aWATTar publishes them: {error}") from None
    if len(answer.data) > _PRICES_MAX:
        raise ImportFileError(f"{name}: more than {_PRICES_MAX} prices at once")
    return in_order(_price(entry, place, name, manner) for place, entry in enumerate(answer.data))


def _price(entry: _Entry, place: int, name: str, manner: Manner) -> tuple[Price, "_At"]:
    fail = _At(name, place)
    currency, _, energy = entry.unit.partition("/")
    unit = _UNITS.get(energy.strip().lower())
    if unit is None:
        raise fail("unit", f"{entry.unit[:40]!r} is not a price per MWh or kWh")
    if currency.strip().upper() != manner.currency:
        raise fail("unit", f"is in {currency.strip()[:10]}, and the home's currency is {manner.currency}")
    if not -18 <= entry.marketprice.adjusted() <= 12:
        raise fail("marketprice", "cannot be right")
    number = decimal_of(f"{entry.marketprice:f}", fail, "marketprice")
    return price_of(entry.start_timestamp, entry.end_timestamp, number, unit, fail), fail


class _At:
    """Makes errors that name an entry of the list, and its field as aWATTar calls it."""

    def __init__(self, name: str, place: int) -> None:
        self._where = f"{name}: data[{place}]"

    def __call__(self, field: str, why: str) -> ImportFileError:
        called = {"start": "start_timestamp", "end": "end_timestamp", "price": "marketprice"}.get(field, field)
        return ImportFileError(f"{self._where}.{called}: {why}")
