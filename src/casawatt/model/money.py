"""Amounts of money: exact fractions of a currency while reckoning, whole smallest units when shown.

Rounding is `engine.largest_remainder`'s business: a bill is rounded once, in its total.
"""

from decimal import Decimal
from fractions import Fraction

WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
DIGITS = dict.fromkeys(WHOLE.split(), 0) | dict.fromkeys(THOUSANDTHS.split(), 3)
"""How many decimal places a currency has that does not have two (ISO 4217)."""

EXACT_DIGITS = 6
"""So many decimal places at most are shown of an amount before it is rounded."""


def digits_of(currency: str) -> int:
    """Return how many decimal places the currency has, 2 for euro."""
    return DIGITS.get(currency, 2)


def as_money(units: int, digits: int) -> Decimal:
    """Return whole smallest units as an amount, with all its decimal places: 1230 cents are 12.30."""
    return Decimal(units).scaleb(-digits)


def plain(number: Fraction | Decimal, least_digits: int = 0, most_digits: int = EXACT_DIGITS) -> str:
    """Return a number in decimal notation with as few places as say it, but at least and at most so many.

    Half goes up where places are cut.
    """
    scale = 10**most_digits
    whole = (2 * Fraction(number) * scale + 1) // 2
    sign, size = ("-", -whole) if whole < 0 else ("", whole)
    digits = f"{size:0{most_digits + 1}d}"
    before, after = digits[: len(digits) - most_digits], digits[len(digits) - most_digits :]
    after = after[:least_digits] + after[least_digits:].rstrip("0")
    return f"{sign}{before}.{after}" if after else f"{sign}{before}"


def money_of_part(amount: Fraction) -> str:
    """Return an amount that is part of a bill, as a run's cost is: to a hundredth of a cent, at least with cents."""
    return plain(amount, 2, 4)
