"""Whether an alarm is on at an instant, by the local clock, and until when that holds."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from casawatt.engine.localtime import DAY_MS, local_date
from casawatt.model.alarm import Hours


def is_on(hours: Hours, zone: ZoneInfo, time_ms: int) -> tuple[bool, int]:
    """Return whether an instant (UTC ms) lies in the hours, and until when (UTC ms) that stays so, at least.

    A time that the clock leaves out begins when the clock goes on; of one that comes twice the first counts.
    """
    today = local_date(zone, time_ms).toordinal()
    next_ms = time_ms + DAY_MS
    for day in range(today - 1, today + 3):
        start_ms, end_ms = _span_ms(hours, zone, day)
        if start_ms <= time_ms < end_ms:
            return True, end_ms
        if time_ms < start_ms < end_ms:
            next_ms = min(next_ms, start_ms)
    return False, next_ms


@lru_cache(maxsize=1024)
def _span_ms(hours: Hours, zone: ZoneInfo, day: int) -> tuple[int, int]:
    """Return when the hours begin and end (UTC ms) that begin on a local day; the same when none do."""
    if (day + 6) % 7 not in hours.weekdays:
        return 0, 0
    last = day if hours.to_min > hours.from_min else day + 1
    return _at_ms(zone, day, hours.from_min), _at_ms(zone, last, hours.to_min)


def _at_ms(zone: ZoneInfo, day: int, minute: int) -> int:
    at = datetime.combine(date.fromordinal(day), datetime.min.time(), zone) + timedelta(minutes=minute)
    return round(at.timestamp() * 1000)
