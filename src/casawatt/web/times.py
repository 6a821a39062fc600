"""Times and shares as they appear in requests and answers."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from casawatt.engine.localtime import day_start, local_date
from casawatt.web.problem import wrong

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
FIRST_YEAR = 1970
LAST_YEAR = 2199
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    r"(?:\.([0-9]{1,9}))?([Zz]|[-+ ][0-9]{2}:[0-9]{2})?"
)
FORM = "write it like 2026-01-31T18:30:00+01:00, like 2026-01-31T17:30:00Z, or as a date alone, like 2026-01-31"


def parse_time(parameter: str, text: str, zone: ZoneInfo) -> int:
    """Return the instant (UTC ms) that an RFC 3339 time, or a date alone, stands for.

    A date alone is the beginning of that day in `zone`. A `+` that became a space on its way through
    the query string counts as `+`. Raises ProblemError that names the parameter.
    """
    try:
        if DATE.fullmatch(text):
            day = date.fromisoformat(text)
            _check_year(parameter, text)
            return day_start(zone, day)
        found = INSTANT.fullmatch(text)
        if found is None:
            raise wrong(parameter, f"{text!r} is not a time; {FORM}")
        day_text, clock, fraction, offset = found.groups()
        if offset is None:
            raise wrong(parameter, f"{text!r} does not say its offset from UTC; {FORM}")
        _check_year(parameter, text)
        moment = datetime.fromisoformat(f"{day_text}T{clock}{offset.upper().replace(' ', '+')}")
    except ValueError as error:
        raise wrong(parameter, f"{text!r} is not a time: {error}; {FORM}") from None
    return (moment - EPOCH) // MILLISECOND + int(((fraction or "0") + "00")[:3])


def parse_instant(parameter: str, text: str) -> int:
    """Return the instant (UTC ms) that an RFC 3339 time with an offset stands for; raises ProblemError."""
    found = INSTANT.fullmatch(text)
    if found is None or found[4] is None:
        form = "2026-01-31T18:30:00+01:00 or 2026-01-31T17:30:00Z"
        raise wrong(parameter, f"{text!r} is no time with its offset from UTC; write it like {form}")
    return parse_time(parameter, text, ZoneInfo("UTC"))


def _check_year(parameter: str, text: str) -> None:
    if not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise wrong(parameter, f"{text!r} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")


def format_time(time_ms: int, zone: ZoneInfo) -> str:
    """Return an instant (UTC ms) as RFC 3339 with the zone's offset; milliseconds only where there are any."""
    moment = (EPOCH + time_ms * MILLISECOND).astimezone(zone)
    return moment.isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds")


def today_start(now_ms: int, zone: ZoneInfo) -> int:
    """Return the beginning (UTC ms) of the local day that `now_ms` belongs to."""
    return day_start(zone, local_date(zone, now_ms))


def share(part: int, whole: int) -> float:
    """Return `part / whole` to four decimals, 0 to 1; it is 1 or 0 only when the parts say exactly that."""
    if part <= 0 or whole <= 0:
        return 0.0
    if part >= whole:
        return 1.0
    return min(max(round(part / whole, 4), 0.0001), 0.9999)
