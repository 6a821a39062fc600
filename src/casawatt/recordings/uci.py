"""UCI "Individual household electric power consumption": one house near Paris, by the minute, in local time.

Two variants are about: the original with semicolons (`?` where nothing was measured), and a quoted one
with commas and row numbers (`NA`). Both have a heading that names the columns.
"""

import csv
from zoneinfo import ZoneInfo

from casawatt.model.errors import PacketError
from casawatt.recordings.row import Row, number
from casawatt.recordings.stamps import StampReader, TimeFormat

ZONE = "Europe/Paris"
"""Where it was recorded (Sceaux); the stamps carry no zone."""

ORIGINAL_COLUMNS = (
    "date",
    "time",
    "global_active_power",
    "global_reactive_power",
    "voltage",
    "global_intensity",
    "sub_metering_1",
    "sub_metering_2",
    "sub_metering_3",
)
"""The columns of the original, in their order."""

SUB_METERS = ("sub_metering_1", "sub_metering_2", "sub_metering_3")
"""Kitchen; laundry; water heater and air conditioner. Their values are Wh within the minute."""

_W_PER_KW = 1000
_W_PER_WH_A_MINUTE = 60


def recognises(sample: list[str]) -> bool:
    """Return whether the first line of a file is this format's heading."""
    return bool(sample) and "global_active_power" in sample[0].lower() and "sub_metering_1" in sample[0].lower()


class UciParser:
    """Reads a UCI household file, either variant."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._stamps = StampReader(TimeFormat.DMY, zone)
        self._delimiter = ";"
        self._columns: tuple[str, ...] = ORIGINAL_COLUMNS

    def parse(self, line: str) -> tuple[Row, ...]:
        """Return the house's row and those of its three sub-meters (as `part`); see `Parser.parse`.

        Power is the minute's mean in W (kW in the file), for sub-meters the minute's Wh x 60.
        """
        if not line.strip():
            return ()
        if recognises([line]):
            self._delimiter = ";" if ";" in line else ","
            self._columns = tuple(name.strip().lower() for name in self._split(line))
            return ()
        fields = self._split(line)
        if len(fields) != len(self._columns):
            raise PacketError("columns", f"{len(fields)} columns where {len(self._columns)} were expected")
        said = dict(zip(self._columns, fields, strict=True))
        time_ms = self._stamps.read(f"{said['date']} {said['time']}")
        return tuple(row for row in self._rows(time_ms, said) if row is not None)

    def _split(self, line: str) -> list[str]:
        return next(csv.reader([line], delimiter=self._delimiter))

    def _rows(self, time_ms: int, said: dict[str, str]) -> list[Row | None]:
        power_kw = number(said["global_active_power"])
        rows: list[Row | None] = [
            None
            if power_kw is None
            else Row(
                time_ms=time_ms,
                power_w=power_kw * _W_PER_KW,
                voltage_v=number(said["voltage"]),
                current_a=number(said["global_intensity"]),
            )
        ]
        for name in SUB_METERS:
            energy_wh = number(said[name])
            power_w = None if energy_wh is None else energy_wh * _W_PER_WH_A_MINUTE
            rows.append(None if power_w is None else Row(time_ms=time_ms, part=name, power_w=power_w))
        return rows
