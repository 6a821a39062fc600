"""Like runs of a meter, what people call them, and what one that goes on will come to."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from casawatt.answers.runs import Runs
from casawatt.engine import programmes
from casawatt.engine.programmes import Group, Trace, usual
from casawatt.model.errors import RegistryError, UnknownDecisionError
from casawatt.model.meter import Meter
from casawatt.model.run import Run
from casawatt.model.run_answer import Doing, Outlook, ProgrammeAnswer, RunAnswer, Usual
from casawatt.recorder.line import FAR_MS
from casawatt.store.store import Store

YEAR_MS = 365 * 86_400_000
RUNS_MAX = 300
"""So many runs are grouped, the newest: a kettle's need not all be looked at."""

TOLD_MS = 10_000
"""So long what was told of a run that goes on is told again, before it is reckoned anew."""


class Programmes:
    """Groups the newest runs of a meter, those of a year; everything follows from the runs and the names."""

    def __init__(self, store: Store, runs: Runs) -> None:
        self._named = store.book.programmes
        self._runs = runs
        self._told: dict[int, RunAnswer] = {}

    def all(self, meter: Meter) -> list[ProgrammeAnswer]:
        """Return the programmes of a meter, the named ones first by name, then the others, the largest first."""
        past = self._past(meter)
        return [self._answer(meter, group, *past) for group in self._groups(meter, past[1])]

    def doing(self, meter: Meter) -> Doing | None:
        """Return what the meter's appliance does now, and what the run that it is in will come to.

        None for a meter that has no runs, or was never heard. What it tells of a run is some seconds old at most.
        """
        state = self._runs.state(meter)
        if state is None:
            return None
        now_ms = self._runs.clock.now_ms()
        open_run = self._runs.current(meter)
        if open_run is None:
            self._told.pop(meter.meter_id, None)
            return Doing(state, None)
        told = self._told.get(meter.meter_id)
        if told is None or told.run.start_ms != open_run.start_ms or not 0 <= now_ms - told.energy.end_ms < TOLD_MS:
            told = self._told[meter.meter_id] = self.foretold(self._runs.answer(meter, open_run))
        return Doing(state, told)

    def foretold(self, answer: RunAnswer) -> RunAnswer:
        """Return a run with what it will come to, if it goes on and that is known.

        Nothing is known while past runs are being found anew.
        """
        if answer.run.end_ms is not None or not self._runs.recorder.runs.is_complete(answer.meter.meter_id):
            return answer
        return replace(answer, outlook=self._outlook(answer.meter, answer))

    def _outlook(self, meter: Meter, running: RunAnswer) -> Outlook | None:
        """Return what a run that goes on will come to, None where that is not known."""
        runs, traces = self._past(meter)
        groups = self._groups(meter, traces)
        found = programmes.expected(self._runs.figures(meter, running.run).trace, traces, groups)
        if found is None:
            return None
        start_ms, length = running.run.start_ms, found.duration_ms
        return Outlook(
            groups[found.group].name,
            len(found.matching),
            Usual(start_ms + length.median, start_ms + length.low, start_ms + length.high),
            found.energy_mwh,
            self._costs(meter, [runs[place] for place in found.matching]),
        )

    def name(self, meter: Meter, start_ms: int, name: str) -> ProgrammeAnswer:
        """Call the programme of a run so. Raises UnknownRunError, RegistryError for a run that goes on or no name."""
        if not name:
            message = "a programme's name cannot be empty"
            raise RegistryError(message)
        answer = self._runs.find(meter, start_ms)
        if answer.run.end_ms is None:
            message = f"the run of {meter.slug} still goes on; its programme can be named when it has ended"
            raise RegistryError(message)
        like = self._runs.figures(meter, answer.run).trace
        alike = programmes.group([like], self._named.named(meter.meter_id))[0]
        if alike.name != name:
            now_ms = self._runs.clock.now_ms()
            self._named.name(meter.meter_id, name, like, made_ms=now_ms, instead=alike.programme_ids)
        runs, traces = self._past(meter)
        place = next((place for place, run in enumerate(runs) if run.start_ms == start_ms), None)
        if place is None:  # older than a year
            runs, traces, place = [*runs, answer.run], [*traces, like], len(runs)
        groups = self._groups(meter, traces)
        return self._answer(meter, next(each for each in groups if place in each.members), runs, traces)

    def take_name_back(self, meter: Meter, programme_id: int) -> str:
        """Take a name back; returns it. Raises UnknownDecisionError when the meter has none of that number."""
        found = [each for each in self._named.named(meter.meter_id) if each.programme_id == programme_id]
        if not found:
            message = f"{meter.slug} has no programme's name {programme_id} that stands"
            raise UnknownDecisionError(message)
        self._named.take_back(programme_id, self._runs.clock.now_ms())
        return found[0].name

    def _past(self, meter: Meter) -> tuple[list[Run], list[Trace]]:
        """Return the runs of the year before the newest that has ended, oldest first, and what is compared of them."""
        found = [run for run in self._runs.list(meter, -FAR_MS, FAR_MS) if run.end_ms is not None]
        since_ms = found[-1].start_ms - YEAR_MS if found else 0
        runs = [run for run in found[-RUNS_MAX:] if run.start_ms >= since_ms]
        return runs, [self._runs.figures(meter, run).trace for run in runs]

    def _groups(self, meter: Meter, traces: Sequence[Trace]) -> list[Group]:
        return programmes.group(traces, self._named.named(meter.meter_id))

    def _answer(self, meter: Meter, group: Group, runs: Sequence[Run], traces: Sequence[Trace]) -> ProgrammeAnswer:
        members = [runs[place] for place in group.members]
        return ProgrammeAnswer(
            meter,
            group.name,
            group.programme_ids,
            len(members),
            runs[group.medoid].start_ms,
            max(run.start_ms for run in members),
            usual([traces[place].duration_ms for place in group.members]),
            usual([traces[place].energy_mwh for place in group.members]),
            self._costs(meter, members),
        )

    def _costs(self, meter: Meter, runs: Sequence[Run]) -> Usual[Fraction] | None:
        """Return what runs usually cost, None unless it is known of each of them."""
        first_ms, last_ms = min(run.start_ms for run in runs), max(run.end_ms or run.start_ms for run in runs)
        prices = self._runs.costs.prices(first_ms, last_ms)
        spans = [(run.start_ms, run.end_ms or run.start_ms) for run in runs]
        costs = [self._runs.costs.cost_by(prices, meter, *span) for span in spans if span[0] < span[1]]
        amounts = [cost.amount for cost in costs if cost is not None and cost.complete]
        return usual(amounts) if amounts and len(amounts) == len(runs) else None
