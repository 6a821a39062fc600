"""Finding out how a file of columns is laid out, from its first lines and what the user says of it."""

import re
import statistics
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from casawatt.model.errors import ImportFileError, PacketError
from casawatt.recordings.columns import ENERGY_UNITS, UNITS, Channel, Layout, plain_number, split, stamp_text
from casawatt.recordings.row import ABSENT_WORDS, number
from casawatt.recordings.stamps import StampReader, TimeFormat
from casawatt.recordings.units import unit_of

DELIMITERS = (";", "\t", ",", "|")
_COMMA_DECIMAL = re.compile(r"-?\d{1,3}(\.\d{3})*,\d+|-?\d+,\d+")
_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}")
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?")
_EPOCH_S_RANGE = (5e8, 1e10)
_EPOCH_MS_RANGE = (5e11, 1e13)
_MONTHS = 12
_MOST = 0.6


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the user says of the file; None and empty leave it to casawatt.

    Columns are named by their heading or by their number from 1. `units` gives the unit of columns
    (a key of `UNITS` or `ENERGY_UNITS`, or `-` to leave a column out); when it names any, no others are taken.
    """

    delimiter: str | None = None
    decimal_comma: bool | None = None
    header: bool | None = None
    time_columns: tuple[str, ...] = ()
    time_format: TimeFormat | None = None
    units: Mapping[str, str] = msgspec.field(default_factory=dict)


class Guess(msgspec.Struct, frozen=True):
    """A layout, the headings (empty without), and in plain words what had to be assumed."""

    layout: Layout
    headings: tuple[str, ...]
    notes: tuple[str, ...]


def sniff(sample: list[str], said: Said) -> Guess:
    """Return the layout of a file from its first lines (empty ones left out).

    Raises ImportFileError when no time or no value column can be found, or when what was said cannot be.
    """
    if not sample:
        raise ImportFileError("the file is empty")
    delimiter = said.delimiter or _delimiter(sample)
    table = [split(line, delimiter) for line in sample]
    width = Counter(len(fields) for fields in table).most_common(1)[0][0]
    header = _is_heading(table[0]) if said.header is None else said.header
    headings = tuple(table[0]) if header else ()
    rows = [fields for fields in table[1 if header else 0 :] if len(fields) == width]
    if not rows:
        raise ImportFileError("the file has a heading and no lines of values below it")
    notes: list[str] = []
    time_indexes, time_format = _time(rows, headings, said, notes)
    decimal_comma = (
        delimiter != "," and _has_decimal_commas(rows, time_indexes)
        if said.decimal_comma is None
        else said.decimal_comma
    )
    layout = Layout(
        delimiter=delimiter,
        decimal_comma=decimal_comma,
        header=header,
        width=width,
        time_indexes=time_indexes,
        time_format=time_format,
        channels=(),
    )
    units = _said_units(headings, width, said) or _guessed_units(rows, headings, layout, notes)
    channels = tuple(_channel(index, unit, rows, layout, notes) for index, unit in units.items() if unit != "-")
    return Guess(msgspec.structs.replace(layout, channels=_each_once(channels, notes)), headings, tuple(notes))


def _delimiter(sample: list[str]) -> str:
    def evenness(delimiter: str) -> float:
        counts = Counter(len(split(line, delimiter)) for line in sample)
        width, lines = counts.most_common(1)[0]
        return lines / len(sample) if width > 1 else 0.0

    best = max(DELIMITERS, key=lambda delimiter: (evenness(delimiter), -DELIMITERS.index(delimiter)))
    if evenness(best) == 0.0:
        raise ImportFileError("no columns found: neither semicolon, tab, comma nor bar divides the lines")
    return best


def _is_heading(fields: list[str]) -> bool:
    return not any(any(character.isdigit() for character in field[:4]) and field[:1].isdigit() for field in fields)


def _time(
    rows: list[list[str]], headings: tuple[str, ...], said: Said, notes: list[str]
) -> tuple[tuple[int, ...], TimeFormat]:
    """Return the columns of the stamp and its format. Raises ImportFileError when there is none."""
    width = len(rows[0])
    if said.time_columns:
        candidates = [tuple(_index(name, headings, width) for name in said.time_columns)]
    else:
        candidates = [(index,) for index in range(width)]
        candidates += [(index, index + 1) for index in range(width - 1)]
    for indexes in candidates:
        texts = [" ".join(row[index] for index in indexes) for row in rows]
        if len(indexes) == 1 and not said.time_columns and _followed_by_time_of_day(rows, indexes[0]):
            continue
        found = said.time_format or _time_format(texts)
        if found is None or not (said.time_columns or _fits(found, texts)):
            continue
        if found in {TimeFormat.DMY, TimeFormat.MDY} and said.time_format is None and _day_or_month(texts) is None:
            notes.append(
                "the dates do not tell whether the day or the month comes first "
                f"({texts[0]!r}): the day is taken to come first"
            )
        return indexes, found
    raise ImportFileError(f"no column of times found; the first line of values is {rows[0]!r}")


def _followed_by_time_of_day(rows: list[list[str]], index: int) -> bool:
    return index + 1 < len(rows[0]) and all(_TIME_OF_DAY.fullmatch(row[index + 1]) for row in rows[:5])


def _fits(time_format: TimeFormat, texts: list[str]) -> bool:
    stamps, understood = StampReader(time_format, ZoneInfo("UTC")), 0
    for text in texts:
        with suppress(PacketError):
            stamps.read(text)
            understood += 1
    return understood >= _MOST * len(texts)


def _time_format(texts: list[str]) -> TimeFormat | None:
    checks = {
        TimeFormat.RFC3339: lambda text: _iso(text, zoned=True),
        TimeFormat.ISO_LOCAL: lambda text: _iso(text, zoned=False),
        TimeFormat.EPOCH_MS: lambda text: _within(text, _EPOCH_MS_RANGE),
        TimeFormat.EPOCH_S: lambda text: _within(text, _EPOCH_S_RANGE),
        TimeFormat.DMY: lambda text: _DATE.match(text) is not None,
    }
    for time_format, check in checks.items():
        if sum(map(check, texts)) >= _MOST * len(texts):
            return _day_or_month(texts) or time_format if time_format is TimeFormat.DMY else time_format
    return None


def _day_or_month(texts: list[str]) -> TimeFormat | None:
    """Return which comes first in dates like 03/04/2026, None when none of them has a number over 12."""
    dates = [found for text in texts if (found := _DATE.match(text))]
    if any(int(found[1]) > _MONTHS for found in dates):
        return TimeFormat.DMY
    if any(int(found[2]) > _MONTHS for found in dates):
        return TimeFormat.MDY
    return TimeFormat.DMY if any("." in found[0] for found in dates) else None


def _iso(text: str, *, zoned: bool) -> bool:
    if "-" not in text or ":" not in text:
        return False
    try:
        return (datetime.fromisoformat(text).tzinfo is not None) is zoned
    except ValueError:
        return False


def _within(text: str, limits: tuple[float, float]) -> bool:
    try:
        return limits[0] <= float(text.replace(",", ".")) < limits[1]
    except ValueError:
        return False


def _has_decimal_commas(rows: list[list[str]], time_indexes: tuple[int, ...]) -> bool:
    return any(_COMMA_DECIMAL.fullmatch(field) for row in rows for field in _values(row, time_indexes))


def _values(row: list[str], time_indexes: tuple[int, ...]) -> list[str]:
    return [field for index, field in enumerate(row) if index not in time_indexes]


def _index(name: str, headings: tuple[str, ...], width: int) -> int:
    """Return the position of the column that the user names. Raises ImportFileError."""
    if name in headings:
        return headings.index(name)
    if name.isdigit() and 1 <= int(name) <= width:
        return int(name) - 1
    known = ", ".join(headings) if headings else f"1 to {width}"
    raise ImportFileError(f"there is no column {name!r}; there are: {known}")


def _said_units(headings: tuple[str, ...], width: int, said: Said) -> dict[int, str]:
    for unit in said.units.values():
        if unit not in UNITS and unit not in ENERGY_UNITS and unit != "-":
            known = ", ".join((*UNITS, *ENERGY_UNITS, "-"))
            raise ImportFileError(f"{unit!r} is not a unit that can be read; known are: {known}")
    return {_index(name, headings, width): unit for name, unit in said.units.items()}


def _guessed_units(
    rows: list[list[str]], headings: tuple[str, ...], layout: Layout, notes: list[str]
) -> dict[int, str]:
    numeric = [i for i in range(layout.width) if i not in layout.time_indexes and _is_numeric(rows, i, layout)]
    if not numeric:
        raise ImportFileError(f"no column of numbers found beside the time; the first line of values is {rows[0]!r}")
    units: dict[int, str] = {}
    for index in numeric if headings else ():
        unit, outright = unit_of(headings[index])
        if unit is not None:
            units[index] = unit
            if not outright:
                notes.append(f"column {headings[index]!r} does not name its unit: {unit} is assumed")
    if not units:
        units[numeric[0]] = "W"
        notes.append(f"no heading tells a unit: column {numeric[0] + 1} is taken as power in W")
    return units


def _is_numeric(rows: list[list[str]], index: int, layout: Layout) -> bool:
    present = [row[index] for row in rows if row[index].lower() not in ABSENT_WORDS]
    numbers = sum(_number_or_none(text, layout) is not None for text in present)
    return bool(present) and numbers >= _MOST * len(present)


def _number_or_none(text: str, layout: Layout) -> float | None:
    try:
        return number(plain_number(text, decimal_comma=layout.decimal_comma))
    except PacketError:
        return None


def _channel(index: int, unit: str, rows: list[list[str]], layout: Layout, notes: list[str]) -> Channel:
    """Return what becomes of a column; energy that falls again is energy of each step, and becomes mean power."""
    if unit in {"Wh", "kWh"} and not _ever_growing(rows, index, layout):
        notes.append(f"column {index + 1} ({unit}) falls: it is taken as the energy of each step, not as a register")
        unit = f"{unit}/interval"
    if unit in UNITS:
        channel, factor = UNITS[unit]
        return Channel(index, channel, factor, unit)
    step_s = _usual_step_s(rows, layout)
    notes.append(f"column {index + 1}: energy of each step of {step_s:g} s becomes the mean power of that step")
    return Channel(index, "power_w", ENERGY_UNITS[unit] * 3600 / step_s, unit)


def _ever_growing(rows: list[list[str]], index: int, layout: Layout) -> bool:
    values = [value for row in rows if (value := _number_or_none(row[index], layout)) is not None]
    return all(a <= b for a, b in pairwise(values))


def _usual_step_s(rows: list[list[str]], layout: Layout) -> float:
    """Return the median time between lines in seconds; any zone will do. Raises ImportFileError."""
    stamps = StampReader(layout.time_format, ZoneInfo("UTC"))
    times = []
    for row in rows:
        with suppress(PacketError):
            times.append(stamps.read(stamp_text(row, layout)))
    steps = [b - a for a, b in pairwise(times) if b > a]
    if not steps:
        raise ImportFileError("energy of each step needs at least two lines with different times")
    return statistics.median(steps) / 1000


def _each_once(channels: tuple[Channel, ...], notes: list[str]) -> tuple[Channel, ...]:
    """Return the first column of each channel; a meter has one power."""
    kept: dict[str, Channel] = {}
    for channel in channels:
        if channel.channel in kept:
            first = kept[channel.channel].index + 1
            notes.append(f"column {channel.index + 1} is left out: column {first} already gives {channel.channel}")
        else:
            kept[channel.channel] = channel
    if not kept:
        raise ImportFileError("every column of values was left out")
    return tuple(kept.values())
