"""Watches the power of the mains for the limiter, and that of any meter for alarms, as readings come in.

Each reading is looked at as it comes; once a second the time is looked at. Readings take a while to come in, so time is
looked at only up to a little ago: as long as the meter's last reading took, and two seconds. What comes in later than
that, or changes the past, has the last hours looked at anew from the store. Nothing is then said of what is over: only
what holds now is told, if it was not yet. So it is after a start, too: what was told stands in the event log.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from casawatt.engine.calibrations import counted
from casawatt.engine.power import believed_mw_columns
from casawatt.engine.shedding import what_to_stop
from casawatt.model.alarm import Alarm
from casawatt.model.columns import ABSENT
from casawatt.model.event import Event, EventFilter
from casawatt.model.meter import Meter
from casawatt.model.ports import Clock
from casawatt.model.supply import AlarmNow, Limiter, Running, Stop, SupplyNow
from casawatt.recorder.line import FAR_MS, Line
from casawatt.recorder.power_answers import alarm_now, supply_now
from casawatt.recorder.power_judges import NORMAL, OVER, WARNING, AlarmJudge, Judge, SupplyJudge
from casawatt.recorder.recorder import Recorder
from casawatt.registry import Registry
from casawatt.store.store import Store

TICK_S = 1.0
LAG_MS = 2000
LAG_MAX_MS = 30_000
ANEW_MS = 10_000
"""The past is looked at anew no more often than this."""

TOLD_MAX = 200
"""So many of a meter's last events are looked through for what was told."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched: the limiter and the alarms. `meter`: the slug of the mains if the config names one."""

    limiter: Limiter | None
    meter: str | None
    alarms: tuple[Alarm, ...]
    zone: ZoneInfo


@dataclass(slots=True)
class Track:
    """A meter that is watched: its line, and who looks at it.

    `said`: the last reading that was looked at; `anew`: all is to be looked at anew; `begun`: it was once.
    """

    line: Line
    judges: list[Judge] = field(default_factory=list)
    said: tuple[int, int | None] = (-FAR_MS, None)
    rebuilds: int = 0
    lag_ms: int = LAG_MS
    anew: bool = True
    begun: bool = False


