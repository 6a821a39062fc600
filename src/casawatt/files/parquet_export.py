"""Writing a meter's records or its energy as Parquet, a row group for each local day; needs `casawatt[parquet]`."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from casawatt.files.csv_export import ReadBuckets, ReadColumns
from casawatt.files.spans import RESOLUTIONS, edges, local_days
from casawatt.files.target import whole_file
from casawatt.model.columns import ABSENT, Columns
from casawatt.model.errors import CasawattError
from casawatt.model.reading import CHANNELS
from casawatt.recordings.own import COLUMN_OF_CHANNEL


class MissingExtraError(CasawattError):
    """A library that is an optional extra is not installed; the text says how to get it."""


def write_raw(read: ReadColumns, start_ms: int, end_ms: int, zone: ZoneInfo, target: Path) -> int:
    """Write a meter's records to `target`, whole or not at all; return how many.

    Columns: `time` (timestamp in ms, UTC) and each channel under its name with the unit (`power_w`, ...), null
    where absent. Raises MissingExtraError, OSError.
    """
    arrow = _arrow()
    fields = [("time", arrow.timestamp("ms", tz="UTC"))]
    for channel in CHANNELS:
        name, decimals = COLUMN_OF_CHANNEL[channel]
        fields.append((name, arrow.float64() if decimals else arrow.int64()))
    pieces = (_raw_arrays(read(*day), arrow) for day in local_days(start_ms, end_ms, zone))
    return _write(pieces, arrow.schema(fields), target)


def write_buckets(read: ReadBuckets, start_ms: int, end_ms: int, zone: ZoneInfo, resolution: str, target: Path) -> int:
    """Write a meter's energy in buckets of `resolution` to `target`, whole or not at all; return how many.

    Columns: `start`, `end` (timestamps in ms, UTC), `energy_wh`, `coverage` (0 to 1), `measured_s`, `min_w`,
    `max_w`. Raises MissingExtraError, OSError.
    """
    arrow = _arrow()
    stamp, real = arrow.timestamp("ms", tz="UTC"), arrow.float64()
    names = ("energy_wh", "coverage", "measured_s", "min_w", "max_w")
    schema = arrow.schema([("start", stamp), ("end", stamp), *((name, real) for name in names)])

    def arrays(day: tuple[int, int]) -> list[list[Any]]:
        buckets = read(edges(*day, RESOLUTIONS[resolution]))
        rows = [(b.start_ms, b.end_ms, b.energy_wh, b.coverage_ratio, b.measured_s, b.min_w, b.max_w) for b in buckets]
        return [list(column) for column in zip(*rows, strict=True)]

    return _write(map(arrays, local_days(start_ms, end_ms, zone)), schema, target)


def _arrow() -> ModuleType:
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise MissingExtraError("Parquet needs an optional part: pip install 'casawatt[parquet]'") from error


def _raw_arrays(columns: Columns, arrow: ModuleType) -> list[Any]:
    arrays = [columns.time_ms]
    for channel in CHANNELS:
        decimals = COLUMN_OF_CHANNEL[channel][1]
        if channel not in columns.channels:
            arrays.append(arrow.nulls(len(columns), arrow.float64() if decimals else arrow.int64()))
            continue
        values = columns.channels[channel]
        scaled = values / 10**decimals if decimals else values
        arrays.append(arrow.array(scaled, mask=values == ABSENT))
    return arrays


def _write(pieces: Iterator[list[Any]], schema: Any, target: Path) -> int:  # noqa: ANN401 - pyarrow has no types
    arrow, parquet = _arrow(), import_module("pyarrow.parquet")
    rows = 0
    with whole_file(target) as part, parquet.ParquetWriter(part, schema, compression="zstd") as writer:
        for piece in pieces:
            if piece and len(piece[0]):
                arrays = [arrow.array(column, type=field.type) for column, field in zip(piece, schema, strict=True)]
                writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
                rows += len(piece[0])
    return rows
