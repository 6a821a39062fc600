"""What a period would have cost if something had been otherwise."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from casawatt.model.bill import Bill
from casawatt.model.tariff import Tariff


class Kind(StrEnum):
    """What is otherwise."""

    TARIFF = "tariff"
    """The same consumption by another tariff."""
    POWER = "power"
    """Another contracted power."""
    RUNS = "runs"
    """Runs at other hours."""


@dataclass(frozen=True, slots=True)
class Move:
    """Runs of a meter at other hours: by `shift_ms`, or each where it costs least within `within_ms`; one of them.

    Meant are the runs that begin in `start_ms <= t < end_ms`. With `is_run` the span itself is a run, known or not.
    """

    meter: str
    start_ms: int
    end_ms: int
    shift_ms: int | None = None
    within_ms: int | None = None
    is_run: bool = False


@dataclass(frozen=True, slots=True)
class MovedRun:
    """A run (UTC ms) that would have been `shift_ms` later, and what its energy cost and would have cost, exactly."""

    start_ms: int
    end_ms: int
    shift_ms: int
    energy_mwh: int
    before: Fraction
    after: Fraction


@dataclass(frozen=True, slots=True)
class Question:
    """What may be otherwise. Each alternative is one tariff, or several of one name that hold one after the other."""

    alternatives: tuple[tuple[Tariff, ...], ...] = ()
    contracted_w: tuple[int, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """What it would have come to. `difference` is exact: this bill less the real one, so a saving is negative.

    `reason` says in a sentence why. `moved` are the runs that were moved; `peak_mw`, `quarters_above` and `trips`: the
    highest power, in how many quarter-hours power was above what is contracted, and how often the limiter would have
    acted; None where that is not asked or not known.
    """

    kind: Kind
    name: str
    bill: Bill
    difference: Fraction
    reason: str
    moved: tuple[MovedRun, ...] = ()
    peak_mw: int | None = None
    quarters_above: int | None = None
    trips: int | None = None


@dataclass(frozen=True, slots=True)
class WhatIfs:
    """The bill as it is, and the scenarios, the one that saves most first; those that lack a price last."""

    bill: Bill
    scenarios: tuple[Scenario, ...]

    def lacks(self, other: Bill) -> bool:
        """Return whether a bill lacks a price or a tariff that the real one has: the two cannot be compared."""
        return lacks(self.bill, other)


def lacks(bill: Bill, other: Bill) -> bool:
    """Return whether a bill lacks a price or a tariff that another one, `bill`, has."""
    return other.unpriced_mwh > bill.unpriced_mwh or other.untariffed_days > bill.untariffed_days
