"""What the API answers about the limiter of the supply and about alarms."""

from typing import Literal

import msgspec

from casawatt.model.alarm import WEEKDAYS, Hours
from casawatt.model.supply import AlarmNow, TierNow
from casawatt.web.documents import Time
from casawatt.web.ports import Ports
from casawatt.web.times import format_time


class TierDocument(msgspec.Struct, frozen=True):
    """Power above `above_w` may flow for `limit_s`; it has for `above_s` without a break.

    `averages_s`: the lengths of the consecutive times whose mean power is looked at too. `trip_in_s`: how long until
    the limiter acts for this tier if the power stays, null if it does not. `unknown_s` within the count were not
    measured, so it may act earlier by as much; `begun_unseen`: nor was the time just before it. `announced`: it was
    told that the power went above, and not yet that it is normal.
    """

    tier: int
    above_w: float
    limit_s: float
    averages_s: list[float]
    above_s: float
    trip_in_s: float | None
    unknown_s: float
    begun_unseen: bool
    announced: bool


class StopDocument(msgspec.Struct, frozen=True):
    """An appliance that can be stopped, and the power that it uses now."""

    meter: str
    power_w: float


class SupplyDocument(msgspec.Struct, frozen=True):
    """How the supply stands at `at`. Null is what is not known, or does not come.

    `state`: `normal`; `over`, when the limiter acts if the power stays, in `trip_in_s` or earlier by up to `unknown_s`,
    for tier `tier` (from 1); `unknown`, when the mains says nothing; `none`, when nothing is watched. `why` says what
    is not known or not watched. `power_w` was said at `said_at`. At `safe_w` the limiter does not act; `stop` is what
    to stop to get there, `enough` or not. `due_at`: when it should have acted, although the power stayed: then its
    tiers are not those of the config.
    """

    at: Time
    meter: str | None
    state: Literal["normal", "over", "unknown", "none"]
    why: str | None
    power_w: float | None
    said_at: Time | None
    contracted_w: float | None
    trip_in_s: float | None
    unknown_s: float
    tier: int | None
    safe_w: float | None
    stop: list[StopDocument]
    enough: bool | None
    due_at: Time | None
    tiers: list[TierDocument]


class HoursDocument(msgspec.Struct, frozen=True):
    """When an alarm is on, by the local clock; `weekdays` are those on which it begins to be."""

    start: str
    end: str
    weekdays: list[str]


class AlarmDocument(msgspec.Struct, frozen=True):
    """How an alarm stands: `over` was told; `normal`; `off` by the clock; `unknown`, when its meter says nothing.

    Told when the power has been above `above_w`, or below `below_w`, for `for_s`; so far it has been for `beyond_s`.
    It is over at `clear_w` and beyond, after `clear_for_s`. `why`: what is not known.
    """

    name: str
    meter: str
    state: Literal["over", "normal", "off", "unknown"]
    why: str | None
    power_w: float | None
    above_w: float | None
    below_w: float | None
    for_s: float
    beyond_s: float
    clear_w: float
    clear_for_s: float
    hours: HoursDocument | None


class AlarmsDocument(msgspec.Struct, frozen=True):
    """All alarms, in the config's order."""

    at: Time
    alarms: list[AlarmDocument]


def supply_document(ports: Ports) -> SupplyDocument:
    """Return how the supply stands, as it is written. Raises StoreError."""
    now, zone = ports.supply.supply(), ports.home.zone
    state: Literal["normal", "over", "unknown", "none"] = "normal"
    if now.meter is None:
        state = "none"
    elif now.power_mw is None:
        state = "unknown"
    elif now.trip_in_ms is not None:
        state = "over"
    unknown_ms = 0 if now.tier is None else min(now.tiers[now.tier].unknown_ms, now.trip_in_ms or 0)
    return SupplyDocument(
        at=format_time(now.time_ms, zone),
        meter=now.meter,
        state=state,
        why=now.why,
        power_w=watts(now.power_mw),
        said_at=None if now.said_ms is None else format_time(now.said_ms, zone),
        contracted_w=ports.home.contracted_w,
        trip_in_s=seconds(now.trip_in_ms),
        unknown_s=unknown_ms / 1000,
        tier=None if now.tier is None else now.tier + 1,
        safe_w=watts(now.safe_mw),
        stop=[StopDocument(each.meter, each.power_mw / 1000) for each in now.stop.meters] if now.stop else [],
        enough=None if now.stop is None else now.stop.enough,
        due_at=None if now.due_ms is None else format_time(now.due_ms, zone),
        tiers=[_tier_document(number, each) for number, each in enumerate(now.tiers, 1)],
    )


def _tier_document(number: int, now: TierNow) -> TierDocument:
    return TierDocument(
        tier=number,
        above_w=now.tier.above_mw / 1000,
        limit_s=now.tier.limit_ms / 1000,
        averages_s=[each / 1000 for each in now.tier.windows_ms],
        above_s=now.above_ms / 1000,
        trip_in_s=seconds(now.left_ms),
        unknown_s=now.unknown_ms / 1000,
        begun_unseen=now.begun_unseen,
        announced=now.told,
    )


def alarms_document(ports: Ports) -> AlarmsDocument:
    """Return how each alarm stands, as it is written. Raises StoreError."""
    at = format_time(ports.clock.now_ms(), ports.home.zone)
    return AlarmsDocument(at, [_alarm_document(each) for each in ports.supply.alarms()])


def _alarm_document(now: AlarmNow) -> AlarmDocument:
    alarm = now.alarm
    state: Literal["over", "normal", "off", "unknown"] = "over" if now.over else "normal"
    why = None
    if not now.on:
        state = "off"
    elif now.missing:
        state, why = "unknown", f"there is no meter {alarm.meter!r}"
    elif now.power_mw is None:
        why = f"{alarm.meter} says no power now, so its time stands still"
        state = "over" if now.over else "unknown"
    threshold_w = alarm.threshold_mw / 1000
    return AlarmDocument(
        name=alarm.name,
        meter=alarm.meter,
        state=state,
        why=why,
        power_w=watts(now.power_mw),
        above_w=None if alarm.below else threshold_w,
        below_w=threshold_w if alarm.below else None,
        for_s=alarm.for_ms / 1000,
        beyond_s=now.beyond_ms / 1000,
        clear_w=alarm.clear_mw / 1000,
        clear_for_s=alarm.clear_ms / 1000,
        hours=None if alarm.hours is None else _hours_document(alarm.hours),
    )


def _hours_document(hours: Hours) -> HoursDocument:
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (hours.from_min, hours.to_min))
    return HoursDocument(start, end, [WEEKDAYS[each] for each in hours.weekdays])


def watts(power_mw: int | None) -> float | None:
    """Return mW as W."""
    return None if power_mw is None else power_mw / 1000


def seconds(time_ms: int | None) -> float | None:
    """Return ms as s."""
    return None if time_ms is None else time_ms / 1000
