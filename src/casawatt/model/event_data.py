"""The data that events carry, one struct a type; `event_types.py` says which is whose.

A type's data only ever gains fields, each with a default: what was written stays readable. What would break it gets a
new type.
"""

from typing import Literal, TypeAlias

import msgspec

SilenceCause: TypeAlias = Literal["limit", "gone", "off"]


class MeterSilent(msgspec.Struct, frozen=True):
    """`casawatt.meter.silent`: nothing is heard of a meter any more; its time is when that became certain.

    `heard_ms`: when it was last heard, UTC ms. `cause`: `limit` when that is longer ago than its gap limit, `gone` when
    it is known that its device has gone, `off` when casawatt was off, and heard nothing of it since it started.
    """

    heard_ms: int
    cause: SilenceCause = "limit"


class MeterBack(msgspec.Struct, frozen=True):
    """`casawatt.meter.back`: a meter that was called silent is heard again.

    `heard_ms`: when it was, UTC ms; `before_ms`: when it was last heard before, UTC ms, null when that is not known.
    """

    heard_ms: int
    before_ms: int | None = None


class SourceFailed(msgspec.Struct, frozen=True):
    """`casawatt.source.failed`: a source, or a link to a broker, failed, and is started again after a pause.

    `error`: what it said; `failures`: how often it has failed since the service started.
    """

    error: str
    failures: int


class PriceDiffers(msgspec.Struct, frozen=True):
    """`casawatt.price.differs`: other prices were told of time that has passed than had been told before.

    `start_ms` and `end_ms`: the first and the last of that time, UTC ms; `quarters`: how many quarter-hours of it are
    different. `old_per_kwh` and `new_per_kwh`: of the first, decimal numbers.
    """

    start_ms: int
    end_ms: int
    quarters: int
    old_per_kwh: str
    new_per_kwh: str


class DigestPower(msgspec.Struct, frozen=True):
    """Mean power of each `resolution_min` minutes of a day; null where less than half of them was measured.

    `time_ms`: where each begins, milliseconds since 1970 in UTC.
    """

    resolution_min: int
    time_ms: list[int]
    power_w: list[float | None]


class DigestMeter(msgspec.Struct, frozen=True):
    """A day of one meter, or of the home. Null is what cannot be said.

    `coverage`: the share of the day that was measured. `mean_w`: while it was. `peak_at`: when power was highest, RFC
    3339. `standby_year_cost`: of the standby power in 365 days, at that day's prices. `usual_wh`: the median of the
    last same weekdays. `runs`: how many began.
    """

    energy_wh: float
    cost: str | None
    coverage: float
    mean_w: float | None
    peak_w: float | None
    peak_at: str | None
    standby_w: float | None
    standby_year_cost: str | None
    usual_wh: float | None
    runs: int


class DigestDaily(msgspec.Struct, frozen=True):
    """`casawatt.digest.daily`: a local day is over. `meters`: each by its slug; `power`: that of the home."""

    date: str
    currency: str
    home: DigestMeter
    meters: dict[str, DigestMeter]
    power: list[DigestPower]


class RunStarted(msgspec.Struct, frozen=True):
    """`casawatt.run.started`: an appliance began to be used. `meter`: its slug; `start`: when, RFC 3339."""

    meter: str
    start: str


class RunFinished(msgspec.Struct, frozen=True):
    """`casawatt.run.finished`: a run has ended, with what it used until then.

    `start` and `end` are RFC 3339. `cost` is a decimal number of `currency`, null where no tariff holds for all of its
    time. `programme` is what runs like it are called, null where nobody named them.
    """

    meter: str
    start: str
    end: str
    duration_s: float
    energy_wh: float
    peak_w: float
    cost: str | None
    currency: str
    programme: str | None


class PowerOver(msgspec.Struct, frozen=True):
    """`casawatt.power.over`: power has gone where it should not, and not just for a moment.

    Of the limiter `alarm` is null and `tier` counts from 1; of an alarm it is its name. The power of the meter is above
    `above_w`, or below `below_w`. `trip_in_s`: how long until the limiter acts at this power; `unknown_s`: it may act
    earlier by as much, as so much within the count was not measured.
    """

    power_w: float
    alarm: str | None = None
    tier: int | None = None
    above_w: float | None = None
    below_w: float | None = None
    trip_in_s: float | None = None
    unknown_s: float = 0.0


class StopMeter(msgspec.Struct, frozen=True):
    """An appliance that can be stopped: its meter's slug, and the power that it uses."""

    meter: str
    power_w: float


class TripWarning(msgspec.Struct, frozen=True):
    """`casawatt.trip.warning`: the limiter will switch the home off soon if the power stays.

    `tier` counts from 1, and is of power above `above_w`. `trip_in_s`: when, from the event's time on; `unknown_s`: it
    may act earlier by as much. `safe_w`: it does not act at this power. `stop`: what to stop to get there, and whether
    that is `enough`; the rest is not measured by any meter of its own.
    """

    power_w: float
    tier: int
    above_w: float
    trip_in_s: float
    unknown_s: float
    safe_w: float
    stop: list[StopMeter]
    enough: bool


class PowerNormal(msgspec.Struct, frozen=True):
    """`casawatt.power.normal`: what `casawatt.power.over` said is over, and has been for a while.

    `alarm`: the alarm's name, null for the limiter. `reason`: `power` when the power is back, `hours` when the alarm is
    off by the clock; then `power_w` is null where it is not known.
    """

    power_w: float | None
    alarm: str | None = None
    reason: Literal["power", "hours"] = "power"
