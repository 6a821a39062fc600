"""What a kilowatt-hour costs during a span of time, as a source of prices says it."""

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

RATE_MAX_PER_KWH = Decimal(100_000)
"""More, in either direction, no currency's kilowatt-hour costs: it is a mistake."""

RATE_DIGITS_MAX = 12
"""So many digits after the point are kept of a price per kWh; one with more is refused, not rounded."""


class PriceFormat(StrEnum):
    """How prices are written."""

    CSV = "csv"
    """A table with a heading: when each price begins, and the price."""
    AWATTAR = "awattar"
    """JSON as aWATTar publishes it."""
    ENTSOE = "entsoe"
    """XML as the transparency platform of the European grid operators publishes it."""


class PriceUnit(StrEnum):
    """What a number in a table of prices counts; `ct` is a hundredth of the home's currency."""

    PER_KWH = "per_kwh"
    PER_MWH = "per_mwh"
    CT_PER_KWH = "ct_per_kwh"

    def rate_per_kwh(self, number: Decimal) -> Decimal:
        """Return the number as a price per kWh, exactly."""
        exponent = {PriceUnit.PER_KWH: 0, PriceUnit.PER_MWH: -3, PriceUnit.CT_PER_KWH: -2}[self]
        return number.scaleb(exponent)


class Price(msgspec.Struct, frozen=True):
    """A price per kWh, in the home's currency, that holds for `start_ms <= t < end_ms`: whole clock quarter-hours."""

    start_ms: int
    end_ms: int
    rate_per_kwh: Decimal


class PriceChange(msgspec.Struct, frozen=True):
    """Another price than the one that is kept: `new_per_kwh` was told for `start_ms <= t < end_ms` later."""

    start_ms: int
    end_ms: int
    old_per_kwh: Decimal
    new_per_kwh: Decimal


class Recorded(msgspec.Struct, frozen=True):
    """What became of prices that were handed in, in quarter-hours.

    `added`: there was none; `same`: the same was known; `replaced`: another one was known, and the time is yet to
    come. `differing`: those for time that has passed, which another price is kept for: they wait to be applied.
    `noticed`: those of them that were not waiting before.
    """

    added: int = 0
    same: int = 0
    replaced: int = 0
    differing: list[PriceChange] = []
    noticed: list[PriceChange] = []


class SeriesSummary(msgspec.Struct, frozen=True):
    """A series of prices that is kept: from when to when, how many quarter-hours of it, and how many wait."""

    name: str
    start_ms: int | None
    end_ms: int | None
    quarters: int
    differing: int


QuarterRates: TypeAlias = dict[int, Decimal]
"""The price per kWh of each clock quarter-hour, by its beginning (UTC ms)."""
