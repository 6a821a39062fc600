"""One meter's power in, in order of time; what its appliance does, and its runs, out.

A reading's power holds until the next reading, as long as that is no further off than the gap limit; otherwise nothing
is known from the reading on, as for energy (`engine/energy.py`). So a run never continues through a gap on a held
value: it ends at the last reading before the gap (`Run.cut`), unless readings on both sides of a gap that is short
against the machine's doings show it active (`runs_core`).

A reading's power counts from when the next one comes, so that one of the same instant can take its place. Readings in
one band of power are summed up to a *piece* of at most a minute, which costs next to nothing; `runs_core` decides on
pieces. `idle` decides on what would be if the last reading held until now, says what that ends, and forgets it: the
runs that stand in the end follow from the readings alone.
"""

import msgspec

from casawatt.engine import runs_core
from casawatt.engine.runs_core import Happened, News
from casawatt.engine.runs_learned import Core, break_ms, on_mw, wait_ms, work_mw
from casawatt.engine.runs_settings import Settings
from casawatt.engine.runs_track import HEAT, QUIET, WEAK, WORK, Piece, shown
from casawatt.engine.saved import Saved
from casawatt.model.run import Finished, Output, Revised, Run, Started, State

VERSION = 1
"""Counts up whenever the same readings would give other states or runs: saved states of before are then not used."""

_LEAST_MW = -(1 << 62)
_MOST_MW = 1 << 62
_PIECE_MS = 60_000
_DOUBT_PIECE_MS = 10_000
_OFF_MW = 500


