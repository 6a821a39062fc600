"""Which runs later readings may still change, for whoever finds runs anew from a state of the past."""

from casawatt.engine.runs import RunState
from casawatt.engine.runs_judge import ON_RECENT_MS
from casawatt.model.run import Run


def open_since_ms(state: RunState) -> int | None:
    """Return the begin (UTC ms) of the first run that readings later than the state's may end, change or be.

    None before the first reading. Every run that began earlier was told as it stays.
    """
    if state.time_ms is None:
        return None
    core = state.core
    begun_ms = [state.piece_ms if state.count else state.time_ms]
    begun_ms += [each.start_ms for each in (core.track, core.burst) if each is not None]
    on_since_ms = core.on_since_ms
    if on_since_ms is not None and state.time_ms - on_since_ms <= ON_RECENT_MS:
        begun_ms.append(on_since_ms)
    return min(begun_ms if state.told is None else [*begun_ms, state.told.start_ms])


def told(state: RunState) -> Run | None:
    """Return the run that was told as finished and may still be changed, None when there is none."""
    return state.told if state.told is not None and state.told.end_ms is not None else None


def goes_on(state: RunState) -> bool:
    """Return whether there is a run that time alone may end."""
    return state.core.track is not None and not state.core.track.finished
