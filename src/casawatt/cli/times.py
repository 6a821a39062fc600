"""Times as people type them and as tables show them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

from casawatt.engine.localtime import day_start


def parse_time(text: str, zone: ZoneInfo, now_ms: int) -> int:
    """Return UTC ms of what was typed: `now`, `today`, `yesterday`, a date (its midnight), or RFC 3339.

    A time without an offset is local; a date before 1970 is the beginning of 1970, UTC. Raises typer.BadParameter.
    """
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    match text.strip().lower():
        case "now":
            return now_ms
        case "today":
            return day_start(zone, today)
        case "yesterday":
            return day_start(zone, today - timedelta(days=1))
        case "tomorrow":
            return day_start(zone, today + timedelta(days=1))
    try:
        if len(text.strip()) == len("2026-01-01"):
            return max(day_start(zone, date.fromisoformat(text.strip())), 0)
        stamp = datetime.fromisoformat(text.strip())
    except ValueError:
        message = f"{text!r} is not a time; write now, today, yesterday, 2026-01-31 or 2026-01-31T18:30"
        raise typer.BadParameter(message) from None
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=zone)
    return round(stamp.astimezone(UTC).timestamp() * 1000)


def local(time_ms: int | None, zone: ZoneInfo) -> str | None:
    """Return UTC ms as local date and time, to the second."""
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")


def parse_day(text: str, zone: ZoneInfo, now_ms: int) -> date:
    """Return the local day that was typed: `today`, `yesterday` or a date. Raises typer.BadParameter."""
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        return named.get(text.strip().lower()) or date.fromisoformat(text.strip())
    except ValueError:
        message = f"{text!r} is not a day; write today, yesterday or 2026-01-31"
        raise typer.BadParameter(message) from None


def utc(time_ms: int) -> str:
    """Return UTC ms as RFC 3339 with a `Z`, which needs no escape in an address."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
