"""Readings of a meter as columns: raw as they were recorded, or summed up by minute, quarter-hour or hour."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Literal, get_args

import numpy as np
from litestar import Response, get, post
from litestar.params import Body, QueryParameter

from casawatt.engine.power import power_mw_columns
from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.model.interval import Bucket, How
from casawatt.model.meter import Meter
from casawatt.web.documents import ReadingsDocument
from casawatt.web.encoding import MILLI, SCALES, Column, columns_json, in_units
from casawatt.web.energy import edges
from casawatt.web.import_port import ImportReport, ReadingColumns
from casawatt.web.ports import Ports
from casawatt.web.problem import ProblemError, answer, wrong
from casawatt.web.requests import End, Served, Slug, Start, answers, check_json, document, find_meter, parse_span

Resolution = Literal["raw", "1m", "15m", "1h"]
RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)
POINTS_MAX = 1_000_000
"""More readings than that are not answered at once: eleven days at one a second, nearly two years of minutes."""

BODY_MAX_BYTES = 8 * 1024 * 1024
MINUTE_MS = 60_000
VALUE_COLUMNS = (*SCALES, "boot_id")
STRETCH_MS = 2 * 24 * 3_600_000
"""So much time is asked of the store at once, so that a long question does not keep others waiting."""

WATT_MS_PER_MWH = 3600
"""1 mWh is 3.6 J, that is 3600 W for a ms."""

ResolutionText = Annotated[
    str,
    QueryParameter(
        description=f"`raw` gives every reading, at most {POINTS_MAX:,}; the others give mean, least and most power",
        schema_extra={"enum": list(RESOLUTIONS), "default": "raw"},
    ),
]
ReadingsBody = Annotated[
    ReadingColumns, Body(title="Readings", description="Columns of equal length, with null where a value is absent")
]


@get(
    "/meters/{slug:str}/readings",
    summary="Readings as columns",
    operation_id="get_readings",
    tags=["meters"],
    responses=answers(
        HTTPStatus.NOT_FOUND,
        ok=document(ReadingsDocument, "The readings, in the order of their time"),
    ),
)
async def get_readings(
    ports: Served, slug: Slug, start: Start = None, end: End = None, resolution: ResolutionText = "raw"
) -> Response[bytes]:
    """Return the readings of a meter, `start <= time < end`."""
    meter = find_meter(ports, slug)
    start_ms, end_ms = parse_span(ports, start, end)
    match resolution:
        case "raw":
            columns = raw_columns(await raw(ports, meter, start_ms, end_ms), ports, meter)
        case "1m":
            columns = await minute_columns(ports, meter, start_ms, end_ms)
        case "15m" | "1h":
            edges_ms = edges(ports, start_ms, end_ms, "15m" if resolution == "15m" else "hour")
            buckets = ports.store.buckets(meter.meter_id, edges_ms, ports.meters.calibrations(meter))
            columns = bucket_columns(buckets)
        case _:
            raise wrong("resolution", f"{resolution!r} is none of {', '.join(RESOLUTIONS)}")
    return answer(await columns_json({"meter": slug, "resolution": resolution}, columns))


async def raw(ports: Ports, meter: Meter, start_ms: int, end_ms: int) -> Columns:
    """Return the raw records of a span, asked for in stretches; raises ProblemError if there are too many."""
    found: list[Columns] = []
    count = 0
    for stretch_ms in range(start_ms, end_ms, STRETCH_MS):
        columns = ports.store.columns(meter.meter_id, stretch_ms, min(stretch_ms + STRETCH_MS, end_ms))
        if len(columns):
            found.append(columns)
            count += len(columns)
        if count > POINTS_MAX:
            raise wrong("resolution", f"more than {POINTS_MAX:,} readings lie in the span; ask for less time or for 1m")
        if stretch_ms + STRETCH_MS < end_ms:
            await asyncio.sleep(0)
    return joined(found)


def joined(parts: list[Columns]) -> Columns:
    """Return consecutive columns as one; a channel that a part does not have is absent there."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part.channels)
    empty = np.empty(0, np.int64)
    return Columns(
        np.concatenate([empty, *(part.time_ms for part in parts)]),
        np.concatenate([empty, *(part.device_id for part in parts)]),
        {
            name: np.concatenate([part.channels.get(name, np.full(len(part), ABSENT, np.int64)) for part in parts])
            for name in names
        },
    )


def raw_columns(columns: Columns, ports: Ports, meter: Meter) -> dict[str, Column]:
    """Return raw records as the API speaks of them: times, power, and what else was said."""
    power_mw = power_mw_columns(columns, ports.meters.calibrations(meter))
    spoken: dict[str, Column] = {
        "time_ms": np.ascontiguousarray(columns.time_ms),
        "power_w": in_units(power_mw, MILLI),
    }
    for name, (channel, scale) in SCALES.items():
        if channel in columns.channels and name not in spoken:
            spoken[name] = in_units(columns.channels[channel], scale)
    if "boot_id" in columns.channels:
        spoken["boot_id"] = [None if value == ABSENT else value for value in columns.channels["boot_id"].tolist()]
    if (aside := set_aside(columns, ports, meter)) is not None:
        spoken["set_aside"] = aside
    return spoken


