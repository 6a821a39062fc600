"""What is held of the limiter and of each alarm while readings come in, and how what they say becomes events."""

from collections.abc import Callable, Iterable
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from casawatt.engine import alarm as alarms
from casawatt.engine import limiter as limiters
from casawatt.engine.limiter import Kind, Said
from casawatt.engine.limiter_count import Count
from casawatt.model.alarm import Alarm
from casawatt.model.event import Event
from casawatt.model.event_data import PowerNormal, PowerOver, StopMeter, TripWarning
from casawatt.model.event_types import TYPE_OF, event_of
from casawatt.model.supply import Limiter, Stop

OVER, WARNING, NORMAL = TYPE_OF[PowerOver], TYPE_OF[TripWarning], TYPE_OF[PowerNormal]
HOUR_MS = 3_600_000
SUPPLY = "supply"
"""What stands in an event's id where others have the name of an alarm. No alarm can be called `supply/1`."""

Powers = Iterable[tuple[int, int]]
"""Times (UTC ms) and powers (mW), in order of time."""


class Judge(Protocol):
    """One who looks at the power of a meter."""

    @property
    def time_ms(self) -> int | None:
        """All is looked at until this time (UTC ms); None: nothing is."""
        ...

    @property
    def reach_ms(self) -> int:
        """What was longer ago than this makes no difference any more."""
        ...

    def step(self, time_ms: int, power_mw: int | None, holds_ms: int) -> list[Event]:
        """Take in a reading, not older than `time_ms`; return what is to be told."""
        ...

    def idle(self, now_ms: int) -> list[Event]:
        """Let time pass, not to before `time_ms`; return what is to be told."""
        ...

    def fold(self, powers: Powers, holds_ms: int) -> None:
        """Look at all readings there are anew; what was told stays told."""
        ...

    def remember(self, newest_first: Iterable[Event]) -> None:
        """Take over from the events of the meter what was told."""
        ...


class SupplyJudge:
    """Looks at the mains for the limiter. `stop` gives what to stop to use so many mW less."""

    def __init__(self, limiter: Limiter, meter: str, stop: Callable[[int], Stop]) -> None:
        self.limiter = limiter
        self.state = limiters.START
        self.meter = meter
        self._stop = stop

    @property
    def time_ms(self) -> int | None:
        """All is looked at until this time (UTC ms); None: nothing is."""
        return self.state.time_ms

    @property
    def reach_ms(self) -> int:
        """Twice the longest time that the limiter looks at."""
        return 2 * max(max(tier.limit_ms, sum(tier.windows_ms)) for tier in self.limiter.tiers)

    def step(self, time_ms: int, power_mw: int | None, holds_ms: int) -> list[Event]:
        """Take in a reading; return what is to be told."""
        self.state, said = limiters.step(self.state, time_ms, power_mw, self.limiter, holds_ms)
        return self._events(said)

    def idle(self, now_ms: int) -> list[Event]:
        """Let time pass; return what is to be told."""
        self.state, said = limiters.idle(self.state, now_ms, self.limiter)
        return self._events(said)

    def fold(self, powers: Powers, holds_ms: int) -> None:
        """Look at all readings there are anew; what was told stays told."""
        state = limiters.START
        for time_ms, power_mw in powers:
            state, _ = limiters.step(state, time_ms, power_mw, self.limiter, holds_ms)
        self.state = limiters.told_as(state, self.state.counts) if self.state.counts else state

    def remember(self, newest_first: Iterable[Event]) -> None:
        """Take over from the events of the mains what was told of the limiter since it was last normal."""
        counts = [Count() for _ in self.limiter.tiers]
        for event in newest_first:
            if event.data.get("alarm") is not None:
                continue
            if event.type == NORMAL:
                break
            place = int(event.data["tier"]) - 1
            if place >= len(counts):
                continue
            for lower in range(place + 1):
                counts[lower] = msgspec.structs.replace(counts[lower], over=True)
            if event.type == WARNING and counts[place].warned_ms is None:
                left_ms = round((event.data["trip_in_s"] - event.data["unknown_s"]) * 1000)
                counts[place] = msgspec.structs.replace(counts[place], warned_ms=max(left_ms, 0))
        self.state = limiters.told_as(self.state, counts)

    def _events(self, said: Iterable[Said]) -> list[Event]:
        return [self._event(each) for each in said if each.kind is not Kind.DUE]

    def _event(self, said: Said) -> Event:
        power_w = said.power_mw / 1000
        tier = said.tier + 1
        above_w = self.limiter.tiers[said.tier].above_mw / 1000
        unknown_s = min(said.unknown_ms, said.trip_in_ms or 0) / 1000
        data: PowerOver | PowerNormal | TripWarning
        if said.kind is Kind.NORMAL:
            data = PowerNormal(power_w)
        elif said.kind is Kind.OVER:
            trip_in_s = None if said.trip_in_ms is None else said.trip_in_ms / 1000
            data = PowerOver(power_w, None, tier, above_w, None, trip_in_s, unknown_s)
        else:
            safe_mw = limiters.safe_mw(self.state, self.limiter)
            stop = self._stop(said.power_mw - safe_mw)
            meters = [StopMeter(each.meter, each.power_mw / 1000) for each in stop.meters]
            trip_in_s = (said.trip_in_ms or 0) / 1000
            data = TripWarning(
                power_w, tier, above_w, trip_in_s, unknown_s, max(safe_mw, 0) / 1000, meters, stop.enough
            )
        return event_of(data, said.time_ms, self.meter, f"{SUPPLY}/{tier}/{said.time_ms}")


