"""The summary of one local day."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest power of a day, and when it began (UTC ms).

    `span_ms`: 0 where it is the power of that instant; else how long the minute or quarter-hour was that began then,
    which it is the mean of, or in which it was.
    """

    power_mw: int
    time_ms: int
    span_ms: int


@dataclass(frozen=True, slots=True)
class Standby:
    """What flows when nothing is used, and what it would cost in 365 days at that day's prices; None without any."""

    power_mw: int
    year_cost: Fraction | None


@dataclass(frozen=True, slots=True)
class DayRun:
    """A run that began on the day. `end_ms`: None while it goes on; a day that ends before it does not cut it."""

    start_ms: int
    end_ms: int | None
    energy_mwh: int
    cost: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Usual:
    """The median energy of `days` earlier days of the same weekday."""

    energy_mwh: int
    days: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean power of each `resolution_min` minutes from the day's beginning; None where less than half was measured."""

    resolution_min: int
    time_ms: tuple[int, ...]
    power_mw: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The day of one meter, or of the home (`slug` None).

    `cost`: None where no price is known; `cost_complete`: prices of all of the energy were. `gaps`: spans (UTC ms)
    without measurement. `usual`: None where it is not compared, and `not_compared` says why.
    """

    slug: str | None
    energy_mwh: int
    measured_ms: int
    length_ms: int
    mean_mw: int | None
    peak: Peak | None
    standby: Standby | None
    cost: Fraction | None
    cost_complete: bool
    runs: tuple[DayRun, ...]
    gaps: tuple[tuple[int, int], ...]
    usual: Usual | None
    not_compared: str | None
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """A local day, `start_ms <= t < end_ms`, of the home and of each meter. `over`: the day has ended."""

    day: date
    start_ms: int
    end_ms: int
    over: bool
    home: Part
    meters: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ToldBefore:
    """When a day was told (UTC ms), and in sentences what of its figures is different now."""

    made_ms: int
    differences: tuple[str, ...]