class RunState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A meter up to its newest reading (`time_ms`, None before the first; `power_mw`), and the piece that it is in.

    The piece began at `piece_ms` and has `count` readings between `low_mw` and below `high_mw` before the newest, with
    `energy_uj` and a highest power of `max_mw`; at `due_ms` it is decided on. `before_mw` and `earlier_mw` are the
    readings before the newest. `core` is what was decided until the piece; `told` is the last run that was told as
    finished, while it may still change.
    """

    time_ms: int | None = None
    power_mw: int = 0
    before_mw: int = 0
    earlier_mw: int = 0
    low_mw: int = 0
    high_mw: int = 0
    due_ms: int = 0
    piece_ms: int = 0
    count: int = 0
    energy_uj: int = 0
    max_mw: int = 0
    core: Core = Core()
    told: Run | None = None


START = RunState()
"""A meter that has no readings yet."""

_saved = Saved(RunState, VERSION)
_replace = msgspec.structs.replace


def step(
    state: RunState, time_ms: int, power_mw: int | None, settings: Settings
) -> tuple[RunState, tuple[Output, ...]]:
    """Return the state after a reading, and what it makes certain (mostly nothing).

    A reading that does not say its power (None) leaves the last one standing. One of the newest reading's time takes
    its place. Raises ValueError for one that is older.
    """
    start_ms = state.time_ms
    if power_mw is None:
        return state, ()
    if start_ms is None:
        return RunState(time_ms, power_mw, power_mw, power_mw), ()
    length_ms = time_ms - start_ms
    now_mw = state.power_mw
    if state.low_mw <= now_mw < state.high_mw and 0 < length_ms <= settings.gap_limit_ms and time_ms < state.due_ms:
        max_mw, before_mw = state.max_mw, state.before_mw
        if before_mw > max_mw and state.count:
            max_mw = max(max_mw, _believed_mw(before_mw, state.earlier_mw, now_mw))
        return (
            RunState(
                time_ms,
                power_mw,
                now_mw,
                before_mw,
                state.low_mw,
                state.high_mw,
                state.due_ms,
                state.piece_ms,
                state.count + 1,
                state.energy_uj + now_mw * length_ms,
                max_mw,
                state.core,
                state.told,
            ),
            (),
        )
    if length_ms <= 0:
        if length_ms == 0:
            return _replace(state, power_mw=power_mw), ()
        message = f"a reading of {time_ms} ms came after one of {start_ms} ms"
        raise ValueError(message)
    if not settings.runs:
        return RunState(time_ms, power_mw), ()
    happened: Happened = []
    state = _advanced(state, time_ms, settings, happened)
    state = _replace(state, time_ms=time_ms, power_mw=power_mw, before_mw=now_mw, earlier_mw=state.before_mw)
    return _told(state, happened, time_ms, settings)


def _believed_mw(power_mw: int, before_mw: int, after_mw: int) -> int:
    """Return a reading's power, or the higher one of its neighbours where it stands out above both as an artefact.

    Only between two that use something: a kettle may be heard just once.
    """
    beside_mw = max(before_mw, after_mw)
    if min(before_mw, after_mw) > _OFF_MW and 2 * power_mw > 3 * beside_mw:
        return beside_mw
    return power_mw


def _advanced(state: RunState, time_ms: int, settings: Settings, happened: Happened) -> RunState:
    """Return the state with the time from the newest reading until `time_ms` added to it, held or unknown."""
    start_ms = state.time_ms or 0
    now_mw = state.power_mw
    length_ms = time_ms - start_ms
    is_known = length_ms <= settings.gap_limit_ms
    if state.count and not (is_known and state.low_mw <= now_mw < state.high_mw):
        state = _decided(state, start_ms, settings, happened)
    if not is_known:
        was_quiet = now_mw < on_mw(state.core, settings)
        core = runs_core.unknown(state.core, start_ms, time_ms, settings, happened, was_quiet=was_quiet)
        return _replace(state, core=core, count=0, low_mw=0, high_mw=0)
    if not state.count:
        state = _begun(state, start_ms, settings)
    elif state.before_mw > state.max_mw:
        believed_mw = _believed_mw(state.before_mw, state.earlier_mw, now_mw)
        state = _replace(state, max_mw=max(state.max_mw, believed_mw))
    state = _replace(state, count=state.count + 1, energy_uj=state.energy_uj + now_mw * length_ms)
    if time_ms < state.due_ms:
        return state
    last_mw = now_mw if state.count == 1 else _believed_mw(now_mw, state.before_mw, now_mw)
    return _decided(_replace(state, max_mw=max(state.max_mw, last_mw)), time_ms, settings, happened, is_whole=True)


def _bands(core: Core, settings: Settings) -> tuple[int, int, int]:
    """Return the powers from which on it is active, works, and heats."""
    least_mw = on_mw(core, settings)
    works_mw = max(work_mw(core, settings), least_mw)
    return least_mw, works_mw, max(settings.heat_mw, works_mw)


def _begun(state: RunState, start_ms: int, settings: Settings) -> RunState:
    """Return the state at the beginning of a new piece, which is of the newest reading's band."""
    core, power_mw = state.core, state.power_mw
    active_mw, works_mw, heat_mw = _bands(core, settings)
    track = core.track
    if power_mw < active_mw:
        low_mw, high_mw, due_ms = _LEAST_MW, active_mw, start_ms + _PIECE_MS
        if track is not None and not track.finished:
            ends_ms = track.end_ms + track.unknown_ms + wait_ms(core, settings)
            due_ms = min(due_ms, max(ends_ms, start_ms + 1))
        if track is not None and core.burst is not None:
            due_ms = min(due_ms, start_ms + max(break_ms(core, settings) - core.burst.quiet_ms, 1))
    else:
        low_mw, high_mw = (active_mw, works_mw) if power_mw < works_mw else (works_mw, heat_mw)
        if power_mw >= heat_mw:
            low_mw, high_mw = heat_mw, _MOST_MW
        in_doubt = track is None or core.burst is not None or core.quiet_ms >= break_ms(core, settings)
        due_ms = start_ms + (_DOUBT_PIECE_MS if in_doubt else _PIECE_MS)
    return RunState(
        state.time_ms,
        power_mw,
        state.before_mw,
        state.earlier_mw,
        low_mw,
        high_mw,
        due_ms,
        start_ms,
        core=core,
        told=state.told,
    )


