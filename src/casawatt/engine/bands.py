"""Which rate holds in which quarter-hour: bands by the day of the week and the clock on the wall."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.engine.walltime import MINUTES_A_DAY, WallTime, wall_time
from casawatt.model.columns import BoolArray, Int64Array
from casawatt.model.tariff import WEEKDAYS, Band, Tariff, Weekday

HOLIDAY = WEEKDAYS.index("holiday")
NONE = -1
"""In the place of a band: none holds."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A band's hours: on these days from one minute of the wall clock until before another."""

    band: str
    days: tuple[Weekday, ...]
    from_minute: int
    to_minute: int


WORKING: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")

ITALIAN = (
    Hours("F1", WORKING, 8 * 60, 19 * 60),
    Hours("F2", WORKING, 7 * 60, 8 * 60),
    Hours("F2", WORKING, 19 * 60, 23 * 60),
    Hours("F2", ("sat",), 7 * 60, 23 * 60),
    Hours("F3", WEEKDAYS, 0, MINUTES_A_DAY),
)
"""The Italian bands of the regulator's decision 181/06; the first that holds counts."""


def hours_of(tariff: Tariff) -> tuple[Hours, ...]:
    """Return the hours of a tariff's bands, in the order in which they count; none where it has no bands."""
    if tariff.bands == "italian":
        joint = "F23" in tariff.rates_per_kwh
        return tuple(
            Hours(
                "F23" if joint and each.band in {"F2", "F3"} else each.band, each.days, each.from_minute, each.to_minute
            )
            for each in ITALIAN
        )
    return tuple(_hours(each) for each in tariff.band)


def _hours(band: Band) -> Hours:
    return Hours(band.name, band.days, minute_of(band.from_), minute_of(band.to))


def minute_of(wall: str) -> int:
    """Return the minute of the day that a time like `7:30` is; `24:00` is 1440."""
    hour, minute = wall.split(":")
    return min(int(hour) * 60 + int(minute), MINUTES_A_DAY)


def band_places(
    zone: ZoneInfo, start_ms: Int64Array, hours: Sequence[Hours], holidays: Collection[date]
) -> tuple[Int64Array, tuple[str, ...]]:
    """Return the band of each of N quarter-hours (ascending, UTC ms) as its place in the names beside, or `NONE`."""
    names = tuple(dict.fromkeys(each.band for each in hours))
    places = np.full(len(start_ms), NONE, np.int64)
    wall = wall_time(zone, start_ms)
    days_off = np.array(sorted(day.toordinal() for day in holidays), np.int64)
    for each in reversed(hours):
        places[_holds(wall, each, days_off)] = names.index(each.band)
    return places, names


def _holds(wall: WallTime, hours: Hours, days_off: Int64Array) -> BoolArray:
    """Return in which quarter-hours a band's hours are."""
    days = np.array([WEEKDAYS.index(day) for day in hours.days], np.int64)

    def is_day(day: Int64Array) -> BoolArray:
        kind = np.where(np.isin(day, days_off), HOLIDAY, (day + 6) % 7)
        return np.isin(kind, days)

    first, last = hours.from_minute, hours.to_minute
    if first < last:
        return is_day(wall.day) & (wall.minute >= first) & (wall.minute < last)
    return (is_day(wall.day) & (wall.minute >= first)) | (is_day(wall.day - 1) & (wall.minute < last))
