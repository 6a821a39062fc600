"""Times as recordings write them, to UTC milliseconds."""

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from casawatt.model.errors import PacketError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DATE_FIRST = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?)?"
)
_LAST_EPOCH_MS = 253_402_300_799_999


class TimeFormat(StrEnum):
    """How a recording writes its times."""

    RFC3339 = "rfc3339"
    """2026-01-31T14:05:00+01:00, with its offset from UTC."""
    ISO_LOCAL = "iso_local"
    """2026-01-31 14:05:00, by the wall clock."""
    DMY = "dmy"
    """31/01/2026 14:05:00, also with points or hyphens, by the wall clock."""
    MDY = "mdy"
    """01/31/2026 14:05:00, by the wall clock."""
    EPOCH_S = "epoch_s"
    """Seconds since 1970, fractions allowed."""
    EPOCH_MS = "epoch_ms"
    """Milliseconds since 1970."""

    @property
    def is_local(self) -> bool:
        """Whether a time zone is needed to understand it."""
        return self in {TimeFormat.ISO_LOCAL, TimeFormat.DMY, TimeFormat.MDY}


class LocalStamps:
    """Turns wall-clock times, in the order of a recording, into UTC milliseconds.

    When clocks go back, an hour is written twice. Its stamps belong to the first pass until one is at least
    half that hour older than the newest before it; from there on they belong to the second. A time that the
    clock skipped in spring is read with the offset before the change. Both depend on nothing but the lines.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._newest: datetime | None = None
        self._second_pass_on: date | None = None

    def utc_ms(self, local: datetime) -> int:
        """Return `local`, a datetime without zone, as UTC milliseconds since 1970."""
        first = local.replace(tzinfo=self._zone, fold=0)
        second = first.replace(fold=1)
        repeated = (first.utcoffset() or timedelta()) - (second.utcoffset() or timedelta())
        return (
            (self._which_pass(local, repeated, first, second) if repeated > timedelta() else first) - _EPOCH
        ) // _MILLISECOND

    def _which_pass(self, local: datetime, repeated: timedelta, first: datetime, second: datetime) -> datetime:
        if self._second_pass_on == local.date():
            return second
        newest = self._newest
        if newest is not None and newest.date() == local.date():
            if newest - local >= repeated / 2:
                self._second_pass_on = local.date()
                return second
            self._newest = max(newest, local)
        else:
            self._newest = local
        return first


class StampReader:
    """Reads the stamps of one recording, all of one format; wall-clock times are those of `zone`."""

    def __init__(self, time_format: TimeFormat, zone: ZoneInfo) -> None:
        self._format = time_format
        self._local = LocalStamps(zone)

    def read(self, text: str) -> int:
        """Return UTC milliseconds since 1970. Raises PacketError, cause `time`."""
        try:
            match self._format:
                case TimeFormat.EPOCH_MS:
                    return _epoch_ms(float(text))
                case TimeFormat.EPOCH_S:
                    return _epoch_ms(float(text) * 1000)
                case TimeFormat.RFC3339:
                    return (datetime.fromisoformat(text.strip()) - _EPOCH) // _MILLISECOND
                case TimeFormat.ISO_LOCAL:
                    return self._local.utc_ms(_naive(datetime.fromisoformat(text.strip())))
                case _:
                    return self._local.utc_ms(_date_first(text.strip(), day_first=self._format is TimeFormat.DMY))
        except (ValueError, TypeError, OverflowError):
            raise PacketError("time", f"{text.strip()!r} is not a time of the form {self._format}") from None


def _epoch_ms(value: float) -> int:
    """Return `value` as whole milliseconds. Raises ValueError outside the years 1970 to 9999."""
    if not 0 <= value <= _LAST_EPOCH_MS:
        raise ValueError(value)
    return round(value)


def _naive(stamp: datetime) -> datetime:
    """Return `stamp`. Raises ValueError if it carries an offset, which wall-clock stamps do not."""
    if stamp.tzinfo is not None:
        raise ValueError(stamp)
    return stamp


def _date_first(text: str, *, day_first: bool) -> datetime:
    """Return the time in `text`, e.g. `31/01/2026 14:05:00`. Raises ValueError."""
    found = _DATE_FIRST.fullmatch(text)
    if found is None:
        raise ValueError(text)
    a, b, year, hour, minute, second, fraction = found.groups(default="0")
    day, month = (a, b) if day_first else (b, a)
    microsecond = int(fraction.ljust(6, "0"))
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond)  # noqa: DTZ001 - the zone is the caller's
