"""Folds a meter's powers into its runs: as they come in, and anew over a span of the past."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from casawatt.engine import runs
from casawatt.engine.calibrations import calibration_at, counted
from casawatt.engine.power import believed_mw_columns
from casawatt.engine.runs_open import open_since_ms, told
from casawatt.engine.runs_settings import Settings
from casawatt.engine.spans import Span
from casawatt.model.columns import ABSENT
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import Calibration
from casawatt.model.run import Output, Revised, Run, State
from casawatt.recorder.line import FAR_MS, QUARTERS_KEPT, Line
from casawatt.store.store import Store

DAY_MS = 24 * 3_600_000
"""At each whole multiple of this the state is saved, to find runs anew from: more often takes more room."""

PIECE_MS = 6 * 3_600_000
"""So much of the readings is looked at at a time when runs are found anew."""

Said = tuple[int, int]
"""When (UTC ms), and what power (mW)."""

SettingsAt = Callable[[Calibration], Settings]
"""What runs are found with while a calibration holds."""


class Fold:
    """A state, the newest power in it, and what came of it since: `found` are runs by their start, None for no run.

    `quarters` and `days` map a boundary (UTC ms) to the state before the first power at or after it.
    """

    __slots__ = ("boundary_ms", "days", "found", "newest_ms", "newest_mw", "quarters", "state")

    def __init__(self, state: runs.RunState, newest_ms: int = -FAR_MS) -> None:
        self.state = state
        self.newest_ms = newest_ms
        self.newest_mw: int | None = None
        self.boundary_ms = -FAR_MS
        self.quarters: dict[int, runs.RunState] = {}
        self.days: dict[int, runs.RunState] = {}
        self.found: dict[int, Run | None] = {}

    def advance(self, said: Iterable[Said], settings: Settings) -> None:
        """Go on by powers in strictly ascending time, later than the newest."""
        step = runs.step
        state, newest_ms, boundary_ms, power_mw = self.state, self.newest_ms, self.boundary_ms, self.newest_mw
        for time_ms, power_mw in said:
            if time_ms >= boundary_ms:
                boundary_ms = self._enter(time_ms, newest_ms, state)
            state, outputs = step(state, time_ms, power_mw, settings)
            newest_ms = time_ms
            for output in outputs:
                note(self.found, output)
        self.state, self.newest_ms, self.boundary_ms, self.newest_mw = state, newest_ms, boundary_ms, power_mw

    def _enter(self, time_ms: int, newest_ms: int, state: runs.RunState) -> int:
        """Keep the state as it was before the power at `time_ms`, the first past a boundary; returns the next one."""
        quarter_ms, day_ms = time_ms - time_ms % INTERVAL_MS, time_ms - time_ms % DAY_MS
        if newest_ms < day_ms:
            self.days[day_ms] = state
        if newest_ms < quarter_ms:
            self.quarters[quarter_ms] = state
        return quarter_ms + INTERVAL_MS

    def drop_quarters(self) -> None:
        """Forget all but the last few quarter-hours."""
        for at_ms in sorted(self.quarters)[:-QUARTERS_KEPT]:
            del self.quarters[at_ms]

    def taken(self) -> dict[int, Run | None]:
        """Return what was found since the last call."""
        found, self.found = self.found, {}
        return found

    def before(self, time_ms: int) -> tuple[int, runs.RunState] | None:
        """Return the newest boundary not after `time_ms` of those in memory, and the state there."""
        known = [at_ms for states in (self.quarters, self.days) for at_ms in states if at_ms <= time_ms]
        return (max(known), self.at(max(known))) if known else None

    def at(self, boundary_ms: int) -> runs.RunState:
        """Return the state that is in memory for exactly this boundary; raises KeyError."""
        return self.quarters[boundary_ms] if boundary_ms in self.quarters else self.days[boundary_ms]


def note(found: dict[int, Run | None], output: Output) -> None:
    """Note which run there is, and which there is no longer."""
    if isinstance(output, Revised) and output.before.start_ms != output.run.start_ms:
        found[output.before.start_ms] = None
    found[output.run.start_ms] = output.run


@dataclass(frozen=True, slots=True)
class Now:
    """What an appliance does at a time, and the runs, by their start, that are not yet in what was found until then.

    The run that goes on, or one that has ended as nothing was said since; what comes in later has the last word.
    """

    state: State
    found: dict[int, Run | None]


def now(fold: Fold, now_ms: int, settings: Settings) -> Now:
    """Return what an appliance does at a time, taken for that of the newest power where it is earlier."""
    now_ms = max(now_ms, fold.newest_ms)
    state, outputs = runs.idle(fold.state, now_ms, settings)
    found: dict[int, Run | None] = {}
    for output in outputs:
        note(found, output)
    doing, present = runs.current(state, settings, now_ms)
    if present is not None:
        found[present.start_ms] = present
    return Now(doing, found)


class Anew:
    """Runs of a span being found anew, a piece at a time, until the state is again what it was."""

    def __init__(self, state: runs.RunState, from_ms: int) -> None:
        self.from_ms = self.position_ms = from_ms
        self.replaced_from_ms = first_open_ms(state, from_ms)
        self.fold = begun(state, from_ms)

    def look_at(self, store: Store, line: Line, settings_at: SettingsAt) -> int:
        """Go on by the next piece of the readings; returns how many powers were in it."""
        self.fold.drop_quarters()
        end_ms = self.position_ms + PIECE_MS
        count = look_at(self.fold, store, line, (self.position_ms, end_ms), settings_at)
        self.position_ms = end_ms
        return count

    def first_open_ms(self, boundary_ms: int) -> int:
        """Return the begin of the first run that was not yet decided on at a boundary that is in memory."""
        return first_open_ms(self.fold.at(boundary_ms), boundary_ms)

    def back_to(self, time_ms: int) -> bool:
        """Go back to before a time that was touched meanwhile; returns whether it could."""
        if time_ms >= self.position_ms:
            return True
        kept = self.fold.before(time_ms)
        if kept is None:
            return False
        self.position_ms, state = kept
        before, self.fold = self.fold, begun(state, self.position_ms)
        self.fold.days = {at_ms: kept for at_ms, kept in before.days.items() if at_ms < self.position_ms}
        open_ms = first_open_ms(state, self.position_ms)
        self.fold.found |= {start_ms: run for start_ms, run in before.found.items() if start_ms < open_ms}
        return True


def begun(state: runs.RunState, from_ms: int) -> Fold:
    """Return a fold that goes on from a state of the past; the run that it may still change is found already."""
    fold = Fold(state, from_ms - 1)
    run = told(state)
    if run is not None:
        fold.found[run.start_ms] = run
    return fold


def first_open_ms(state: runs.RunState, boundary_ms: int) -> int:
    """Return the begin of the first run that what comes at `boundary_ms` or later may still change."""
    open_ms = open_since_ms(state)
    return boundary_ms if open_ms is None else min(boundary_ms, open_ms)


def look_at(fold: Fold, store: Store, line: Line, span: Span, settings_at: SettingsAt) -> int:
    """Go on by what power counts of the stored readings of a span; returns how many powers that were."""
    calibrations = line.calibrations
    columns = counted(store.columns(line.meter_id, *span), calibrations)
    power_mw, _ = believed_mw_columns(columns, calibrations)
    known = power_mw != ABSENT
    time_ms, power_mw = columns.time_ms[known], power_mw[known]
    edges_ms = [span[0], *(each.from_ms for each in calibrations if span[0] < each.from_ms < span[1]), span[1]]
    for start_ms, end_ms in pairwise(edges_ms):
        first, last = time_ms.searchsorted((start_ms, end_ms)).tolist()
        if first < last:
            said = zip(time_ms[first:last].tolist(), power_mw[first:last].tolist(), strict=True)
            fold.advance(said, settings_at(calibration_at(calibrations, start_ms)))
    return len(time_ms)
