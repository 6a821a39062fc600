"""Runs of the meters with what they used and cost, and what the meters' appliances do now."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from casawatt.answers.costs import Costs
from casawatt.answers.run_figures import RunFigures
from casawatt.engine import pipeline
from casawatt.engine.programmes import distances
from casawatt.model.errors import UnknownRunError
from casawatt.model.meter import Meter
from casawatt.model.ports import Clock
from casawatt.model.run import Run, State
from casawatt.model.run_answer import Comparison, RunAnswer
from casawatt.recorder.line import FAR_MS
from casawatt.recorder.recorder import Recorder
from casawatt.recorder.verify import compared
from casawatt.registry import Registry
from casawatt.store.store import Store

FIGURES_MAX = 4000
"""So many runs' figures are kept in memory; the ones that were asked for longest ago go first."""

STEPS_MAX = 240
STEPS_MS = (1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000)
"""Two runs are compared by the shortest of these that makes at most so many steps of the longer one."""


class Runs:
    """Answers from what the recorder found and the store keeps. Everything runs on the recorder's thread."""

    def __init__(self, store: Store, registry: Registry, recorder: Recorder, clock: Clock, costs: Costs) -> None:
        self.clock = clock
        self.recorder = recorder
        self.costs = costs
        self._store = store
        self._registry = registry
        self._figures: dict[tuple[int, Run, int], RunFigures] = {}

    def answers(self, meters: Iterable[Meter], start_ms: int, end_ms: int) -> Sequence[RunAnswer]:
        """Return the runs of several meters likewise, with what they used, in the order in which they began."""
        found = [(run, meter) for meter in meters for run in self.list(meter, start_ms, end_ms)]
        found.sort(key=lambda each: (each[0].start_ms, each[1].meter_id))
        return [self.answer(meter, run) for run, meter in found]

    def state(self, meter: Meter) -> State | None:
        """Return what the meter's appliance does now; None for a meter that has no runs, or was never heard."""
        return self.recorder.runs.state(meter.meter_id)

    def find(self, meter: Meter, start_ms: int) -> RunAnswer:
        """Return the run that began at exactly that time (UTC ms). Raises UnknownRunError."""
        for run in self.list(meter, start_ms, start_ms + 1):
            if run.start_ms == start_ms:
                return self.answer(meter, run)
        at = datetime.fromtimestamp(start_ms / 1000, UTC).isoformat(timespec="milliseconds")
        message = f"{meter.slug} has no run that began at {at}; casawatt runs shows those there are"
        raise UnknownRunError(message)

    def answer(self, meter: Meter, run: Run) -> RunAnswer:
        """Return a run of a meter with what it used."""
        figures = self.figures(meter, run)
        whole = figures.whole
        cost = self.costs.cost(meter, whole.start_ms, whole.end_ms)
        return RunAnswer(
            meter,
            run,
            whole,
            figures.phases,
            cost.amount if cost else None,
            bool(cost and cost.complete),
            self._name(meter, figures) if run.end_ms is not None else None,
        )

    def _name(self, meter: Meter, figures: RunFigures) -> str | None:
        """Return what the programme of a run is called, None when it is like none that has a name."""
        named = self._store.book.programmes.named(meter.meter_id)
        if not named:
            return None
        apart = distances(figures.trace, [each.like for each in named])
        return named[int(apart.argmin())].name if apart.min() <= 1 else None

    def figures(self, meter: Meter, run: Run) -> RunFigures:
        """Return what a run used; of one that has ended it is kept in memory until something of it changes."""
        meter_id = meter.meter_id
        for touched_id, from_ms in self.recorder.runs.take_touched():
            self._forget(touched_id, from_ms)
        end_ms = self._end_ms(run)
        key = meter_id, run, end_ms
        figures = self._figures.pop(key, None) or RunFigures(
            self._store, meter_id, run, end_ms, self._registry.calibrations(meter)
        )
        if run.end_ms is not None and self._is_settled(meter_id, end_ms):
            self._figures[key] = figures
            if len(self._figures) > FIGURES_MAX:
                del self._figures[next(iter(self._figures))]
        return figures

    def _end_ms(self, run: Run) -> int:
        """Return the end of a run or, while it goes on, now; that is not before what is known of it."""
        told_ms = [each.end_ms for each in run.phases[-1:]]
        end_ms = max(self.clock.now_ms(), run.active_end_ms, *told_ms) if run.end_ms is None else run.end_ms
        return max(end_ms, run.start_ms + 1)

    def _is_settled(self, meter_id: int, end_ms: int) -> bool:
        """Return whether what comes in order of time changes no energy before an instant."""
        line = self.recorder.line(meter_id)
        open_ms = None if line is None else pipeline.first_open_ms(line.state)
        return open_ms is not None and end_ms <= open_ms

    def _forget(self, meter_id: int, from_ms: int) -> None:
        for key in [key for key in self._figures if key[0] == meter_id and key[2] > from_ms]:
            del self._figures[key]

    def current(self, meter: Meter) -> Run | None:
        """Return the run that the meter's appliance is in, None when it is in none, or has none."""
        line = self.recorder.line(meter.meter_id)
        if line is None:
            return None
        self.recorder.settle_line(line)
        return self.recorder.runs.current(meter.meter_id)

    def look_on(self, meter: Meter) -> bool:
        """Find a piece of the runs anew that were touched; returns whether there is more to look at."""
        return self.recorder.runs.look_on(meter.meter_id)

    def count(self, meter: Meter) -> int:
        """Return how many runs a meter ever had, that which goes on too."""
        return len(self.list(meter, -FAR_MS, FAR_MS))

    def rebuild(self, meter: Meter) -> Sequence[str]:
        """Find all runs of a meter anew from its readings, with the options of now; returns in words what differs."""
        before, after = self._by_start(meter), self._rebuilt(meter)
        return compared(meter.slug, before, after, ("before", "now"))

    def _rebuilt(self, meter: Meter) -> dict[int, Run]:
        self.recorder.runs.rebuild(meter.meter_id)
        return self._by_start(meter)

    def _by_start(self, meter: Meter) -> dict[int, Run]:
        return {run.start_ms: run for run in self.list(meter, -FAR_MS, FAR_MS)}

    def compare(self, one: RunAnswer, other: RunAnswer) -> Comparison:
        """Return two runs beside each other, from the begin of each on."""
        length_ms = max(each.energy.end_ms - each.energy.start_ms for each in (one, other))
        step_ms = next((step for step in STEPS_MS if length_ms <= step * STEPS_MAX), STEPS_MS[-1])
        return Comparison(one, other, step_ms, self._curve(one, step_ms), self._curve(other, step_ms))

    def _curve(self, answer: RunAnswer, step_ms: int) -> tuple[int, ...]:
        """Return the mean power (mW) of each step of a run; the last step may be shorter."""
        whole = answer.energy
        edges_ms = [*range(whole.start_ms, whole.end_ms, step_ms), whole.end_ms]
        buckets = self._store.buckets(answer.meter.meter_id, edges_ms, self._registry.calibrations(answer.meter))
        return tuple(bucket.energy_mwh * 3_600_000 // (bucket.end_ms - bucket.start_ms) for bucket in buckets)

    def list(self, meter: Meter, start_ms: int, end_ms: int) -> list[Run]:
        """Return the meter's runs that have a part in `start_ms <= t < end_ms`, in the order in which they began.

        The one that goes on is among them, its `end_ms` None.
        """
        line = self.recorder.line(meter.meter_id)
        if line is None:
            return []
        self.recorder.settle_line(line)
        return self.recorder.runs.between(meter.meter_id, start_ms, end_ms)
