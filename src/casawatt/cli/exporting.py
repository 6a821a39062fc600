"""`casawatt export`: a meter's readings or energy as CSV or Parquet."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from casawatt.app_home import OpenHome, open_home
from casawatt.cli.output import err
from casawatt.cli.places import ConfigOption, DataOption, find
from casawatt.cli.times import parse_time
from casawatt.clock import WallClock
from casawatt.files import csv_export, parquet_export
from casawatt.model.columns import Columns
from casawatt.model.interval import Bucket
from casawatt.model.meter import Meter
from casawatt.registry import IMPORT_SOURCE


class Resolution(StrEnum):
    """How finely to export: every reading, or energy by so much time."""

    RAW = "raw"
    MINUTE = "1m"
    QUARTER = "15m"
    HOUR = "1h"
    DAY = "day"


def export(
    meter: Annotated[str, typer.Argument(help="The meter's slug.")],
    file: Annotated[
        Path | None, typer.Argument(help="The file; .parquet gives Parquet, nothing standard output.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    start: Annotated[
        str, typer.Option(help="From when: today, 2026-01-31, or RFC 3339; `first` is the first reading.")
    ] = "first",
    end: Annotated[str, typer.Option(help="Until before when; `last` is with the last reading.")] = "last",
    resolution: Annotated[Resolution, typer.Option(help="Every reading, or energy by so much time.")] = Resolution.RAW,
    utc: Annotated[bool, typer.Option("--utc", help="Write times in UTC instead of the home's zone.")] = False,
) -> None:
    """Write a meter's readings, or its energy, to a CSV or Parquet file."""
    place = find(config, data)
    clock = WallClock()
    with open_home(place.config, place.folder, clock, read_only=True) as home:
        found = home.registry.meter(meter)
        zone = place.config.home.zone
        first_ms = home.store.first_time_ms(found.meter_id)
        last = home.store.last_record(found.meter_id)
        now_ms = clock.now_ms()
        start_ms = (first_ms or 0) if start == "first" else parse_time(start, zone, now_ms)
        end_ms = (last.time_ms + 1 if last else now_ms) if end == "last" else parse_time(end, zone, now_ms)
        if start_ms > end_ms:
            message = f"{start} is after {end}"
            raise typer.BadParameter(message, param_hint="--start")
        rows = write(home, found, start_ms, end_ms, resolution, file, utc=utc)
        err.print(f"{rows} rows of {found.slug}" + (f" written to {file}" if file else ""))


def write(
    home: OpenHome, meter: Meter, start_ms: int, end_ms: int, resolution: Resolution, file: Path | None, *, utc: bool
) -> int:
    """Write the span to the file, or standard output; returns how many rows, without the heading."""
    zone = home.config.home.zone
    calibrations = home.registry.calibrations(meter)

    def columns(from_ms: int, to_ms: int) -> Columns:
        return home.store.columns(meter.meter_id, from_ms, to_ms)

    def buckets(edges_ms: Sequence[int]) -> Sequence[Bucket]:
        return home.store.buckets(meter.meter_id, edges_ms, calibrations)

    if file is not None and file.suffix == ".parquet":
        if resolution is Resolution.RAW:
            return parquet_export.write_raw(columns, start_ms, end_ms, zone, file)
        return parquet_export.write_buckets(buckets, start_ms, end_ms, zone, resolution.value, file)
    if resolution is Resolution.RAW:
        devices = device_names(home, meter)
        lines = csv_export.raw_lines(columns, start_ms, end_ms, zone, utc=utc, devices=devices)
    else:
        lines = csv_export.bucket_lines(buckets, start_ms, end_ms, zone, resolution.value, utc=utc)
    return csv_export.write_csv(lines, file) - 1


def device_names(home: OpenHome, meter: Meter) -> dict[int, str] | None:
    """Return what each device of the home is called, None when the meter only ever had one.

    Those that measured what was imported are not bound to it, but named after it.
    """
    devices = home.store.registry.devices()
    bound = {binding.device.device_id for binding in home.registry.bindings(meter)}
    imported = {
        device.device_id
        for device in devices
        if device.source == IMPORT_SOURCE and device.address.startswith(f"{meter.slug}/")
    }
    if len(bound | imported) < 2:
        return None
    return {device.device_id: f"{device.source} {device.address}" for device in devices}
