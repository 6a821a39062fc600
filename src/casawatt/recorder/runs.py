"""Follows what each meter's appliance does, and finds its runs anew where late readings or decisions touched them.

What is found lies in the store, and is sealed with the readings that it was found in, together with the state: so a
restart neither loses nor doubles a run.
"""

from dataclasses import dataclass
from typing import Literal

from casawatt.engine import runs
from casawatt.engine.runs_open import goes_on
from casawatt.model.meter import Meter
from casawatt.model.ports import Clock
from casawatt.model.run import Run, State
from casawatt.recorder.line import FAR_MS, Line
from casawatt.recorder.run_fold import DAY_MS, PIECE_MS, Fold, look_at, now
from casawatt.recorder.run_watch import SettingsOf, Watch
from casawatt.store.seal import NO_RUN_STATES, RunStates
from casawatt.store.store import Store

POWERS_AT_ONCE = 20_000
"""So many powers are looked at anew at most before other work has its turn."""

NEWS_MS = 3_600_000
"""What began or ended longer ago than this is not told as news, however it came to be known."""

TOLD_MAX = 1000
"""So many news are remembered, to be told once."""


@dataclass(frozen=True, slots=True)
class News:
    """A run of a meter began or ended just now."""

    kind: Literal["started", "finished"]
    meter: Meter
    run: Run