class PowerWatch:
    """Looks at the meters that matter. Everything runs on the recorder's thread, and nothing here waits."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        recorder: Recorder,
        watched: Watched,
    ) -> None:
        """Look at what `recorder` takes in. What happens is heard by whoever sets `on_event`."""
        self.on_event: Callable[[Event], object] = lambda _event: None
        self._store = store
        self._registry = registry
        self._recorder = recorder
        self._watched = watched
        self._tracks: dict[int, Track] = {}
        self._version = -1
        self._anew_ms = -FAR_MS
        self._supply: SupplyJudge | None = None
        self._alarms: dict[str, AlarmJudge] = {}
        recorder.on_change(self._changed)

    @property
    def _clock(self) -> Clock:
        return self._recorder.clock

    async def run(self) -> None:
        """Look at the time until cancelled. Raises StoreError."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def tick(self) -> None:
        """Look at the time now, and at the past anew where it changed. Raises StoreError."""
        self._renew()
        now_ms = self._clock.now_ms()
        if not -ANEW_MS < now_ms - self._anew_ms < ANEW_MS:
            for track in self._tracks.values():
                if track.anew:
                    self._anew_ms = now_ms
                    self._look_anew(track)
        for track in self._tracks.values():
            for judge in track.judges:
                until_ms = now_ms - track.lag_ms
                if judge.time_ms is not None and judge.time_ms < until_ms:
                    self._tell(judge.idle(until_ms))

    def supply(self) -> SupplyNow:
        """Return how the supply stands now. Raises StoreError."""
        self._bring_up()
        track = next((each for each in self._tracks.values() if self._supply in each.judges), None)
        return supply_now(
            self._clock.now_ms(),
            self._supply,
            None if track is None else track.line,
            without=self._why_not(),
            stop=self._stop,
        )

    def alarms(self) -> list[AlarmNow]:
        """Return how each alarm stands now, in the config's order. Raises StoreError."""
        self._bring_up()
        now_ms, zone = self._clock.now_ms(), self._watched.zone
        return [alarm_now(now_ms, each, self._alarms.get(each.name), zone) for each in self._watched.alarms]

    def _bring_up(self) -> None:
        """Look at all that was not looked at yet."""
        self._renew()
        for track in self._tracks.values():
            if track.anew:
                self._look_anew(track)

    def _renew(self) -> None:
        """Take over which meters there are."""
        if self._version == self._registry.version:
            return
        self._recorder.renew()
        self._version = self._registry.version
        before, self._tracks, self._alarms = self._tracks, {}, {}
        old = {judge for track in before.values() for judge in track.judges}
        mains = self._mains()
        self._supply = None
        if mains is not None and self._watched.limiter is not None:
            kept = next((each for each in old if isinstance(each, SupplyJudge) and each.meter == mains.slug), None)
            self._supply = kept or SupplyJudge(self._watched.limiter, mains.slug, self._stop)
            self._add(mains, self._supply, before)
        meters = {meter.slug: meter for meter in self._registry.meters()}
        for alarm in self._watched.alarms:
            meter = meters.get(alarm.meter)
            if meter is not None:
                known = next((each for each in old if isinstance(each, AlarmJudge) and each.alarm is alarm), None)
                self._alarms[alarm.name] = known or AlarmJudge(alarm, self._watched.zone)
                self._add(meter, self._alarms[alarm.name], before)

    def _add(self, meter: Meter, judge: Judge, before: dict[int, Track]) -> None:
        """Have a judge look at a meter; one that is new to it begins with what was told and with the past."""
        line = self._recorder.line(meter.meter_id)
        if line is None:
            return
        known = before.get(meter.meter_id)
        track = self._tracks.setdefault(meter.meter_id, Track(line))
        track.judges.append(judge)
        if known is not None and judge in known.judges:
            track.said, track.lag_ms, track.anew = known.said, known.lag_ms, known.anew
            track.rebuilds, track.begun = known.rebuilds, known.begun
            return
        track.anew = True
        wanted = EventFilter(types=(OVER, WARNING, NORMAL), subject=meter.slug)
        told = self._store.book.events.list(None, TOLD_MAX, wanted, newest_first=True)
        judge.remember(event for _, event in told)

    def _mains(self) -> Meter | None:
        """Return the meter of the mains: the one that is named, or the only one whose appliance that is."""
        meters = self._registry.meters()
        if self._watched.meter is not None:
            return next((each for each in meters if each.slug == self._watched.meter), None)
        mains = [each for each in meters if each.appliance == "mains" and each.parent is None]
        return mains[0] if len(mains) == 1 else None

    def _why_not(self) -> str | None:
        """Return why the supply is not watched, None if it is."""
        if self._watched.limiter is None:
            return "no limiter is configured: write [supply] limiter, or [[supply.tier]]"
        if self._mains() is not None:
            return None
        if self._watched.meter is not None:
            return f"there is no meter {self._watched.meter!r}, which [supply] names"
        return "no meter measures the mains alone: write [supply] meter, or appliance = 'mains' for one"

    def _changed(self, meter_id: int | None) -> None:
        """Look at what a meter said just now."""
        track = None if meter_id is None else self._tracks.get(meter_id)
        if track is None:
            return
        line, energy = track.line, track.line.state.energy
        if line.rebuilds != track.rebuilds:
            track.rebuilds = line.rebuilds
            track.anew = True
        said = energy.said_ms, energy.said_mw
        if energy.time_ms is None or not track.begun or said == track.said:
            return
        track.said = said
        track.lag_ms = min(LAG_MS + max(line.heard_ms - energy.said_ms, 0), LAG_MAX_MS)
        holds_until_ms = energy.said_ms + line.calibration.gap_limit_ms
        for judge in track.judges:
            time_ms = max(energy.said_ms, judge.time_ms or energy.said_ms)
            track.anew |= time_ms > energy.said_ms
            self._tell(judge.step(time_ms, energy.said_mw, max(holds_until_ms - time_ms, 0)))

    def _look_anew(self, track: Track) -> None:
        """Look at a meter's last hours from the store, and say nothing of them."""
        line = track.line
        reach_ms = max(judge.reach_ms for judge in track.judges)
        columns = self._store.columns(line.meter_id, self._clock.now_ms() - reach_ms, FAR_MS)
        columns = counted(columns, line.calibrations)
        powers_mw, _ = believed_mw_columns(columns, line.calibrations)
        said = powers_mw != ABSENT
        powers = list(zip(columns.time_ms[said].tolist(), powers_mw[said].tolist(), strict=True))
        for judge in track.judges:
            judge.fold(powers, line.calibration.gap_limit_ms)
        track.said = powers[-1] if powers else (-FAR_MS, None)
        track.rebuilds = line.rebuilds
        track.anew, track.begun = False, True

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self.on_event(event)

    def _stop(self, need_mw: int) -> Stop:
        """Return what to stop to use so much less: of the meters that no other is part of, as they are now."""
        lines = self._recorder.lines()
        parents = {line.meter.parent for line in lines}
        mains = self._mains()
        running = [
            Running(line.meter.slug, line.meter.appliance, power_mw)
            for line in lines
            if line.meter.slug not in parents and (mains is None or line.meter_id != mains.meter_id)
            if (power_mw := line.power_mw()) is not None and not self._recorder.is_silent(line)
        ]
        return what_to_stop(running, need_mw)
