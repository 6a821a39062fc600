"""Energy over a span of time, with how much of that span was really measured."""

from enum import IntFlag
from typing import Self

import msgspec

INTERVAL_MS = 900_000
"""Length of the fixed clock quarter-hour that everything else is made of."""

MICROJOULES_PER_MWH = 3_600_000
"""One mWh is 3.6 J; one mW for one ms is a microjoule."""

POWER_MW_MAX = 2**31 - 1
"""The most that an interval's lowest and highest power can be, 2.1 MW in either direction; more is kept as this."""


class How(IntFlag):
    """How the energy of an interval was obtained; more than one may apply."""

    HOLD = 1
    """Power, held from each reading to the next."""
    TRAPEZOID = 2
    """Power, as a straight line between readings."""
    REGISTER = 4
    """The device's own energy or charge register."""
    SPREAD = 8
    """A register that grew across a gap: the total is right, its place in time is not known."""

    def names(self) -> list[str]:
        """Return the names in lower case, e.g. `["register", "spread"]`."""
        return [flag.name.lower() for flag in How if flag in self and flag.name]


class Interval(msgspec.Struct, frozen=True, gc=False):
    """One meter's clock quarter-hour, or a part or a sum of such.

    `start_ms` is its beginning (UTC ms). `measured_ms` is how much of it lay between two
    readings no further apart than the gap limit. `min_mw` and `max_mw` are the lowest and
    highest power during measured time, no further from zero than `POWER_MW_MAX`, None when nothing was measured.
    """

    start_ms: int
    energy_mwh: int
    measured_ms: int
    min_mw: int | None
    max_mw: int | None
    how: int


class Bucket(msgspec.Struct, frozen=True, gc=False):
    """Energy between two instants, `start_ms <= t < end_ms`, as answered to a question."""

    start_ms: int
    end_ms: int
    energy_mwh: int = 0
    measured_ms: int = 0
    min_mw: int | None = None
    max_mw: int | None = None
    how: int = 0

    @property
    def energy_wh(self) -> float:
        """Energy in Wh."""
        return self.energy_mwh / 1000

    @property
    def measured_s(self) -> float:
        """How many seconds of the bucket were measured."""
        return self.measured_ms / 1000

    @property
    def coverage_ratio(self) -> float:
        """The measured share of the bucket, 0 to 1."""
        length_ms = self.end_ms - self.start_ms
        return self.measured_ms / length_ms if length_ms > 0 else 0.0

    @property
    def max_w(self) -> float | None:
        """The highest power in W, None when nothing was measured."""
        return None if self.max_mw is None else self.max_mw / 1000

    @property
    def min_w(self) -> float | None:
        """The lowest power in W, None when nothing was measured."""
        return None if self.min_mw is None else self.min_mw / 1000

    def plus(self, other: "Interval | Bucket") -> Self:
        """Return this bucket with another's energy, time, extremes and ways added to it."""
        return type(self)(
            self.start_ms,
            self.end_ms,
            self.energy_mwh + other.energy_mwh,
            self.measured_ms + other.measured_ms,
            lowest(self.min_mw, other.min_mw),
            highest(self.max_mw, other.max_mw),
            self.how | other.how,
        )


def lowest(a: int | None, b: int | None) -> int | None:
    """Return the smaller of two values, either of which may be absent."""
    return b if a is None else a if b is None else min(a, b)


def highest(a: int | None, b: int | None) -> int | None:
    """Return the larger of two values, either of which may be absent."""
    return b if a is None else a if b is None else max(a, b)
