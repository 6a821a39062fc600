"""The tracebase data set: `dd/mm/YYYY HH:MM:SS;W averaged over 1 s;W averaged over 8 s`, in local time."""

import re
from zoneinfo import ZoneInfo

from casawatt.model.errors import PacketError
from casawatt.recordings.row import Row, number
from casawatt.recordings.stamps import StampReader, TimeFormat

ZONE = "Europe/Berlin"
"""Where it was recorded (Darmstadt); the stamps carry no zone."""

_FIELDS = 3
_LINE = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d; ?\d+; ?\d+")


def recognises(sample: list[str]) -> bool:
    """Return whether the first lines of a file are of this format."""
    return bool(sample) and all(_LINE.fullmatch(line.strip()) for line in sample[:3])


class TracebaseParser:
    """Reads a tracebase file; duplicates and stamps that go back are passed on as they are."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._stamps = StampReader(TimeFormat.DMY, zone)

    def parse(self, line: str) -> tuple[Row, ...]:
        """Return one row with the power of the one-second mean in W; see `Parser.parse`."""
        if not line.strip():
            return ()
        fields = line.split(";")
        if len(fields) != _FIELDS:
            raise PacketError("columns", f"{len(fields)} columns where {_FIELDS} were expected")
        power_w = number(fields[1])
        time_ms = self._stamps.read(fields[0])
        return () if power_w is None else (Row(time_ms=time_ms, power_w=power_w),)
