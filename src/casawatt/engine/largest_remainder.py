"""Rounds amounts so that they add up."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor


def half_up(amount: Fraction) -> int:
    """Return the whole number nearest to an amount; of two that are equally near the higher."""
    return floor(amount + Fraction(1, 2))


def apportion(amounts: Sequence[Fraction], total: int) -> list[int]:
    """Return whole numbers that add up to `total`, each an amount rounded down or up.

    All are rounded down, and what is missing goes, one each, to those who lost most by it; of two who lost the same
    the earlier one comes first (the method of the largest remainder, after Hamilton). Raises ValueError when `total`
    cannot be reached so, which the sum of the amounts rounded either way always can.
    """
    parts = [floor(amount) for amount in amounts]
    missing = total - sum(parts)
    lost = sorted((parts[place] - amounts[place], place) for place in range(len(parts)))
    takers = [place for loss, place in lost if loss < 0]
    if not 0 <= missing <= len(takers):
        message = f"{total} is no sum of {len(parts)} amounts that are {float(sum(amounts))} together"
        raise ValueError(message)
    for place in takers[:missing]:
        parts[place] += 1
    return parts
