"""A plain alarm: the power of a meter beyond a threshold for some time, at all hours or at some."""

from typing import Literal

import msgspec

WeekdayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[WeekdayName, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Hours(msgspec.Struct, frozen=True):
    """When an alarm is on: from one minute of the local day until before another, on some days of the week.

    `from_min` and `to_min` are 0 to 1439; where `to_min` is not the later one, it goes on past midnight, and the day is
    that on which it began. `weekdays`: 0 for Monday to 6 for Sunday.
    """

    from_min: int = 0
    to_min: int = 0
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)


class Alarm(msgspec.Struct, frozen=True):
    """`name` is told when the power of the meter `meter` (its slug) has been beyond the threshold for `for_ms`.

    That is above `threshold_mw`, or below it where `below`. It is over when the power has been back at `clear_mw`, or
    further away from the threshold, for `clear_ms`, or when its `hours` (None: always) are over.
    """

    name: str
    meter: str
    threshold_mw: int
    for_ms: int
    clear_mw: int
    clear_ms: int
    below: bool = False
    hours: Hours | None = None

    def is_beyond(self, power_mw: int) -> bool:
        """Say whether a power is what the alarm is about."""
        return power_mw < self.threshold_mw if self.below else power_mw > self.threshold_mw

    def is_clear(self, power_mw: int) -> bool:
        """Say whether a power is back to normal."""
        return power_mw >= self.clear_mw if self.below else power_mw <= self.clear_mw
