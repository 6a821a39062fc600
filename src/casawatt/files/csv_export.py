"""Writing a meter's records or its energy as CSV, a local day at a time."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.files.spans import RESOLUTIONS, edges, local_days
from casawatt.files.target import whole_file
from casawatt.model.columns import Columns
from casawatt.model.interval import Bucket
from casawatt.model.reading import CHANNELS, Record
from casawatt.recordings.own import COLUMN_OF_CHANNEL

ReadColumns = Callable[[int, int], Columns]
"""Gives a meter's records with `start_ms <= time_ms < end_ms`."""

ReadBuckets = Callable[[Sequence[int]], Sequence[Bucket]]
"""Gives a meter's energy between each two consecutive edges (UTC ms)."""

BUCKET_COLUMNS = ("start", "end", "energy_wh", "coverage", "measured_s", "min_w", "max_w")


def raw_lines(
    read: ReadColumns,
    start_ms: int,
    end_ms: int,
    zone: ZoneInfo,
    *,
    utc: bool,
    devices: Mapping[int, str] | None = None,
) -> Iterator[str]:
    """Yield the heading and a line for each record, in casawatt's own CSV; reading it back gives the same records.

    `time` is RFC 3339 in `zone`, or in UTC. With `devices` (their names by number) a column tells which device
    spoke; it is needed only for a meter that has had several.
    """
    names = [COLUMN_OF_CHANNEL[channel][0] for channel in CHANNELS]
    yield ",".join(["time", "time_ms", *(["device"] if devices else []), *names])
    written = UTC if utc else zone
    for day_start_ms, day_end_ms in local_days(start_ms, end_ms, zone):
        for record in read(day_start_ms, day_end_ms).records():
            device = [devices[record.device_id].replace(",", "_")] if devices else []
            yield ",".join([rfc3339(record.time_ms, written), str(record.time_ms), *device, *_values(record)])


def bucket_lines(
    read: ReadBuckets, start_ms: int, end_ms: int, zone: ZoneInfo, resolution: str, *, utc: bool
) -> Iterator[str]:
    """Yield the heading and a line for each bucket of `resolution` (a key of `RESOLUTIONS`).

    Energy in Wh; coverage is the measured share, 0 to 1; times RFC 3339. Buckets start at local midnight.
    """
    yield ",".join(BUCKET_COLUMNS)
    written = UTC if utc else zone
    for day_start_ms, day_end_ms in local_days(start_ms, end_ms, zone):
        for bucket in read(edges(day_start_ms, day_end_ms, RESOLUTIONS[resolution])):
            yield ",".join(
                (
                    rfc3339(bucket.start_ms, written),
                    rfc3339(bucket.end_ms, written),
                    decimal(bucket.energy_mwh, 3),
                    f"{bucket.coverage_ratio:.6g}",
                    decimal(bucket.measured_ms, 3),
                    "" if bucket.min_mw is None else decimal(bucket.min_mw, 3),
                    "" if bucket.max_mw is None else decimal(bucket.max_mw, 3),
                )
            )


def write_csv(lines: Iterable[str], target: Path | None) -> int:
    """Write `lines` to the file `target`, whole or not at all, or to standard output; return how many.

    Raises OSError.
    """
    if target is None:
        return _write(lines, sys.stdout.write)
    with whole_file(target) as part, part.open("w", encoding="utf-8", newline="") as file:
        return _write(lines, file.write)


def _write(lines: Iterable[str], write: Callable[[str], object]) -> int:
    count = 0
    for line in lines:
        write(line + "\n")
        count += 1
    return count


def rfc3339(time_ms: int, zone: tzinfo) -> str:
    """Return UTC milliseconds as RFC 3339 in `zone`, to the millisecond."""
    seconds, milliseconds = divmod(time_ms, 1000)
    stamp = datetime.fromtimestamp(seconds, tz=zone).replace(microsecond=milliseconds * 1000)
    return stamp.isoformat(timespec="milliseconds")


def decimal(value: int, decimals: int) -> str:
    """Return `value` x 10^-`decimals` in full, without needless zeros: `decimal(1500, 3)` is `1.5`."""
    if decimals == 0:
        return str(value)
    whole, rest = divmod(abs(value), 10**decimals)
    text = f"{whole}.{rest:0{decimals}d}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text


def _values(record: Record) -> Iterator[str]:
    for channel in CHANNELS:
        value = getattr(record, channel)
        yield "" if value is None else decimal(value, COLUMN_OF_CHANNEL[channel][1])
