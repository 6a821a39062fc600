"""What a home's and a meter's consumption is like: what always flows, what a day looks like, what is not as it was."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from casawatt.model.digest import Standby

SLOTS = 96
"""The quarter-hours that the clock on the wall shows in a day."""

Values = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """What flows when nobody does anything: the median of the standby power of `days` days.

    `percent`: how much of all consumption of these days it makes, None where there was none.
    """

    standby: Standby
    days: int
    percent: int | None


@dataclass(frozen=True, slots=True)
class DayPeak:
    """The highest power of a day, and the quarter-hour (its begin, UTC ms) in which it was."""

    power_mw: int
    quarter_ms: int


@dataclass(frozen=True, slots=True)
class Peaks:
    """The highest of the days' peaks, the highest first, and the median of all `days` of them."""

    highest: tuple[DayPeak, ...]
    usual_mw: int
    days: int


@dataclass(frozen=True, slots=True)
class Profile:
    """The usual day of a weekday (0 is Monday): power in mW for each of the 96 quarter-hours of the clock on the wall.

    The median of `days` days, and the quartiles below and above it; None where fewer than three days say.
    """

    weekday: int
    days: int
    low_mw: Values
    median_mw: Values
    high_mw: Values


@dataclass(frozen=True, slots=True)
class Unusual:
    """That today's energy, until `minute` of the clock, is far from what it was by then on `days` days before.

    `usual_mwh` is their median, or that of the same weekdays among them; `extreme_mwh` the highest (or lowest).
    """

    slug: str | None
    minute: int
    energy_mwh: int
    usual_mwh: int
    extreme_mwh: int
    days: int
    more: bool


@dataclass(frozen=True, slots=True)
class Rise:
    """That an appliance uses more than it did: the median energy of a day, or of a run, lately and before.

    `than`: with what it is compared. `year_cost`: of what is more, in 365 days; only by the day and with prices.
    """

    slug: str
    each: Literal["day", "run"]
    than: Literal["a year ago", "before"]
    recent_mwh: int
    before_mwh: int
    recent_count: int
    before_count: int
    year_cost: Fraction | None = None

    @property
    def percent(self) -> int:
        """How many percent more."""
        return round(100 * (self.recent_mwh - self.before_mwh) / self.before_mwh)


@dataclass(frozen=True, slots=True)
class Balance:
    """What a meter measured, what those behind it did, and the rest, over the quarter-hours that all measured whole.

    `start_ms` and `end_ms` (UTC ms) are the period, of which `common` of `quarters` quarter-hours were. `causes`: what
    may be why the rest is negative, in sentences; never empty when it is.
    """

    slug: str
    start_ms: int
    end_ms: int
    quarters: int
    common: int
    energy_mwh: int
    parts: tuple[tuple[str, int], ...]
    causes: tuple[str, ...]

    @property
    def rest_mwh(self) -> int:
        """What no meter behind it measured."""
        return self.energy_mwh - sum(energy for _, energy in self.parts)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is usual of one meter, or of the home (`slug` None). None, or empty, is what cannot be said."""

    slug: str | None
    base: Base | None
    peaks: Peaks | None
    profiles: tuple[Profile, ...]
    unusual: Unusual | None
    rises: tuple[Rise, ...]


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of the home and of each meter as of `now_ms`."""

    now_ms: int
    home: Pattern
    meters: tuple[Pattern, ...]
    balances: tuple[Balance, ...]
