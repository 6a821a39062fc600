"""What the API answers about runs and programmes."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from casawatt.model.interval import Bucket
from casawatt.model.money import money_of_part
from casawatt.model.run import Phase
from casawatt.model.run_answer import Comparison, Outlook, ProgrammeAnswer, RunAnswer, Usual
from casawatt.web.fields import Coverage, Time
from casawatt.web.ports import Home
from casawatt.web.times import format_time, share

Money = Annotated[
    str, Meta(description="A decimal number of the document's `currency`", extra_json_schema={"format": "decimal"})
]
Wh = Annotated[float, Meta(description="Energy in Wh")]
StateName = Literal["off", "standby", "active", "finished"]


class SpreadDocument(msgspec.Struct, frozen=True):
    """What is usual: the middle, and below and above what one in ten lies."""

    median: float
    low: float
    high: float


class CostSpreadDocument(msgspec.Struct, frozen=True):
    """The same of money."""

    median: Money
    low: Money
    high: Money


class TimeSpreadDocument(msgspec.Struct, frozen=True):
    """The same of instants."""

    median: Time
    low: Time
    high: Time


class OutlookDocument(msgspec.Struct, frozen=True):
    """What a run that goes on will come to in all, as `runs` past ones did that began like it."""

    programme: str | None
    runs: int
    end: TimeSpreadDocument
    energy_wh: SpreadDocument
    cost: CostSpreadDocument | None


class PhaseDocument(msgspec.Struct, frozen=True):
    """A part of a run: `heat`, `motor` (or `on`, of what has none), `low` or `quiet`. `max_w`: its highest power."""

    kind: str
    start: Time
    end: Time
    energy_wh: Wh
    max_w: float


class RunDocument(msgspec.Struct, frozen=True):
    """One use of an appliance. `end` is null while it goes on; its figures are then those until now.

    `active_end`: when the last real activity ended; `tail_end`: when the anti-crease tumbling ended that followed the
    run; `cut`: why it ended, if not by itself.
    `cost` is null where no tariff holds, and of a part of its time alone unless `cost_complete`. `programme`: what runs
    like it are called. `expected`: what one that goes on will come to, null where that is not known.
    """

    meter: str
    start: Time
    end: Time | None
    state: StateName
    active_end: Time
    tail_end: Time | None
    cut: Literal["gap"] | None
    duration_s: float
    energy_wh: Wh
    coverage: Coverage
    peak_w: float | None
    cost: Money | None
    cost_complete: bool
    programme: str | None
    phases: list[PhaseDocument]
    expected: OutlookDocument | None


class RunsDocument(msgspec.Struct, frozen=True):
    """Runs in the order in which they began."""

    currency: str
    runs: list[RunDocument]


class OneRunDocument(msgspec.Struct, frozen=True):
    """One run."""

    currency: str
    run: RunDocument


class CurveDocument(msgspec.Struct, frozen=True):
    """The mean power of each step of two runs, each from its own begin on; the last step may be shorter."""

    step_s: float
    a_w: list[float]
    b_w: list[float]


class DifferenceDocument(msgspec.Struct, frozen=True):
    """How much more `b` has than `a`."""

    duration_s: float
    energy_wh: Wh
    peak_w: float | None
    cost: Money | None


class ComparisonDocument(msgspec.Struct, frozen=True):
    """Two runs beside each other."""

    currency: str
    a: RunDocument
    b: RunDocument
    difference: DifferenceDocument
    curve: CurveDocument


class ProgrammeDocument(msgspec.Struct, frozen=True):
    """Like runs of a meter. `ids`: the numbers of the names given to them; `example`: the most typical one."""

    name: str | None
    ids: list[int]
    runs: int
    example: Time
    newest: Time
    duration_s: SpreadDocument
    energy_wh: SpreadDocument
    cost: CostSpreadDocument | None


class ProgrammesDocument(msgspec.Struct, frozen=True):
    """The programmes of a meter, those with a name first."""

    meter: str
    currency: str
    programmes: list[ProgrammeDocument]


class OneProgrammeDocument(msgspec.Struct, frozen=True):
    """One programme."""

    meter: str
    currency: str
    programme: ProgrammeDocument


class RebuiltDocument(msgspec.Struct, frozen=True):
    """The runs of a meter were found anew; `differences` says in words what is not as it was."""

    meter: str
    runs: int
    differences: list[str]


def run_document(answer: RunAnswer, home: Home) -> RunDocument:
    """Return a run as it is written."""
    run, whole = answer.run, answer.energy
    length_ms = whole.end_ms - whole.start_ms
    return RunDocument(
        meter=answer.meter.slug,
        start=format_time(run.start_ms, home.zone),
        end=None if run.end_ms is None else format_time(run.end_ms, home.zone),
        state="active" if run.end_ms is None else "finished",
        active_end=format_time(run.active_end_ms, home.zone),
        tail_end=None if run.tail_end_ms is None else format_time(run.tail_end_ms, home.zone),
        cut="gap" if run.cut else None,
        duration_s=length_ms / 1000,
        energy_wh=whole.energy_wh,
        coverage=share(whole.measured_ms, length_ms),
        peak_w=run.peak_mw / 1000,
        cost=None if answer.cost is None else money_of_part(answer.cost),
        cost_complete=answer.cost_complete,
        programme=answer.programme,
        phases=[_phase_document(phase, bucket, home) for phase, bucket in zip(run.phases, answer.phases, strict=True)],
        expected=outlook_document(answer.outlook, home) if answer.outlook else None,
    )


def _phase_document(phase: Phase, bucket: Bucket, home: Home) -> PhaseDocument:
    start, end = format_time(bucket.start_ms, home.zone), format_time(bucket.end_ms, home.zone)
    return PhaseDocument(phase.kind, start, end, bucket.energy_wh, phase.max_mw / 1000)


def runs_document(answers: Sequence[RunAnswer], home: Home) -> RunsDocument:
    """Return runs in the order in which they began."""
    return RunsDocument(home.currency, [run_document(answer, home) for answer in answers])


def outlook_document(outlook: Outlook, home: Home) -> OutlookDocument:
    """Return what a run will come to."""
    ends = outlook.end_ms
    return OutlookDocument(
        outlook.programme,
        outlook.count,
        TimeSpreadDocument(*(format_time(each, home.zone) for each in (ends.median, ends.low, ends.high))),
        _spread(outlook.energy_mwh),
        _cost_spread(outlook.cost),
    )


def _spread(usual: Usual[int]) -> SpreadDocument:
    return SpreadDocument(usual.median / 1000, usual.low / 1000, usual.high / 1000)


def _cost_spread(usual: Usual[Fraction] | None) -> CostSpreadDocument | None:
    return (
        None
        if usual is None
        else CostSpreadDocument(money_of_part(usual.median), money_of_part(usual.low), money_of_part(usual.high))
    )


def programme_document(answer: ProgrammeAnswer, home: Home) -> ProgrammeDocument:
    """Return a programme as it is written."""
    return ProgrammeDocument(
        answer.name,
        list(answer.programme_ids),
        answer.count,
        format_time(answer.typical_ms, home.zone),
        format_time(answer.newest_ms, home.zone),
        _spread(answer.duration_ms),
        _spread(answer.energy_mwh),
        _cost_spread(answer.cost),
    )


def comparison_document(found: Comparison, home: Home) -> ComparisonDocument:
    """Return two runs beside each other."""
    a, b = run_document(found.one, home), run_document(found.other, home)
    both = found.one.cost is not None and found.other.cost is not None
    cost = money_of_part((found.other.cost or Fraction()) - (found.one.cost or Fraction())) if both else None
    peak_w = None if a.peak_w is None or b.peak_w is None else b.peak_w - a.peak_w
    more_mwh = found.other.energy.energy_mwh - found.one.energy.energy_mwh
    difference = DifferenceDocument(b.duration_s - a.duration_s, more_mwh / 1000, peak_w, cost)
    curves = ([each / 1000 for each in curve] for curve in (found.one_mw, found.other_mw))
    return ComparisonDocument(home.currency, a, b, difference, CurveDocument(found.step_ms / 1000, *curves))
