"""A plain threshold alarm, from the power of one meter.

A reading's power holds until the next one, and no longer than the gap limit. Time of which nothing is known stands
still: it neither counts towards the alarm nor against it; silence longer than the alarm's own time begins it anew.
While the alarm is off by the clock nothing is counted, and one that was told is over.
"""

from zoneinfo import ZoneInfo

import msgspec

from casawatt.engine.hours import is_on
from casawatt.model.alarm import Alarm


class Told(msgspec.Struct, frozen=True):
    """The alarm's power was reached (`over`), or is back to normal, at an instant (UTC ms).

    `power_mw` is None where the alarm's hours ended while nothing was known of it. `hours`: it is over because they
    ended.
    """

    over: bool
    time_ms: int
    power_mw: int | None
    hours: bool = False


class State(msgspec.Struct, frozen=True, array_like=True):
    """All up to `time_ms` (UTC ms, None at the start).

    `power_mw` holds until `until_ms`; None: nothing is known any more, for `gap_ms` now. `beyond_ms`: so long it has
    been beyond the threshold, as far as is known; `clear_ms`: so long it is back; `over`: it was told.
    """

    time_ms: int | None = None
    power_mw: int | None = None
    until_ms: int = 0
    gap_ms: int = 0
    beyond_ms: int = 0
    clear_ms: int = 0
    over: bool = False


START = State()
"""Nothing is known yet."""


def step(
    state: State, time_ms: int, power_mw: int | None, alarm: Alarm, holds_ms: int, zone: ZoneInfo
) -> tuple[State, tuple[Told, ...]]:
    """Return the state after a reading, and what is to be told of the time up to it and of itself.

    `power_mw` holds for `holds_ms` at most; None: from now on nothing is known. Raises ValueError for a reading older
    than the state.
    """
    if state.time_ms is None:
        state = State(time_ms, None, time_ms, over=state.over)
    state, told = idle(state, time_ms, alarm, zone)
    if power_mw is None:
        return msgspec.structs.replace(state, power_mw=None, until_ms=time_ms), told
    on = alarm.hours is None or is_on(alarm.hours, zone, time_ms)[0]
    state = State(
        time_ms,
        power_mw,
        time_ms + holds_ms,
        0,
        state.beyond_ms if on and alarm.is_beyond(power_mw) else 0,
        state.clear_ms if alarm.is_clear(power_mw) else 0,
        state.over,
    )
    state, more = _speak(state, alarm, on=on)
    return state, told + more


def idle(state: State, now_ms: int, alarm: Alarm, zone: ZoneInfo) -> tuple[State, tuple[Told, ...]]:
    """Return the state at `now_ms`, with no reading since, and what is to be told of the time until then.

    Asked in many steps or in one, it comes to the same. Raises ValueError for a time before the state's.
    """
    if state.time_ms is None:
        return state, ()
    if now_ms < state.time_ms:
        message = f"{now_ms} ms is before {state.time_ms} ms, up to which all is counted"
        raise ValueError(message)
    told: tuple[Told, ...] = ()
    time_ms = state.time_ms
    while time_ms < now_ms:
        on, until_ms = (True, now_ms) if alarm.hours is None else is_on(alarm.hours, zone, time_ms)
        until_ms = min(until_ms, now_ms, *_instants_ms(state, time_ms, alarm))
        state = _passed(state, time_ms, until_ms, alarm, on=on)
        time_ms = until_ms
        on = alarm.hours is None or is_on(alarm.hours, zone, time_ms)[0]
        state, more = _speak(state, alarm, on=on)
        told += more
    return state, told


def _instants_ms(state: State, time_ms: int, alarm: Alarm) -> list[int]:
    """Return the later instants at which something becomes due, or nothing is known any more."""
    if state.power_mw is None:
        return []
    found = [state.until_ms, time_ms + alarm.for_ms - state.beyond_ms, time_ms + alarm.clear_ms - state.clear_ms]
    return [each for each in found if each > time_ms]


def _passed(state: State, time_ms: int, until_ms: int, alarm: Alarm, *, on: bool) -> State:
    """Return the state at `until_ms`, before which nothing becomes due."""
    passed_ms = until_ms - time_ms
    known = state.power_mw is not None and time_ms < state.until_ms
    if state.power_mw is None or not known:
        gap_ms = state.gap_ms + passed_ms
        beyond_ms = state.beyond_ms if on and gap_ms < alarm.for_ms else 0
        return State(until_ms, None, state.until_ms, gap_ms, beyond_ms, 0, state.over)
    beyond_ms = state.beyond_ms + passed_ms if on and alarm.is_beyond(state.power_mw) else 0
    clear_ms = state.clear_ms + passed_ms if alarm.is_clear(state.power_mw) else 0
    return State(
        until_ms,
        state.power_mw,
        state.until_ms,
        0,
        min(beyond_ms, alarm.for_ms),
        min(clear_ms, alarm.clear_ms),
        state.over,
    )


def _speak(state: State, alarm: Alarm, *, on: bool) -> tuple[State, tuple[Told, ...]]:
    """Return what is to be told at this instant, and the state that knows it was."""
    if state.time_ms is None:
        return state, ()
    power_mw = state.power_mw
    if not on:
        ended = (Told(over=False, time_ms=state.time_ms, power_mw=power_mw, hours=True),) if state.over else ()
        return msgspec.structs.replace(state, beyond_ms=0, over=False), ended
    if power_mw is None:
        return state, ()
    if not state.over and alarm.is_beyond(power_mw) and state.beyond_ms >= alarm.for_ms:
        return msgspec.structs.replace(state, over=True), (Told(over=True, time_ms=state.time_ms, power_mw=power_mw),)
    if state.over and alarm.is_clear(power_mw) and state.clear_ms >= alarm.clear_ms:
        return msgspec.structs.replace(state, over=False), (Told(over=False, time_ms=state.time_ms, power_mw=power_mw),)
    return state, ()
