"""Recorded readings, played again: a file of readings is a device that speaks at the times it once did.

This is the file to copy for a new source. A source has four parts: `Config`, its `traits`, a pure `parse`,
and `run`. It decides nothing: what a value means, whether it is a duplicate or too late, is the engine's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.meter import Cadence, Traits
from casawatt.model.ports import Inbox
from casawatt.model.reading import Reading
from casawatt.recordings.formats import parser_of, zone_of
from casawatt.recordings.recording_file import RecordingFile
from casawatt.recordings.row import Parser

LINES_A_TURN = 200
"""Lines read before other sources get a turn, when nothing else makes this one wait."""

LONGEST_WAIT_S = 1.0
"""The clock is asked again at least this often: it may run faster than ours, or be set."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of `[source.replay]`. The docstring below each one is what the documentation says of it.

    A wrong type or name is refused by msgspec with the option's name; what only `__post_init__` can see raises
    ValueError, which msgspec turns into the same kind of error.
    """

    path: str
    """The file, plain or gzip."""
    format: Literal["auto", "casawatt", "tracebase", "uci", "columns"] = "auto"
    """What wrote it; `columns` finds out how any other file of columns is laid out."""
    address: str = "recording"
    """The device's address; a file's further devices are `address/part`."""
    speed: float = 1.0
    """1 plays as recorded, 60 a minute in a second, 0 as fast as can be."""
    shift: Literal["none", "now"] = "none"
    """`none` keeps the recorded times; `now` moves them so that the first is now."""
    timezone: str | None = None
    """Zone of times without one; left out, the one the format was recorded in, else UTC."""
    cadence: Cadence = Cadence.CHANGE
    """`change`: power holds until the next reading; `polled`: it moves in a straight line."""
    gap_limit_s: float = 60.0
    """Readings further apart than this have a gap between them, which is not bridged."""

    def __post_init__(self) -> None:
        """Raise ValueError for options that cannot be used."""
        if not 0 <= self.speed < float("inf"):
            raise ValueError("speed must be 0 or more")
        if self.shift == "now" and self.speed != 1:
            raise ValueError('shift = "now" needs speed = 1: at another speed the times would leave the clock')
        if not 0 < self.gap_limit_s < float("inf"):
            raise ValueError("gap_limit_s must be more than 0")
        try:
            zone_of(self.format, self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"timezone {self.timezone!r} does not exist") from None

    @property
    def traits(self) -> Traits:
        """What the readings are like. Recorded stamps may rightly be old, so there is no `clock_tolerance_ms`."""
        return Traits(cadence=self.cadence, gap_limit_ms=round(self.gap_limit_s * 1000))


def parse(line: str, parser: Parser, address: str, received_ms: int) -> list[Reading]:
    """Return the readings in one line, none for a heading or a gap.

    Pure: the whole meaning of the bytes is found here, and tested without files, sockets or clocks.
    Raises PacketError when the line cannot be understood.
    """
    return [row.reading("replay", address, received_ms) for row in parser.parse(line)]


async def run(config: Config, inbox: Inbox, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Put the readings into `inbox`, each at its time, and return when the file has ended.

    A line that cannot be understood is refused, which counts it, and skipped. An error that is raised
    (here ImportFileError: the file is missing or broken) makes the service start the source again later.
    `wait` is what passes the time; tests give one that moves their clock.
    """
    path = Path(config.path)
    parser = parser_of(path, config.format, config.timezone)
    start_ms, first_ms = inbox.clock.now_ms(), None
    with RecordingFile(path) as recording:
        for line_number, line in recording:
            if line_number % LINES_A_TURN == 0:
                await wait(0)
            try:
                readings = parse(line, parser, config.address, inbox.clock.now_ms())
            except PacketError as error:
                inbox.refuse(config.path, error.cause, f"{path}:{line_number}: {error}")
                continue
            for reading in readings:
                recorded_ms = reading.time_ms or 0
                first_ms = recorded_ms if first_ms is None else first_ms
                if config.speed > 0:
                    await _until(start_ms + round((recorded_ms - first_ms) / config.speed), inbox, wait)
                time_ms = recorded_ms + (start_ms - first_ms if config.shift == "now" else 0)
                inbox.put(msgspec.structs.replace(reading, time_ms=time_ms, received_ms=inbox.clock.now_ms()))


async def _until(due_ms: int, inbox: Inbox, wait: Callable[[float], Awaitable[None]]) -> None:
    while (ahead_ms := due_ms - inbox.clock.now_ms()) > 0:
        await wait(min(ahead_ms / 1000, LONGEST_WAIT_S))
