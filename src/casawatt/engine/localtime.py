"""Where local hours, days, months and years begin, as UTC milliseconds.

A local day begins at the first instant whose local date is that day. Mostly that is midnight;
where clocks go forward over midnight it is the moment they do; where they go back over midnight
the first of the two midnights counts. So days never overlap and never leave a hole, and last
23, 24 or 25 hours as the zone says. A date that a zone left out has no length.

Results are cached by zone and year. Dates outside the years 1 to 9999 raise ValueError or OverflowError.
"""

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from casawatt.model.interval import INTERVAL_MS

BucketName: TypeAlias = Literal["15m", "hour", "day", "month", "year"]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MIDNIGHT = time()


def quarter_start(time_ms: int) -> int:
    """Return the beginning (UTC ms) of the clock quarter-hour that `time_ms` lies in."""
    return time_ms - time_ms % INTERVAL_MS


def day_start(zone: ZoneInfo, day: date) -> int:
    """Return the first instant (UTC ms) of a local day."""
    return _find_day_start(zone, day)


def local_date(zone: ZoneInfo, time_ms: int) -> date:
    """Return the local day that an instant (UTC ms) belongs to, by the same edges as `day_start`."""
    day = datetime.fromtimestamp(time_ms // 1000, zone).date()
    while time_ms < day_start(zone, day):
        day -= timedelta(days=1)
    while time_ms >= day_start(zone, day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


def day_edges(zone: ZoneInfo, start_ms: int, end_ms: int) -> list[int]:
    """Return all beginnings of local days from the last not after `start_ms` to the first not before `end_ms`.

    Strictly ascending UTC ms. Raises ValueError when `end_ms` lies before `start_ms`.
    """
    _check_order(start_ms, end_ms)
    first_year = local_date(zone, start_ms).year
    last_year = (local_date(zone, end_ms) + timedelta(days=1)).year
    edges = [edge for year in range(first_year, last_year + 1) for edge in _days_of_year(zone, year)]
    first = bisect_right(edges, start_ms) - 1
    last = bisect_left(edges, end_ms)
    return _ascending(edges[first : last + 1])


def bucket_edges(zone: ZoneInfo, start_ms: int, end_ms: int, bucket: BucketName) -> list[int]:
    """Return `start_ms`, each beginning of a calendar bucket in between, and `end_ms`.

    Strictly ascending UTC ms; consecutive edges are the buckets, the outer ones cut to the span.
    `15m` is the fixed clock quarter-hour in UTC; the others follow the zone. On the day that the clocks
    go back, the hour that comes twice is two buckets. Raises ValueError when `end_ms` is not after `start_ms`.
    """
    if end_ms == start_ms:
        message = "a span without length has no buckets"
        raise ValueError(message)
    _check_order(start_ms, end_ms)
    inner = _inner_edges(zone, start_ms, end_ms, bucket)
    first = bisect_right(inner, start_ms)
    last = bisect_left(inner, end_ms)
    return [start_ms, *inner[first:last], end_ms]


def _inner_edges(zone: ZoneInfo, start_ms: int, end_ms: int, bucket: BucketName) -> list[int]:
    """Return ascending calendar edges that hold at least all those between two instants."""
    match bucket:
        case "15m":
            return list(range(quarter_start(start_ms), end_ms, INTERVAL_MS))
        case "hour":
            days = day_edges(zone, start_ms, end_ms)
            return [edge for day_ms, next_ms in pairwise(days) for edge in _hours_of_day(zone, day_ms, next_ms)]
        case "day":
            return day_edges(zone, start_ms, end_ms)
        case "month":
            years = range(local_date(zone, start_ms).year, local_date(zone, end_ms).year + 1)
            return _ascending([day_start(zone, date(year, month, 1)) for year in years for month in range(1, 13)])
        case "year":
            years = range(local_date(zone, start_ms).year, local_date(zone, end_ms).year + 1)
            return _ascending([day_start(zone, date(year, 1, 1)) for year in years])


def _check_order(start_ms: int, end_ms: int) -> None:
    if end_ms < start_ms:
        message = f"the end ({end_ms} ms) lies before the start ({start_ms} ms)"
        raise ValueError(message)


def _ascending(edges: list[int]) -> list[int]:
    """Return the edges without repeats, which a date left out by its zone makes."""
    return list(dict.fromkeys(edges))


@lru_cache(maxsize=1024)
def _days_of_year(zone: ZoneInfo, year: int) -> tuple[int, ...]:
    """Return the first instant of each local day of a year."""
    starts: list[int] = []
    for ordinal in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1):
        day = date.fromordinal(ordinal)
        guess_ms = starts[-1] + DAY_MS if starts else _find_day_start(zone, day)
        starts.append(guess_ms if _is_first_midnight(zone, guess_ms, day) else _find_day_start(zone, day))
    return tuple(starts)


def _is_first_midnight(zone: ZoneInfo, time_ms: int, day: date) -> bool:
    """Say whether an instant is the (first) local midnight that a day begins with."""
    local = datetime.fromtimestamp(time_ms // 1000, zone)
    return local.day == day.day and local.time() == _MIDNIGHT and local.fold == 0


@lru_cache(maxsize=4096)
def _find_day_start(zone: ZoneInfo, day: date) -> int:
    """Return the first instant (UTC ms) of a local day, from the zone's rules."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    before = midnight.utcoffset()
    after = midnight.replace(fold=1).utcoffset()
    start_s = _seconds(midnight)
    if before is None or after is None or after <= before:
        return start_s * 1000
    # Midnight is left out: the day begins when the clocks jump, some time before midnight by the old offset.
    jump = range(start_s - (after - before) // _SECOND, start_s + 1)
    found = bisect_left(jump, True, key=lambda second: datetime.fromtimestamp(second, zone).utcoffset() == after)
    return jump[found] * 1000


def _seconds(moment: datetime) -> int:
    """Return the seconds since 1970 of a moment with a zone."""
    return (moment - _EPOCH) // _SECOND


@lru_cache(maxsize=4096)
def _hours_of_day(zone: ZoneInfo, day_ms: int, next_ms: int) -> tuple[int, ...]:
    """Return the beginnings of the local hours of one day, from its own beginning to before the next day's."""
    first = datetime.fromtimestamp(day_ms // 1000, zone)
    if next_ms - day_ms == DAY_MS and first.utcoffset() == datetime.fromtimestamp(next_ms // 1000, zone).utcoffset():
        return tuple(range(day_ms, next_ms, HOUR_MS))
    hours = [day_ms]
    hour = first.hour
    for time_ms in range(day_ms + INTERVAL_MS, next_ms, INTERVAL_MS):
        local = datetime.fromtimestamp(time_ms // 1000, zone)
        if local.minute == 0 or local.hour != hour:
            hours.append(time_ms)
        hour = local.hour
    return tuple(hours)
