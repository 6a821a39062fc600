"""Who owes what of a bill: what is divided, and what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction

import msgspec

from casawatt.model.member import SplitRules


@dataclass(frozen=True, slots=True)
class Amount:
    """Energy and what it cost at the prices of the quarter-hours in which it was used, in the home's currency."""

    cost: Fraction
    energy_mwh: int = 0


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run that a member claimed. `day`: the place of the local day it began on; `when`: its times, for people."""

    meter: str
    member: str
    start_ms: int
    day: int
    when: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class Excess:
    """What the meters of members said beyond the billed consumption: amounts a day, all of them zero or negative.

    `quarters`: in so many quarter-hours; `gaps`: in so many of these the billed consumption was not measured all along.
    """

    by_day: Sequence[Amount]
    quarters: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """Everything that a bill is made of, day by day; all sequences have the length of `days`.

    `billed_name`: what the billed consumption is called. `meters`: the energy of each assigned meter by slug, without
    that of assigned meters behind it and without claimed runs. `unmetered`: the rest of the billed consumption where it
    is positive, `excess` where it is negative. `charges`: what does not depend on when energy is used, by name. All
    together are `total`, the exact total of the bill.
    """

    days: Sequence[date]
    billed_name: str
    meters: Mapping[str, Sequence[Amount]]
    runs: Sequence[ClaimedRun]
    unmetered: Sequence[Amount]
    excess: Excess
    charges: Mapping[str, Sequence[Fraction]]
    total: Fraction
    notes: Sequence[str] = field(default=())


class LineKind(StrEnum):
    """Why a member pays something."""

    OWNED = "owned"
    """The energy of a meter that is theirs."""
    SHARED = "shared"
    """Their share of a meter's energy."""
    CLAIMED = "claimed"
    """A run that they claimed."""
    UNCLAIMED = "unclaimed"
    """Part of what nobody claimed of a meter."""
    ABSENT = "absent"
    """Part of what a meter used on days when nobody it belongs to was present."""
    REST = "rest"
    """Part of the energy that no member's meter measured."""
    EXCESS = "excess"
    """Part of what members' meters said beyond the billed consumption; it is given back."""
    FIXED = "fixed"
    """Part of a charge that does not depend on when energy is used."""


class Line(msgspec.Struct, frozen=True):
    """Something that a member pays. `amount` is exact; `units` is that in the smallest units of the currency.

    `energy_mwh` is the energy in it, None for what is no energy. `subject`: the meter's slug or the charge's name, None
    for the rest; `run_ms`: when the claimed run began (UTC ms). `why` says with its arithmetic how it came to be.
    """

    kind: LineKind
    subject: str | None
    amount: Fraction
    units: int
    energy_mwh: Fraction | None
    why: str
    run_ms: int | None = None


class Owed(msgspec.Struct, frozen=True):
    """What a member owes: `units` in the smallest units of the currency, to which the lines add up.

    `days`: on so many days of the period they were present.
    """

    member: str
    name: str
    days: int
    amount: Fraction
    units: int
    lines: tuple[Line, ...]


class Split(msgspec.Struct, frozen=True):
    """The bill of a period, `start` until before `end`, divided among members, ascending by slug.

    `units` is the bill's total in the smallest units of the currency, each `1 / 10 ** digits` of it; what the members
    owe adds up to it. `rules` are those it was made by.
    """

    start: date
    end: date
    currency: str
    digits: int
    amount: Fraction
    units: int
    members: tuple[Owed, ...]
    rules: SplitRules
    notes: tuple[str, ...] = ()

    def units_of(self, member: str) -> int:
        """Return what a member owes, 0 for one who is not in it."""
        return next((each.units for each in self.members if each.member == member), 0)


class Adjustment(msgspec.Struct, frozen=True):
    """What a member pays more, or less, for a period that is closed, because its figures are different since."""

    start: date
    end: date
    member: str
    name: str
    units: int
    why: str


class Statement(msgspec.Struct, frozen=True):
    """What is asked of members for a period: its split, and what is made good of closed ones.

    `restated`: the closed periods of those adjustments as their figures are now. `closed_ms`: when it was closed (UTC
    ms), None while it is not.
    """

    split: Split
    adjustments: tuple[Adjustment, ...] = ()
    restated: tuple[Split, ...] = ()
    closed_ms: int | None = None

    @property
    def adjustment_units(self) -> int:
        """All adjustments together."""
        return sum(each.units for each in self.adjustments)

    def units_of(self, member: str) -> int:
        """Return what a member owes with the adjustments."""
        return self.split.units_of(member) + sum(each.units for each in self.adjustments if each.member == member)

    @property
    def total_units(self) -> int:
        """The bill and the adjustments: what all members owe together."""
        return self.split.units + self.adjustment_units


class Claim(msgspec.Struct, frozen=True):
    """A member's word that a run was theirs. `start_ms` and `end_ms`: the run's span as it was known then (UTC ms)."""

    claim_id: int
    meter_id: int
    start_ms: int
    end_ms: int
    member: str
    made_ms: int