def _decided(
    state: RunState, end_ms: int, settings: Settings, happened: Happened, *, is_whole: bool = False
) -> RunState:
    """Return the state with its piece, which ends at `end_ms`, given to the core; `is_whole`: its highest is known."""
    max_mw = state.max_mw
    if not is_whole and state.before_mw > max_mw:
        max_mw = max(max_mw, _believed_mw(state.before_mw, state.earlier_mw, state.power_mw))
    _, works_mw, heat_mw = _bands(state.core, settings)
    low_mw = state.low_mw
    band = QUIET if low_mw == _LEAST_MW else HEAT if low_mw >= heat_mw else WORK if low_mw >= works_mw else WEAK
    piece = Piece(state.piece_ms, end_ms, state.count, state.energy_uj, max_mw, band)
    core = runs_core.known(state.core, piece, settings, happened)
    return _replace(state, core=core, count=0, energy_uj=0, max_mw=0, low_mw=0, high_mw=0)


def _told(state: RunState, happened: Happened, now_ms: int, settings: Settings) -> tuple[RunState, tuple[Output, ...]]:
    """Return the state and the outputs that make of what happened what was not told before."""
    told = state.told
    outputs: list[Output] = []
    for news, track in happened:
        run = shown(track, settings)
        if news is News.STARTED:
            outputs.append(Started(run))
            told = None
            continue
        if told is not None and told.end_ms is not None:
            if told != run:
                outputs.append(Revised(told, run))
        elif run.end_ms is not None:
            outputs.append(Finished(run, now_ms))
        told = None if news is News.FINAL else run
    track_now = state.core.track
    if told is not None and told.end_ms is not None and track_now is not None and track_now.end_ms > told.end_ms:
        run = shown(track_now, settings)
        if run != told:
            outputs.append(Revised(told, run))
            told = run
    if told is not state.told:
        state = _replace(state, told=told)
    return state, tuple(outputs)


def idle(state: RunState, now_ms: int, settings: Settings) -> tuple[RunState, tuple[Output, ...]]:
    """Return the state and what has become certain by `now_ms` although no reading came: mostly nothing.

    Only that a run has finished is ever said so. What later readings make of the runs stays untouched; should they
    contradict what was said, `Revised` says so.
    """
    start_ms, track = state.time_ms, state.core.track
    if start_ms is None or now_ms <= start_ms or track is None:
        return state, ()
    if state.told is not None and state.told.end_ms is not None:
        return state, ()
    happened: Happened = []
    _advanced(state, now_ms, settings, happened)
    for news, ended in happened:
        if news in {News.FINISHED, News.FINAL} and ended.start_ms == track.start_ms:
            run = shown(ended, settings)
            return _replace(state, told=run), (Finished(run, now_ms),)
    return state, ()


def current(state: RunState, settings: Settings, now_ms: int | None = None) -> tuple[State, Run | None]:
    """Return what the appliance is doing at `now_ms` (None: at the newest reading), and the run that goes on."""
    if state.time_ms is None:
        return State.OFF, None
    if not settings.runs:
        return State.ACTIVE if state.power_mw > _OFF_MW else State.OFF, None
    track, told = state.core.track, state.told
    ended_ms = state.core.ended_ms
    if track is not None:
        is_told = told is not None and told.end_ms is not None
        if not track.finished and not is_told:
            return State.ACTIVE, shown(track, settings)
        ended_ms = track.end_ms
    now_ms = state.time_ms if now_ms is None else now_ms
    if ended_ms is not None and now_ms - ended_ms <= settings.finished_ms:
        return State.FINISHED, None
    return State.STANDBY if state.power_mw > _OFF_MW else State.OFF, None


def dump(state: RunState) -> bytes:
    """Return a state as bytes: the version, then msgpack."""
    return _saved.dump(state)


def load(data: bytes) -> RunState | None:
    """Return the state that `dump` made bytes of; None when another version did, or nobody."""
    return _saved.load(data)
