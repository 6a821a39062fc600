"""Payloads to numbers and times. Pure."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from casawatt.model.errors import PacketError

PAYLOAD_BYTES_MAX = 65_536
"""Devices say less; what is longer is not read."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
ABSENT = {"", "unavailable", "unknown", "none", "null", "nan", "offline"}
"""Words in the place of a number that say that there is none."""
MILLISECONDS_FROM = 1e11
"""A time since 1970 that is larger counts milliseconds: as seconds it would lie after the year 5000."""

NUMBER_MAX = 1e18
"""No device means a number that is larger, and not all that JSON can hold can be reckoned with."""

MISSING: Any = object()
"""In the place of a value that is not there at all; null is there."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder().decode


def decoded(payload: bytes) -> Any:  # noqa: ANN401 - JSON may be anything
    """Return what is in a payload: JSON, or else its text. Raises PacketError, causes `length` and `format`."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise PacketError("length", f"{len(payload)} bytes are too many: at most {PAYLOAD_BYTES_MAX}")
    try:
        return _decode(payload)
    except RecursionError:
        raise PacketError("format", "its JSON is too deep") from None
    except msgspec.DecodeError:
        try:
            return payload.decode()
        except UnicodeDecodeError:
            raise PacketError("format", f"{payload[:60]!r} is neither JSON nor text") from None


def found_at(value: Any, paths: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON may be anything
    """Return what stands at the first of the paths that is there, `MISSING` when none is.

    A path is a key, or keys joined by points; a number counts in a list, from 0.
    """
    for path in paths:
        inside = value[path] if isinstance(value, dict) and path in value else _inside(value, path.split("."))
        if inside is not MISSING:
            return inside
    return MISSING


def _inside(value: Any, keys: list[str]) -> Any:  # noqa: ANN401 - JSON may be anything
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return MISSING
    return value


def number(name: str, value: object) -> float | None:
    """Return a number, also one in quotes; None for null and for words such as `unavailable`.

    Raises PacketError, cause `number`, for anything else.
    """
    if value is None or value is MISSING:
        return None
    found: int | float = math.inf
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str):
        text = value.strip()
        if text.casefold() in ABSENT:
            return None
        found = float(text) if NUMBER.fullmatch(text) else math.inf
    if abs(found) < NUMBER_MAX:
        return float(found)
    raise PacketError("number", f"{name} is {_short(value)}, no number")


def whole_number(name: str, value: object) -> int | None:
    """Return a whole number, None for null. Raises PacketError, cause `number`."""
    found = number(name, value)
    if found is not None and found != int(found):
        raise PacketError("number", f"{name} is {_short(value)}, no whole number")
    return None if found is None else int(found)


def time_ms(value: object, unit: str, zone: ZoneInfo | None, received_ms: int) -> int | None:
    """Return a time as UTC ms since 1970; None for null and for words such as `unknown`.

    `unit` is `auto`, `iso8601`, `s` or `ms`; `zone` is that of times without one. Of an hour that the clocks go through
    twice the pass that is nearer to the time of arrival is taken. Raises PacketError, cause `time`.
    """
    if value is None or value is MISSING or (isinstance(value, str) and value.casefold() in ABSENT):
        return None
    try:
        if unit == "iso8601" or (unit == "auto" and isinstance(value, str) and not NUMBER.fullmatch(value)):
            return _iso_ms(value, zone, received_ms)
        since = number("time", value)
    except (PacketError, TypeError, ValueError, OverflowError) as error:
        why = f": {error}" if isinstance(error, ValueError) else ""
        raise PacketError("time", f"{_short(value)} is no time{why}") from None
    if since is None or not 0 <= since < 1e15:
        raise PacketError("time", f"{_short(value)} is no time")
    in_ms = unit == "ms" or (unit == "auto" and since >= MILLISECONDS_FROM)
    return round(since if in_ms else since * 1000)


def _iso_ms(value: object, zone: ZoneInfo | None, received_ms: int) -> int:
    stamp = datetime.fromisoformat(str(value))
    if stamp.tzinfo is not None:
        return _ms(stamp)
    if zone is None:
        raise ValueError("it has no zone; set `timezone`")
    both = [_ms(stamp.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]
    return min(both, key=lambda each: abs(received_ms - each))


def _ms(stamp: datetime) -> int:
    return (stamp - _EPOCH) // timedelta(milliseconds=1)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
