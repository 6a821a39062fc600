"""The sentences that say why a member pays what they pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from casawatt.model.money import plain

SHOWN_DIGITS = 4
"""Exact amounts are written to so many decimals in sentences."""


@dataclass(frozen=True, slots=True)
class Part:
    """On `days` days a member has `weight` of `whole` of the `amount` of those days."""

    weight: Fraction
    whole: Fraction
    amount: Fraction
    days: int


@dataclass(frozen=True, slots=True)
class Words:
    """What sentences need beside figures: the currency's code, and how many days there are."""

    currency: str
    days: int

    def money(self, amount: Fraction) -> str:
        """Return an exact amount for a sentence: `3.0850 EUR`."""
        return f"{plain(amount, SHOWN_DIGITS, SHOWN_DIGITS)} {self.currency}"

    def parts(self, parts: Sequence[Part], unit: str) -> str:
        """Return what a member has of something: `1 of 3 persons of 4.4000 EUR on 12 days`, and so on.

        `unit`: what weights count.
        """
        return " and ".join(self._part(each, unit) for each in parts)

    def _part(self, part: Part, unit: str) -> str:
        when = "" if part.days == self.days else f" on {count(part.days, 'day')}"
        if part.weight == part.whole:
            return f"all of {self.money(part.amount)}{when}"
        return f"{plain(part.weight)} of {plain(part.whole)} {unit} of {self.money(part.amount)}{when}"


def kwh(energy_mwh: Fraction | int) -> str:
    """Return an energy for a sentence: `12.340 kWh`."""
    return f"{plain(Fraction(energy_mwh) / 1_000_000, 3, 3)} kWh"


def decimal_hours(span_ms: int) -> str:
    """Return a length of time for a sentence, to a tenth of an hour and never as none: `3.5 hours`."""
    return f"{plain(max(Fraction(span_ms, 3_600_000), Fraction(1, 10)), 1, 1)} hours"


def count(number: int, noun: str) -> str:
    """Return `1 day`, `2 days`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
