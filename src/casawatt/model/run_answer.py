"""What is answered about runs: what they used and cost, what they are called, what one that goes on will come to."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from casawatt.model.interval import Bucket
from casawatt.model.meter import Meter
from casawatt.model.run import Run, State

Number = TypeVar("Number", int, Fraction)


@dataclass(frozen=True, slots=True)
class Usual(Generic[Number]):
    """The middle of several values, and below and above what one in ten of them lies."""

    median: Number
    low: Number
    high: Number


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run that goes on will come to, as `count` past runs did that began like it.

    `end_ms` is UTC ms, `energy_mwh` and `cost` (in the home's currency, None where it is not known of each of them) are
    those of the whole run. `programme` is what these runs are called, None when nobody named them.
    """

    programme: str | None
    count: int
    end_ms: Usual[int]
    energy_mwh: Usual[int]
    cost: Usual[Fraction] | None


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """A run with what it used: in all and in each of its phases, until its end or, while it goes on, until now.

    `cost` is in the home's currency, None where no tariff holds; `cost_complete`: of all its time the price is known.
    """

    meter: Meter
    run: Run
    energy: Bucket
    phases: tuple[Bucket, ...]
    cost: Fraction | None
    cost_complete: bool
    programme: str | None
    outlook: Outlook | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """What a meter's appliance does now: its state, and the run that it is in."""

    state: State
    run: RunAnswer | None


@dataclass(frozen=True, slots=True)
class ProgrammeAnswer:
    """Like runs of a meter: how many, the beginning (UTC ms) of the most typical and of the newest, and what is usual.

    `programme_ids` are the numbers of the names that people gave, none where nobody did.
    """

    meter: Meter
    name: str | None
    programme_ids: tuple[int, ...]
    count: int
    typical_ms: int
    newest_ms: int
    duration_ms: Usual[int]
    energy_mwh: Usual[int]
    cost: Usual[Fraction] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs beside each other. Their curves are mean powers (mW) of each `step_ms` from the begin of each on."""

    one: RunAnswer
    other: RunAnswer
    step_ms: int
    one_mw: tuple[int, ...]
    other_mw: tuple[int, ...]
