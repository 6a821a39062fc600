"""How the limiter and an alarm stand at an instant, for whoever asks."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from casawatt.engine import alarm as alarms
from casawatt.engine import limiter as limiters
from casawatt.engine.hours import is_on
from casawatt.engine.limiter_count import Count, left_ms
from casawatt.model.alarm import Alarm
from casawatt.model.supply import AlarmNow, Limiter, Stop, SupplyNow, TierNow
from casawatt.recorder.line import Line
from casawatt.recorder.power_judges import AlarmJudge, SupplyJudge


def supply_now(
    now_ms: int, judge: SupplyJudge | None, line: Line | None, *, without: str | None, stop: Callable[[int], Stop]
) -> SupplyNow:
    """Return how the supply stands. `without`: why there is no judge; `stop` gives what to stop for so many mW."""
    if judge is None or line is None:
        return SupplyNow(now_ms, None, without, None, None, (), None, None, None, None, None)
    state = judge.state
    if state.time_ms is not None:
        state, _ = limiters.idle(state, max(now_ms, state.time_ms), judge.limiter)
    soonest = limiters.trip_in_ms(state, judge.limiter)
    safe_mw = limiters.safe_mw(state, judge.limiter)
    power_mw, energy = state.power_mw, line.state.energy
    need_mw = 0 if power_mw is None or soonest is None else power_mw - safe_mw
    return SupplyNow(
        time_ms=now_ms,
        meter=judge.meter,
        why=_not_known(state, now_ms),
        power_mw=power_mw,
        said_ms=None if energy.time_ms is None else energy.said_ms,
        tiers=_tiers(state, judge.limiter),
        trip_in_ms=None if soonest is None else soonest[0],
        tier=None if soonest is None else soonest[1],
        safe_mw=max(safe_mw, 0),
        stop=stop(need_mw) if need_mw > 0 else None,
        due_ms=state.due_ms,
    )


def _tiers(state: limiters.State, limiter: Limiter) -> tuple[TierNow, ...]:
    found = []
    for count, tier in zip(state.counts or (Count(),) * len(limiter.tiers), limiter.tiers, strict=True):
        left = None if state.power_mw is None else left_ms(count, tier, state.power_mw)
        found.append(
            TierNow(tier, count.above_ms, left, count.unknown_ms, count.runs and count.begun_unseen, count.told)
        )
    return tuple(found)


def _not_known(state: limiters.State, now_ms: int) -> str | None:
    """Return in a sentence what is not known of the supply, None if nothing is missing."""
    if state.time_ms is None:
        return "the mains was never heard, so nothing is known of the limiter"
    if state.power_mw is None:
        silent_s = max(now_ms - state.until_ms, 0) / 1000
        return f"the mains has said no power for {silent_s:.0f} s longer than one holds, so there is no countdown"
    running = [count for count in state.counts if count.runs]
    unknown_s = max((count.unknown_ms for count in running), default=0) / 1000
    if unknown_s:
        return f"{unknown_s:.0f} s of the time that counts were not measured: it may act earlier by as much"
    if any(count.begun_unseen for count in running):
        return "the mains was not measured just before it went over: it may act earlier"
    return None


def alarm_now(now_ms: int, alarm: Alarm, judge: AlarmJudge | None, zone: ZoneInfo) -> AlarmNow:
    """Return how an alarm stands; `judge` is None where its meter does not exist."""
    on = alarm.hours is None or is_on(alarm.hours, zone, now_ms)[0]
    if judge is None:
        return AlarmNow(alarm, on, over=False, power_mw=None, beyond_ms=0, missing=True)
    state = judge.state
    if state.time_ms is not None:
        state, _ = alarms.idle(state, max(now_ms, state.time_ms), alarm, zone)
    return AlarmNow(alarm, on, state.over, state.power_mw, state.beyond_ms, missing=False)