class RunKeeper:
    """Keeps what is known of the runs of all meters. Everything runs on the recorder's thread.

    `settings_of` gives what a meter's runs are found with.
    """

    def __init__(self, store: Store, clock: Clock, settings_of: SettingsOf) -> None:
        self._store = store
        self._clock = clock
        self._settings_of = settings_of
        self._watches: dict[int, Watch] = {}
        self._touched: dict[int, int] = {}
        self._news: list[News] = []
        self._told: dict[tuple[str, int, int], None] = {}

    def renew(self, line: Line) -> None:
        """Take over what is said of a meter now, and what was saved of its runs if it was not here before."""
        watch = self._watches.get(line.meter_id)
        if watch is None:
            self._watches[line.meter_id] = Watch(line, self._settings_of, self._store)
        else:
            watch.renew()

    def follow(self, line: Line) -> None:
        """Take over what came in of a meter since the last call, and what of its past was touched."""
        fresh, line.fresh = line.fresh, []
        touched, line.touched = line.touched, None
        if touched is not None:
            self._touched[line.meter_id] = min(touched[0], self._touched.get(line.meter_id, FAR_MS))
        watch = self._watches[line.meter_id]
        if touched is not None and watch.has_runs:
            watch.mark(*touched)
        if fresh and watch.has_runs:
            self._keep(watch, watch.take(fresh))

    def _keep(self, watch: Watch, found: dict[int, Run | None]) -> None:
        """Keep the runs that have ended, and no longer those that there are not after all."""
        for start_ms, run in found.items():
            ended = [] if run is None or run.end_ms is None else [run]
            self._store.runs.replace(watch.meter_id, start_ms, start_ms + 1, ended)
        self._tell(watch, found)

    def tick(self) -> list[News]:
        """Find anew what was touched, a piece of it, and look at the time; returns what began or ended just now."""
        left = POWERS_AT_ONCE
        now_ms = self._clock.now_ms()
        for watch in self._watches.values():
            if not watch.has_runs:
                continue
            while watch.dirty is not None and left > 0:
                left -= 1 + self._go_on(watch)
            if watch.dirty is None and goes_on(watch.fold.state):
                self._tell(watch, watch.now(now_ms).found)
        news, self._news = self._news, []
        return news

    def _go_on(self, watch: Watch) -> int:
        count, found = watch.go_on(self._store)
        if found is not None:
            self._tell(watch, found)
        return count

    def look_on(self, meter_id: int) -> bool:
        """Find a piece of a meter's runs anew that were touched; returns whether there is more to look at."""
        watch = self._watches.get(meter_id)
        if watch is None or not watch.has_runs:
            return False
        self.follow(watch.line)
        if watch.dirty is not None:
            self._go_on(watch)
        return watch.dirty is not None

    def current(self, meter_id: int) -> Run | None:
        """Return the run that a meter's appliance is in, None when it is in none, or has none."""
        watch = self._watches.get(meter_id)
        if watch is None or not watch.has_runs:
            return None
        self.follow(watch.line)
        there = watch.now(self._clock.now_ms()).found.values()
        return next((run for run in there if run is not None and run.end_ms is None), None)

    def is_complete(self, meter_id: int) -> bool:
        """Return whether nothing of a meter's runs is still to be found anew."""
        watch = self._watches.get(meter_id)
        return watch is None or watch.dirty is None

    def complete(self, meter_id: int) -> Watch | None:
        """Find all of a meter's runs anew that were touched; returns what is held of them, None when it has none."""
        watch = self._watches.get(meter_id)
        if watch is None or not watch.has_runs:
            return None
        self.follow(watch.line)
        while watch.dirty is not None:
            self._go_on(watch)
        return watch

    def _tell(self, watch: Watch, found: dict[int, Run | None]) -> None:
        """Note what is news of what was found: each once, and nothing of the past."""
        if not found:
            return
        since_ms = self._clock.now_ms() - NEWS_MS
        for run in found.values():
            if run is not None and run.start_ms >= since_ms:
                self._tell_once("started", watch, run)
            if run is not None and run.end_ms is not None and run.end_ms >= since_ms:
                self._tell_once("finished", watch, run)

    def _tell_once(self, kind: Literal["started", "finished"], watch: Watch, run: Run) -> None:
        key = kind, watch.meter_id, run.start_ms
        if key not in self._told:
            self._told[key] = None
            self._news.append(News(kind, watch.line.meter, run))
        while len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]

    def state(self, meter_id: int) -> State | None:
        """Return what a meter's appliance does now; None for a meter that has no runs, or that said no power yet."""
        watch = self._watches.get(meter_id)
        if watch is None or not watch.has_runs:
            return None
        self.follow(watch.line)
        return None if watch.fold.newest_ms == -FAR_MS else watch.now(self._clock.now_ms()).state

    def between(self, meter_id: int, start_ms: int, end_ms: int) -> list[Run]:
        """Return the runs that have a part in `start_ms <= t < end_ms`, that which goes on too, as they began."""
        watch = self.complete(meter_id)
        if watch is None:
            return []
        found: dict[int, Run | None] = {
            run.start_ms: run for run in self._store.runs.overlapping(meter_id, start_ms, end_ms)
        }
        found |= watch.now(self._clock.now_ms()).found
        there = [run for run in found.values() if run is not None and run.start_ms < end_ms]
        within = [run for run in there if run.end_ms is None or run.end_ms > start_ms]
        return sorted(within, key=lambda run: run.start_ms)

    def take_touched(self) -> list[tuple[int, int]]:
        """Return from when on (UTC ms) readings of meters were touched since the last call, by meter."""
        touched, self._touched = self._touched, {}
        return list(touched.items())

    def has_runs(self, meter_id: int) -> bool:
        """Return whether a meter has runs at all."""
        watch = self._watches.get(meter_id)
        return watch is not None and watch.has_runs

    def mixed(self, meter_id: int) -> bool:
        """Return whether some runs of a meter were found with other options than those of now."""
        watch = self._watches.get(meter_id)
        return watch is not None and watch.mixed

    def rebuild(self, meter_id: int) -> None:
        """Find all runs of a meter anew, with the options of now."""
        watch = self.complete(meter_id)
        if watch is None:
            return
        watch.mark(-FAR_MS, FAR_MS)
        watch.begin_anew(self._store, whole=True)
        self.complete(meter_id)
        watch.mixed = False

    def derived(self, line: Line) -> list[Run]:
        """Return the runs that a meter's readings give, found from the first one on, that which goes on too."""
        watch = self._watches[line.meter_id]
        first_ms, last = self._store.first_time_ms(line.meter_id), self._store.last_record(line.meter_id)
        if not watch.has_runs or first_ms is None or last is None:
            return []
        fold = Fold(runs.START)
        found: dict[int, Run | None] = {}
        for start_ms in range(first_ms - first_ms % DAY_MS, last.time_ms + 1, PIECE_MS):
            look_at(fold, self._store, line, (start_ms, start_ms + PIECE_MS), watch.settings_at)
            fold.drop_quarters()
            fold.days.clear()
            found |= fold.taken()
        found |= now(fold, self._clock.now_ms(), watch.settings_at(line.calibration)).found
        return sorted((run for run in found.values() if run is not None), key=lambda run: run.start_ms)

    def to_seal(self, line: Line) -> RunStates:
        """Return what is to be sealed beside the runs of a meter."""
        self.follow(line)
        watch = self._watches.get(line.meter_id)
        return NO_RUN_STATES if watch is None else watch.saved()

    def sealed(self, line: Line, states: RunStates) -> None:
        """Forget what is sealed."""
        watch = self._watches.get(line.meter_id)
        if watch is not None:
            watch.forget(at_ms for at_ms, _ in states.snapshots)