def set_aside(columns: Columns, ports: Ports, meter: Meter) -> list[str | None] | None:
    """Return for each raw record why something of it is not counted, None where all is; None when all is of all.

    `power`, `jump` or `jump+power`: as `Cause` says; `discarded`: somebody decided so; `device`: the device does not
    measure for the meter then.
    """
    if not len(columns):
        return None
    first_ms, last_ms = int(columns.time_ms[0]), int(columns.time_ms[-1])
    causes: dict[int, str] = {}
    for suspect in ports.repairs.suspects(meter, first_ms, last_ms + 1):
        causes[suspect.time_ms] = "+".join(filter(None, (causes.get(suspect.time_ms), suspect.cause.value)))
    aside: list[str | None] = [None] * len(columns)
    if causes:
        aside = [causes.get(time_ms) for time_ms in columns.time_ms.tolist()]
    calibrations = ports.meters.calibrations(meter)
    ends_ms = [*(each.from_ms for each in calibrations[1:]), last_ms + 1]
    for calibration, end_ms in zip(calibrations, ends_ms, strict=True):
        if calibration.ignores_all or calibration.ignored_devices:
            first, stop = np.searchsorted(columns.time_ms, (calibration.from_ms, end_ms)).tolist()
            if calibration.ignores_all:
                aside[first:stop] = ["discarded"] * (stop - first)
                continue
            gone = np.isin(columns.device_id[first:stop], calibration.ignored_devices)
            for place in np.flatnonzero(gone).tolist():
                aside[first + place] = "device"
    return aside if any(aside) else None


async def minute_columns(ports: Ports, meter: Meter, start_ms: int, end_ms: int) -> dict[str, Column]:
    """Return a span minute by minute, asked for in stretches; raises ProblemError if it is too long."""
    if (end_ms - start_ms) // MINUTE_MS > POINTS_MAX:
        raise wrong(
            "start", f"more than {POINTS_MAX:,} minutes lie between start and end; ask for 15m, 1h or less time"
        )
    calibrations = ports.meters.calibrations(meter)
    parts: dict[str, list[Int64Array]] = {"time_ms": [], "power_mw": [], "min_mw": [], "max_mw": [], "measured_ms": []}
    stretch_ms = start_ms
    while stretch_ms < end_ms:
        until_ms = min(stretch_ms - stretch_ms % MINUTE_MS + STRETCH_MS, end_ms)
        minutes = ports.store.by_minute(meter.meter_id, stretch_ms, until_ms, calibrations)
        for name, arrays in parts.items():
            arrays.append(getattr(minutes, name))
        stretch_ms = until_ms
        if stretch_ms < end_ms:
            await asyncio.sleep(0)
    whole = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    return {
        "time_ms": whole["time_ms"],
        "power_w": in_units(whole["power_mw"], MILLI),
        "min_w": in_units(whole["min_mw"], MILLI),
        "max_w": in_units(whole["max_mw"], MILLI),
        "measured_s": whole["measured_ms"] / MILLI,
    }


def bucket_columns(buckets: list[Bucket]) -> dict[str, Column]:
    """Return buckets as columns of mean, least and most power."""
    return {
        "time_ms": np.array([bucket.start_ms for bucket in buckets], np.int64),
        "power_w": np.array([mean_w(bucket) for bucket in buckets]),
        "min_w": np.array([np.nan if bucket.min_w is None else bucket.min_w for bucket in buckets]),
        "max_w": np.array([np.nan if bucket.max_w is None else bucket.max_w for bucket in buckets]),
        "measured_s": np.array([bucket.measured_s for bucket in buckets]),
    }


def mean_w(bucket: Bucket) -> float:
    """Return the mean power of a bucket in W to the mW, NaN when nothing is known of it.

    It is the mean over measured time. Energy that a register brought from across a gap belongs to the whole
    bucket, so that then the mean is over all of it.
    """
    spread = bool(bucket.how & How.SPREAD)
    over_ms = bucket.end_ms - bucket.start_ms if spread else bucket.measured_ms
    return round(bucket.energy_mwh * WATT_MS_PER_MWH / over_ms, 3) if over_ms else float("nan")


@post(
    "/meters/{slug:str}/readings",
    summary="Record readings",
    operation_id="post_readings",
    tags=["meters"],
    status_code=HTTPStatus.OK,
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(
        HTTPStatus.NOT_FOUND,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.INSUFFICIENT_STORAGE,
        ok=document(ImportReport, "What became of them"),
    ),
)
async def post_readings(ports: Served, slug: Slug, data: ReadingsBody) -> Response[bytes]:
    """Record readings that a device took earlier; repeating the request does no harm."""
    find_meter(ports, slug)
    check_columns(data)
    return answer(await ports.imports.record(slug, data))


def check_columns(columns: ReadingColumns) -> None:
    """Raise ProblemError unless all columns are as long as that of the times."""
    length = len(columns.time_ms)
    given = {name: column for name in VALUE_COLUMNS if (column := getattr(columns, name)) is not None}
    for name, column in given.items():
        if len(column) != length:
            raise wrong(name, f"has {len(column)} values where time_ms has {length}")
    if not given:
        detail = "besides time_ms there must be at least one column of values"
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail, "power_w")
