"""Who ran a meter, as the members say it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from casawatt.answers.split_rules import Household
from casawatt.engine.claims import claimant
from casawatt.engine.localtime import local_date
from casawatt.model.errors import RegistryError, UnknownMemberError
from casawatt.model.meter import Meter
from casawatt.model.ports import Clock
from casawatt.model.split import Claim
from casawatt.registry import Registry
from casawatt.store.claims import ClaimRows

TYPED_MS = 1000
"""A time that is typed to the second means all of that second."""


class RunSpan(Protocol):
    """When a run was. `end_ms` is None while it goes on."""

    @property
    def start_ms(self) -> int:
        """When it began (UTC ms)."""
        ...

    @property
    def end_ms(self) -> int | None:
        """When it ended (UTC ms)."""
        ...


RunList = Callable[[Meter, int, int], Sequence[RunSpan]]
"""Returns the runs of a meter that touch a span (UTC ms), in ascending time."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim, the slug of its meter, and the run (UTC ms) that it holds for now.

    `run` is None when it holds for none: there is no such run any more, or a later claim holds for it.
    """

    claim: Claim
    meter: str
    run: tuple[int, int | None] | None


class Claims:
    """Makes claims, takes them back, and says which hold."""

    def __init__(self, rows: ClaimRows, registry: Registry, runs: RunList, household: Household, clock: Clock) -> None:
        """Keep claims in `rows`."""
        self._rows = rows
        self._registry = registry
        self._runs = runs
        self._household = household
        self._clock = clock

    def list(self, start_ms: int, end_ms: int) -> list[Claimed]:
        """Return the claims that stand of runs that touch the span, as they were made."""
        found = []
        for claim in self._rows.list(start_ms, end_ms):
            meter = self._registry.by_id(claim.meter_id)
            held = [span for span, each in self._held(meter, claim.start_ms, claim.end_ms) if each == claim]
            found.append(Claimed(claim, meter.slug, held[0] if held else None))
        return found

    def claim(self, slug: str, time_ms: int, member: str) -> Claimed:
        """Let the run of a meter that goes on at a time (to the second) be a member's.

        Raises UnknownMeterError, UnknownMemberError, and RegistryError when there is no such run, when its meter's
        runs are nobody's to claim or when the member was not present that day.
        """
        meter = self._registry.meter(slug)
        if not self._household.is_claimed(slug):
            message = f"the runs of {slug} are not for members to claim: [meter.{slug}] needs claimed = true"
            raise RegistryError(message)
        zone = self._household.config.home.zone
        who = next((each for each in self._household.members if each.slug == member), None)
        if who is None:
            there = ", ".join(each.slug for each in self._household.members)
            message = f"there is no member {member!r}; there are: {there}"
            raise UnknownMemberError(message)
        run = self._run_at(meter, time_ms)
        if not who.is_present(day := local_date(zone, run.start_ms)):
            message = f"{who.name} was not present on {day}, when that run began"
            raise RegistryError(message)
        now_ms = self._clock.now_ms()
        end_ms = max(now_ms if run.end_ms is None else run.end_ms, run.start_ms + 1)
        claim = self._rows.add(meter.meter_id, run.start_ms, end_ms, member, made_ms=now_ms)
        return Claimed(claim, slug, (run.start_ms, run.end_ms))

    def _run_at(self, meter: Meter, time_ms: int) -> RunSpan:
        for run in self._runs(meter, time_ms, time_ms + TYPED_MS):
            if run.start_ms < time_ms + TYPED_MS and (run.end_ms is None or time_ms < run.end_ms):
                return run
        message = f"{meter.slug} was not running then; `casawatt runs --meter {meter.slug}` lists its runs"
        raise RegistryError(message)

    def undo(self, claim_id: int) -> Claimed:
        """Take a claim back; raises UnknownDecisionError when there is none that stands."""
        claim = self._rows.retract(claim_id, self._clock.now_ms())
        return Claimed(claim, self._registry.by_id(claim.meter_id).slug, None)

    def holding(self, meter: Meter, start_ms: int, end_ms: int) -> Sequence[tuple[int, int, str]]:
        """Return the finished runs that touch the span and are somebody's: start and end (UTC ms), and the member."""
        return [
            (span[0], span[1], claim.member)
            for span, claim in self._held(meter, start_ms, end_ms)
            if span[1] is not None
        ]

    def _held(self, meter: Meter, start_ms: int, end_ms: int) -> Sequence[tuple[tuple[int, int | None], Claim]]:
        runs = self._runs(meter, start_ms, end_ms)
        if not runs:
            return []
        now_ms = self._clock.now_ms()
        spans = [(run.start_ms, run.end_ms or max(now_ms, run.start_ms + 1)) for run in runs]
        claims = self._rows.list(min(span[0] for span in spans), max(span[1] for span in spans), meter.meter_id)
        return [
            ((run.start_ms, run.end_ms), claim)
            for run, span in zip(runs, spans, strict=True)
            if (claim := claimant(span, claims)) is not None
        ]
