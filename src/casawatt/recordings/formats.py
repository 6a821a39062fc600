"""Which format a recording is of, and its parser."""

from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.recordings import own, tracebase, uci
from casawatt.recordings.columns import ColumnsParser, Layout
from casawatt.recordings.recording_file import head
from casawatt.recordings.row import Parser
from casawatt.recordings.sniff import Said, sniff

_RECOGNISED = {"casawatt": own.recognises, "tracebase": tracebase.recognises, "uci": uci.recognises}
_ZONES = {"tracebase": tracebase.ZONE, "uci": uci.ZONE}


def recognise(sample: list[str]) -> str:
    """Return `casawatt`, `tracebase` or `uci` by the first lines of a file, else `columns`."""
    return next((name for name, recognises in _RECOGNISED.items() if recognises(sample)), "columns")


def zone_of(format_name: str, said: str | None) -> ZoneInfo:
    """Return the zone of wall-clock stamps: what was said, else where the format was recorded, else UTC.

    Raises ZoneInfoNotFoundError (a KeyError) for a zone that does not exist.
    """
    return ZoneInfo(said or _ZONES.get(format_name, "UTC"))


def parser_for(format_name: str, zone: ZoneInfo, layout: Layout | None = None) -> Parser:
    """Return a fresh parser; `columns` needs a layout. Raises ValueError for an unknown format."""
    match format_name:
        case "casawatt":
            return own.OwnParser()
        case "tracebase":
            return tracebase.TracebaseParser(zone)
        case "uci":
            return uci.UciParser(zone)
        case "columns" if layout is not None:
            return ColumnsParser(layout, zone)
        case _:
            raise ValueError(f"{format_name!r} is not a format that can be read")


def parser_of(path: Path, format_name: str = "auto", timezone: str | None = None) -> Parser:
    """Return a parser for the file at `path`, finding out by its first lines what it is not told.

    Raises ImportFileError when the file cannot be read or understood at all.
    """
    sample = head(path)
    name = recognise(sample) if format_name == "auto" else format_name
    layout = sniff(sample, Said()).layout if name == "columns" else None
    return parser_for(name, zone_of(name, timezone), layout)
