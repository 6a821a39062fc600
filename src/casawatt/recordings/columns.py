"""Any other file of columns: a layout says what stands where."""

import csv
from zoneinfo import ZoneInfo

import msgspec

from casawatt.model.errors import PacketError
from casawatt.recordings.row import Row, number
from casawatt.recordings.stamps import StampReader, TimeFormat

UNITS = {
    "W": ("power_w", 1.0),
    "kW": ("power_w", 1000.0),
    "mW": ("power_w", 0.001),
    "Wh": ("register_wh", 1.0),
    "kWh": ("register_wh", 1000.0),
    "V": ("voltage_v", 1.0),
    "mV": ("voltage_v", 0.001),
    "A": ("current_a", 1.0),
    "mA": ("current_a", 0.001),
    "power factor": ("power_factor_ratio", 1.0),
}
"""For each unit a column may have: the channel it becomes, and what its values are multiplied by."""

ENERGY_UNITS = {"Wh/interval": 1.0, "kWh/interval": 1000.0}
"""Units of energy used since the line before, which becomes mean power over the file's usual step."""


class Channel(msgspec.Struct, frozen=True):
    """The value column at position `index` (from 0) becomes `channel`, multiplied by `factor`."""

    index: int
    channel: str
    factor: float
    unit: str


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What stands where in a file of columns; positions count from 0.

    `time_indexes` are one column, or a date's and a time of day's. `width` is how many columns a line has.
    """

    delimiter: str
    decimal_comma: bool
    header: bool
    width: int
    time_indexes: tuple[int, ...]
    time_format: TimeFormat
    channels: tuple[Channel, ...]


def split(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line, quotes taken off, blanks around them too."""
    return [field.strip() for field in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def plain_number(text: str, *, decimal_comma: bool) -> str:
    """Return `1.234,5` as `1234.5` when commas mark decimals; otherwise as it is."""
    return text.replace(".", "").replace(",", ".") if decimal_comma else text


class ColumnsParser:
    """Reads a file by its layout; wall-clock stamps are those of `zone`."""

    def __init__(self, layout: Layout, zone: ZoneInfo) -> None:
        self._layout = layout
        self._stamps = StampReader(layout.time_format, zone)
        self._heading_due = layout.header

    def parse(self, line: str) -> tuple[Row, ...]:
        """Return one row, none when every value of the line is absent; see `Parser.parse`."""
        if not line.strip():
            return ()
        if self._heading_due:
            self._heading_due = False
            return ()
        layout = self._layout
        fields = split(line, layout.delimiter)
        if len(fields) != layout.width:
            raise PacketError("columns", f"{len(fields)} columns where {layout.width} were expected")
        said: dict[str, float] = {}
        for channel in layout.channels:
            value = number(plain_number(fields[channel.index], decimal_comma=layout.decimal_comma))
            if value is not None:
                said[channel.channel] = value * channel.factor
        time_ms = self._stamps.read(stamp_text(fields, layout))
        return (Row(time_ms=time_ms, **said),) if said else ()  # type: ignore[arg-type]  # only measured channels, no boot_id


def stamp_text(fields: list[str], layout: Layout) -> str:
    """Return a line's stamp, date and time of day joined, with a decimal comma of epoch seconds made a point."""
    text = " ".join(fields[index] for index in layout.time_indexes)
    return text.replace(",", ".") if layout.time_format is TimeFormat.EPOCH_S else text
