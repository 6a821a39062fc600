"""casawatt's own CSV: what `casawatt export` writes, so that it can be read back without loss."""

from casawatt.model.errors import PacketError
from casawatt.recordings.row import Row, number

COLUMN_OF_CHANNEL = {
    "power_mw": ("power_w", 3),
    "register_mwh": ("register_wh", 3),
    "voltage_mv": ("voltage_v", 3),
    "current_ma": ("current_a", 3),
    "power_factor_e4": ("power_factor_ratio", 4),
    "charge_mas": ("charge_as", 3),
    "boot_id": ("boot_id", 0),
}
"""For each channel of a record: its column's name, and how many decimals make it whole numbers."""

_COLUMNS = frozenset(name for name, _ in COLUMN_OF_CHANNEL.values())
_MEASURED = _COLUMNS - {"boot_id"}
_HEAD = "time,time_ms"


def recognises(sample: list[str]) -> bool:
    """Return whether the first line of a file is a heading of this format."""
    return bool(sample) and sample[0].strip().startswith(_HEAD) and not _unknown(sample[0])


def _unknown(heading: str) -> list[str]:
    return [name for name in heading.strip().split(",")[2:] if name not in _COLUMNS and name != "device"]


class OwnParser:
    """Reads casawatt's own CSV: a heading, then a line for each record.

    `time_ms` counts; `time` is for people. A `device` column, there when a meter has had several devices,
    becomes the row's `part`.
    """

    def __init__(self) -> None:
        self._columns: list[str] = []

    def parse(self, line: str) -> tuple[Row, ...]:
        """Return one row; see `Parser.parse`."""
        text = line.strip()
        if not text:
            return ()
        if text.startswith(_HEAD):
            if unknown := _unknown(text):
                raise PacketError("columns", f"{unknown[0]!r} is not a column of casawatt's own CSV")
            self._columns = text.split(",")
            return ()
        fields = text.split(",")
        if len(fields) != len(self._columns):
            raise PacketError("columns", f"{len(fields)} columns where {len(self._columns)} were expected")
        said = dict(zip(self._columns, fields, strict=True))
        channels = {name: number(said[name]) for name in _MEASURED & said.keys()}
        boot_id = _whole("number", said["boot_id"]) if said.get("boot_id") else None
        if boot_id is None and all(value is None for value in channels.values()):
            return ()
        time_ms = _whole("time", said["time_ms"])
        return (Row(time_ms=time_ms, part=said.get("device", ""), boot_id=boot_id, **channels),)


def _whole(cause: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise PacketError(cause, f"{text!r} is not a whole number") from None
