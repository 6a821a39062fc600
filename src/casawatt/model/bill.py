"""What a period cost, line by line."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import msgspec


class Charge(StrEnum):
    """What a line of a bill is for."""

    ENERGY = "energy"
    """Energy, at the rate of a band or at the prices of its quarter-hours."""
    LEVIES = "levies"
    """Other charges on each kWh."""
    EXCISE = "excise"
    ALLOWANCE = "allowance"
    """What is free of excise: taken off."""
    FIXED = "fixed"
    """A charge by the day or month, whatever is used."""
    POWER = "power"
    """A charge on the contracted power."""
    CAPACITY = "capacity"
    """A charge on the highest quarter-hours of the last months."""
    VAT = "vat"


BY_QUARTER = frozenset({Charge.ENERGY, Charge.LEVIES, Charge.EXCISE})
"""The charges that depend on how much is used when: together, with VAT, `engine.pricing` gives them too."""


class Line(msgspec.Struct, frozen=True):
    """A charge, from the local day `start` until before `end`, by one tariff.

    `amount` is exact, in the currency, without VAT but for the lines of VAT itself; `units` is what is shown of it, in
    smallest units of the currency, so that all lines add up to the bill's. `quantity` is how many of `unit` it is for.
    `why` is its arithmetic in words. `vat_percent` is due on it, in a line of its own.
    """

    charge: Charge
    label: str
    tariff: str
    start: date
    end: date
    amount: Fraction
    why: str
    quantity: Fraction
    unit: str
    vat_percent: Decimal = Decimal(0)
    units: int = 0

    @property
    def gross(self) -> Fraction:
        """The amount with the VAT that is due on it."""
        return self.amount * (1 + Fraction(self.vat_percent) / 100)


class Bill(msgspec.Struct, frozen=True):
    """What the consumption from the local day `start` until before `end` cost.

    `amount` is exact; `units` is it rounded half up to the currency's smallest unit, `digits` places after the point.
    `measured_ms` of `length_ms` were measured: energy of the rest is not in it. `unpriced_mwh` had no price and
    `untariffed_days` no tariff, so that the bill is not complete; `returned_mwh` flowed back into the grid, unpaid.
    `unplaced_mwh` was counted by registers over time in which nothing else was heard, and is shared out evenly over it.
    `notes` says all this in sentences.
    """

    start: date
    end: date
    currency: str
    digits: int
    lines: tuple[Line, ...]
    amount: Fraction
    units: int
    energy_mwh: int
    measured_ms: int
    length_ms: int
    unpriced_mwh: int = 0
    untariffed_days: int = 0
    returned_mwh: int = 0
    unplaced_mwh: int = 0
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all energy had its price and every day its tariff."""
        return not self.unpriced_mwh and not self.untariffed_days

    def amount_of(self, charges: Sequence[Charge] | frozenset[Charge]) -> Fraction:
        """Return what some kinds of charges come to, with their VAT."""
        return sum((line.gross for line in self.lines if line.charge in charges), Fraction(0))