class AlarmJudge:
    """Looks at a meter for an alarm."""

    def __init__(self, alarm: Alarm, zone: ZoneInfo) -> None:
        self.alarm = alarm
        self.state = alarms.START
        self._zone = zone

    @property
    def time_ms(self) -> int | None:
        """All is looked at until this time (UTC ms); None: nothing is."""
        return self.state.time_ms

    @property
    def reach_ms(self) -> int:
        """The alarm's own time, and an hour."""
        return self.alarm.for_ms + HOUR_MS

    def step(self, time_ms: int, power_mw: int | None, holds_ms: int) -> list[Event]:
        """Take in a reading; return what is to be told."""
        self.state, told = alarms.step(self.state, time_ms, power_mw, self.alarm, holds_ms, self._zone)
        return [self._event(each) for each in told]

    def idle(self, now_ms: int) -> list[Event]:
        """Let time pass; return what is to be told."""
        self.state, told = alarms.idle(self.state, now_ms, self.alarm, self._zone)
        return [self._event(each) for each in told]

    def fold(self, powers: Powers, holds_ms: int) -> None:
        """Look at all readings there are anew; what was told stays told."""
        state = alarms.START
        for time_ms, power_mw in powers:
            state, _ = alarms.step(state, time_ms, power_mw, self.alarm, holds_ms, self._zone)
        self.state = msgspec.structs.replace(state, over=self.state.over, clear_ms=0)

    def remember(self, newest_first: Iterable[Event]) -> None:
        """Take over from the events of the meter whether the alarm was told last."""
        last = next((each for each in newest_first if each.data.get("alarm") == self.alarm.name), None)
        self.state = msgspec.structs.replace(self.state, over=last is not None and last.type == OVER)

    def _event(self, told: alarms.Told) -> Event:
        alarm = self.alarm
        data: PowerOver | PowerNormal
        if told.over:
            threshold_w = alarm.threshold_mw / 1000
            above_w, below_w = (None, threshold_w) if alarm.below else (threshold_w, None)
            data = PowerOver((told.power_mw or 0) / 1000, alarm.name, None, above_w, below_w)
        else:
            power_w = None if told.power_mw is None else told.power_mw / 1000
            data = PowerNormal(power_w, alarm.name, "hours" if told.hours else "power")
        return event_of(data, told.time_ms, alarm.meter, f"{alarm.name}/{told.time_ms}")
