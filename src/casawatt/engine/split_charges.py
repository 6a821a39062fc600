"""Takes a bill apart for the split: what its energy cost by the quarter-hour, and its other charges day by day."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from casawatt.model.bill import BY_QUARTER, Bill, Charge, Line

UNPRICED = "Charges on energy without a price"
"""What is due on energy whose own price is not known."""


def charges_by_day(bill: Bill, energy_cost: Fraction, days: Sequence[date]) -> dict[str, list[Fraction]]:
    """Return what a bill charges beside its energy, with VAT, by name, for each of its days.

    A charge falls on all days of its tariff alike. `energy_cost` is what the billed energy costs at the prices of its
    quarter-hours; together with that the charges are exactly the bill.
    """
    charges: dict[str, list[Fraction]] = {}
    left = bill.amount - energy_cost
    for line in bill.lines:
        if line.charge in BY_QUARTER or line.charge is Charge.VAT:
            continue
        left -= line.gross
        _add(charges, _name(line), line.gross, [line.start <= day < line.end for day in days])
    if left:
        _add(charges, UNPRICED, left, [True] * len(days))
    return charges


def _add(charges: dict[str, list[Fraction]], name: str, amount: Fraction, held: Sequence[bool]) -> None:
    by_day = charges.setdefault(name, [Fraction(0)] * len(held))
    for place, is_held in enumerate(held):
        if is_held:
            by_day[place] += amount / sum(held)


def _name(line: Line) -> str:
    return f"{line.label[:1].upper()}{line.label[1:]}{' with VAT' if line.vat_percent else ''}"
