"""What all forms of prices have in common: spans, numbers, and what to know beside the file."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from casawatt.model.errors import CasawattError
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.price import RATE_DIGITS_MAX, RATE_MAX_PER_KWH, Price, PriceUnit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LAST_MS = (datetime(2200, 1, 1, tzinfo=UTC) - EPOCH) // MILLISECOND
DAY_MS = 86_400_000
_NUMBER = re.compile(r"[+-]?(\d{1,12}(\.\d{0,18})?|\.\d{1,18})")

Fail = Callable[[str, str], CasawattError]
"""Makes the error for a field and a reason; the place in the file is known to it."""


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known beside the file.

    `currency` is the home's, which a file that names one must name too. `zone` is whose wall clock a table's times
    without an offset show; `unit` what a table's numbers count, None: its heading says so. `sequence`: which of several
    auctions of a day, as the transparency platform numbers them.
    """

    currency: str
    zone: ZoneInfo
    unit: PriceUnit | None = None
    sequence: int = 1


def decimal_of(text: str, fail: Fail, field: str) -> Decimal:
    """Return the number in `text`, as it is written; raises what `fail` makes for anything else."""
    if not _NUMBER.fullmatch(text):
        raise fail(field, f"{text[:40]!r} is not a number")
    return Decimal(text)


def price_of(start_ms: int, end_ms: int, number: Decimal, unit: PriceUnit, fail: Fail) -> Price:
    """Return a price for a span; raises what `fail` makes when it cannot be one."""
    if start_ms % INTERVAL_MS or end_ms % INTERVAL_MS:
        raise fail("start", "does not begin and end with a clock quarter-hour")
    if not 0 <= start_ms < end_ms <= LAST_MS or end_ms - start_ms > DAY_MS:
        raise fail("end", "must be after the start, by a day at most, in the years 1970 to 2199")
    rate_per_kwh = unit.rate_per_kwh(number).normalize()
    exponent = rate_per_kwh.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > RATE_DIGITS_MAX:
        raise fail("price", f"has more than {RATE_DIGITS_MAX} digits after the point of a price per kWh")
    if abs(rate_per_kwh) > RATE_MAX_PER_KWH:
        raise fail("price", f"{rate_per_kwh:f} per kWh cannot be right; look at the unit")
    # Written out, so that equal prices are written the same.
    return Price(start_ms, end_ms, Decimal(f"{rate_per_kwh:f}"))


def in_order(prices: Iterable[tuple[Price, Fail]]) -> list[Price]:
    """Return the prices in ascending time, those that come twice once.

    Raises what a price's own `fail` makes when it overlaps another that differs.
    """
    ordered = sorted(prices, key=lambda each: (each[0].start_ms, each[0].end_ms))
    found: list[Price] = []
    for price, fail in ordered:
        if found and price == found[-1]:
            continue
        if found and price.start_ms < found[-1].end_ms:
            raise fail("start", f"two prices for {stamp(price.start_ms)}")
        found.append(price)
    return found


def stamp(time_ms: int) -> str:
    """Return UTC ms as `2026-01-31T13:00Z`."""
    return (EPOCH + time_ms * MILLISECOND).strftime("%Y-%m-%dT%H:%MZ")
