"""When the limiter will switch the home off, from the power of the mains.

Each reading's power holds until the next one, and no longer than the gap limit. Every tier has a count of its own: how
long its power has been exceeded without a break and, where the limiter looks at averages, the mean so far of the time
it looks at. Where power is constant the countdown is exact to the millisecond, whatever the readings' spacing: what
becomes due between two readings is said with the instant at which it did.

Time of which nothing is known stands still: it is neither counted as if the power had stayed, nor does it end a count.
It is kept beside the count (`Count.unknown_ms`), because the limiter may act earlier by as much, and warnings come
earlier by as much. Silence longer than what was left ends a count: had the power stayed, the limiter would have acted
meanwhile. So it begins anew with the next reading, which is said too (`Count.begun_unseen`).

What was announced is part of the state, so nothing is announced twice. A tier is entered once, and again only after
the power was 5 % below it for a while. A warning comes again when half the time is left, or when a count that was over
for a while has begun anew.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from casawatt.engine import limiter_count
from casawatt.engine.limiter_count import Count
from casawatt.model.supply import Limiter


class Kind(StrEnum):
    """What is said."""

    OVER = "over"
    """A tier has been entered, and it is not just a motor that starts."""
    WARNING = "warning"
    """The limiter will act soon at the present power."""
    DUE = "due"
    """It should have acted now."""
    NORMAL = "normal"
    """All that was announced is over."""


class Said(msgspec.Struct, frozen=True):
    """Something to be told, at its instant (UTC ms). `tier`: its place in the limiter, 0 where there is none.

    `trip_in_ms` is None where the limiter will not act at this power; `unknown_ms`: it may be earlier by as much.
    """

    kind: Kind
    time_ms: int
    tier: int
    power_mw: int
    trip_in_ms: int | None = None
    unknown_ms: int = 0


class State(msgspec.Struct, frozen=True, array_like=True):
    """All up to `time_ms` (UTC ms, None at the start).

    `power_mw` holds until `until_ms`; None: nothing is known any more, for `gap_ms` now. `due_ms`: when the limiter
    should have acted last, since the power was normal.
    """

    time_ms: int | None = None
    power_mw: int | None = None
    until_ms: int = 0
    gap_ms: int = 0
    counts: tuple[Count, ...] = ()
    due_ms: int | None = None


START = State()
"""Nothing is known yet."""

_QUIET = Count()
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def step(
    state: State, time_ms: int, power_mw: int | None, limiter: Limiter, holds_ms: int
) -> tuple[State, tuple[Said, ...]]:
    """Return the state after a reading, and what is to be said of the time up to it and of itself.

    `power_mw` holds for `holds_ms` at most; None: from now on nothing is known. Raises ValueError for a reading older
    than the state.
    """
    if state.time_ms is None:
        told = state.counts or tuple(Count() for _ in limiter.tiers)
        counts = tuple(Count(begun_unseen=True, over=each.over, warned_ms=each.warned_ms) for each in told)
        state = State(time_ms, None, time_ms, 0, counts)
    state, said = idle(state, time_ms, limiter)
    if power_mw is None:
        return msgspec.structs.replace(state, power_mw=None, until_ms=time_ms), said
    pairs = zip(state.counts, limiter.tiers, strict=True)
    counts = tuple(limiter_count.entered(count, tier, power_mw) for count, tier in pairs)
    state, more = _speak(State(time_ms, power_mw, time_ms + holds_ms, 0, counts, state.due_ms), limiter)
    return state, (*said, *more)


def idle(state: State, now_ms: int, limiter: Limiter) -> tuple[State, tuple[Said, ...]]:
    """Return the state at `now_ms`, with no reading since, and what is to be said of the time until then.

    Asked in many steps or in one, it comes to the same. Raises ValueError for a time before the state's.
    """
    if state.time_ms is None:
        return state, ()
    if now_ms < state.time_ms:
        message = f"{now_ms} ms is before {state.time_ms} ms, up to which all is counted"
        raise ValueError(message)
    said: tuple[Said, ...] = ()
    known_ms = state.time_ms
    if state.power_mw is not None:
        known_ms = min(now_ms, state.until_ms)
        state, said = _through(state, state.time_ms, known_ms, state.power_mw, limiter)
    if now_ms > known_ms:
        gap_ms = state.gap_ms + now_ms - known_ms
        pairs = zip(state.counts, limiter.tiers, strict=True)
        counts = tuple(limiter_count.unseen(*pair, now_ms - known_ms, gap_ms) for pair in pairs)
        state = State(now_ms, None, state.until_ms, gap_ms, counts, state.due_ms)
    return state, said


def trip_in_ms(state: State, limiter: Limiter) -> tuple[int, int] | None:
    """Return in how many ms the limiter will act at the present power, and for which tier.

    None: it will not, or nothing is known of the power (`State.power_mw` is None).
    """
    power_mw = state.power_mw
    if power_mw is None:
        return None
    found = []
    for number, (count, tier) in enumerate(zip(state.counts, limiter.tiers, strict=True)):
        left_ms = limiter_count.left_ms(count, tier, power_mw)
        if left_ms is not None:
            found.append((left_ms, number))
    return min(found, default=None)


def safe_mw(state: State, limiter: Limiter) -> int:
    """Return the highest power at which the limiter would not act if it stayed, mW; below 0 when it will in any case.

    It is that of the first tier, or less where the mean of a time that ends soon is at stake.
    """
    safe = limiter.tiers[0].above_mw
    for count, tier in zip(state.counts, limiter.tiers, strict=True):
        if count.window is not None and count.window == len(tier.windows_ms) - 1:
            whole_ms = tier.windows_ms[count.window]
            safe = min(safe, (tier.above_mw * whole_ms - count.window_mw_ms) // (whole_ms - count.window_ms))
    return safe


def told_as(state: State, counts: Iterable[Count]) -> State:
    """Return the state with what was announced taken from `counts`, one for each tier."""
    others = tuple(counts)
    told = tuple(
        msgspec.structs.replace(own, over=other.over, warned_ms=other.warned_ms, clear_ms=0, calm_ms=0)
        for own, other in zip(state.counts or (Count(),) * len(others), others, strict=True)
    )
    return msgspec.structs.replace(state, counts=told)


def dump(state: State) -> bytes:
    """Return a state as bytes."""
    return _encoder.encode(state)


def load(data: bytes) -> State:
    """Return the state that `dump` made bytes of; raises msgspec.DecodeError."""
    return _decoder.decode(data)


def _through(
    state: State, time_ms: int, end_ms: int, power_mw: int, limiter: Limiter
) -> tuple[State, tuple[Said, ...]]:
    """Return the state at `end_ms` with the power staying as it is, and what is to be said on the way."""
    if power_mw <= limiter.tiers[0].above_mw and all(count == _QUIET for count in state.counts):
        return msgspec.structs.replace(state, time_ms=end_ms), ()
    said: list[Said] = []
    while time_ms < end_ms:
        pairs = list(zip(state.counts, limiter.tiers, strict=True))
        instants = [ms for pair in pairs for ms in limiter_count.instants_ms(*pair, power_mw, limiter)]
        passed_ms = min([end_ms - time_ms, *(each for each in instants if each > 0)])
        time_ms += passed_ms
        after = [limiter_count.passed(*pair, power_mw, passed_ms) for pair in pairs]
        counts, due_ms = [count for count, _ in after], state.due_ms
        acting = [number for number, (_, acts) in enumerate(after) if acts]
        if acting:
            due_ms = time_ms
            said.append(Said(Kind.DUE, time_ms, acting[-1], power_mw, 0, state.counts[acting[-1]].unknown_ms))
            both = zip(counts, limiter.tiers, strict=True)
            counts = [limiter_count.begun_anew(count, tier, power_mw) for count, tier in both]
        state, more = _speak(State(time_ms, power_mw, state.until_ms, state.gap_ms, tuple(counts), due_ms), limiter)
        said += more
    return state, tuple(said)


def _speak(state: State, limiter: Limiter) -> tuple[State, tuple[Said, ...]]:
    """Return what is to be said at this instant, and the state that knows it was."""
    if state.time_ms is None or state.power_mw is None:
        return state, ()
    counts, said = list(state.counts), []
    soonest = trip_in_ms(state, limiter)
    left_ms, unknown_ms = (None, 0) if soonest is None else (soonest[0], counts[soonest[1]].unknown_ms)
    if (tier := _entered(state, limiter)) is not None:
        _note(counts, tier)
        said.append(Said(Kind.OVER, state.time_ms, tier, state.power_mw, left_ms, unknown_ms))
    if soonest is not None and _warns(counts[soonest[1]], soonest, limiter):
        tier = soonest[1]
        _note(counts, tier)
        counts[tier] = msgspec.structs.replace(counts[tier], warned_ms=max(soonest[0] - unknown_ms, 0))
        said.append(Said(Kind.WARNING, state.time_ms, tier, state.power_mw, left_ms, unknown_ms))
    for number, pair in enumerate(zip(counts, limiter.tiers, strict=True)):
        if limiter_count.left_ms(*pair, state.power_mw) is None:
            counts[number] = limiter_count.taken_back(pair[0], limiter)
    due_ms = state.due_ms
    if any(count.told for count in state.counts) and not any(count.told for count in counts):
        said.append(Said(Kind.NORMAL, state.time_ms, 0, state.power_mw))
        due_ms = None
    return msgspec.structs.replace(state, counts=tuple(counts), due_ms=due_ms), tuple(said)


def _note(counts: list[Count], tier: int) -> None:
    """Note that a tier was announced, and with it those below it."""
    for number in range(tier + 1):
        counts[number] = msgspec.structs.replace(counts[number], over=True)


def _warns(count: Count, soonest: tuple[int, int], limiter: Limiter) -> bool:
    """Say whether the tier that the limiter acts for soonest is to be warned of now."""
    at_ms = limiter_count.warns_at_ms(count, limiter.warn_ms)
    if at_ms is None or soonest[0] - count.unknown_ms > at_ms:
        return False
    return limiter_count.is_confirmed(count, limiter.tiers[soonest[1]])


def _entered(state: State, limiter: Limiter) -> int | None:
    """Return the highest tier that the power is in, if that was not announced yet and has lasted long enough."""
    for number in reversed(range(len(limiter.tiers))):
        count, tier = state.counts[number], limiter.tiers[number]
        if (state.power_mw or 0) > tier.above_mw and count.above_ms >= tier.confirm_ms:
            return None if count.over else number
    return None
