"""Energy of a meter, bucket by bucket."""

from http import HTTPStatus
from typing import Annotated, get_args

from litestar import Response, get
from litestar.params import QueryParameter

from casawatt.engine.localtime import BucketName, bucket_edges
from casawatt.web.documents import EnergyDocument, energy_document
from casawatt.web.ports import Ports
from casawatt.web.problem import answer, wrong
from casawatt.web.requests import End, Served, Slug, Start, answers, document, find_meter, parse_span

BUCKETS: tuple[BucketName, ...] = get_args(BucketName)
MINUTE_MS = 60_000
LEAST_MS: dict[BucketName, int] = {
    "15m": 15 * MINUTE_MS,
    "hour": 60 * MINUTE_MS,
    "day": 23 * 60 * MINUTE_MS,
    "month": 28 * 24 * 60 * MINUTE_MS,
    "year": 365 * 24 * 60 * MINUTE_MS,
}
"""The shortest that each bucket can be."""

BUCKETS_MAX = 100_000
"""More than that are not answered at once: nearly three years of quarter-hours."""

Bucket = Annotated[
    str,
    QueryParameter(
        description="`15m` is the clock quarter-hour; the others are those of the home's zone, so that a day lasts "
        "23 to 25 hours. The first and the last are cut to the span",
        schema_extra={"enum": list(BUCKETS), "default": "hour"},
    ),
]


@get(
    "/meters/{slug:str}/energy",
    summary="Energy, bucket by bucket",
    operation_id="get_energy",
    tags=["meters"],
    responses=answers(
        HTTPStatus.NOT_FOUND,
        ok=document(EnergyDocument, "Energy and coverage of each bucket and of all of them"),
    ),
)
async def get_energy(
    ports: Served, slug: Slug, start: Start = None, end: End = None, bucket: Bucket = "hour"
) -> Response[bytes]:
    """Return the energy of a meter between two instants."""
    meter = find_meter(ports, slug)
    start_ms, end_ms = parse_span(ports, start, end)
    edges_ms = edges(ports, start_ms, end_ms, parse_bucket(bucket))
    buckets = ports.store.buckets(meter.meter_id, edges_ms, ports.meters.calibrations(meter))
    return answer(energy_document(meter, buckets, ports.home))


def parse_bucket(text: str) -> BucketName:
    """Return the name of a bucket; raises ProblemError."""
    for name in BUCKETS:
        if text == name:
            return name
    raise wrong("bucket", f"{text!r} is none of {', '.join(BUCKETS)}")


def edges(ports: Ports, start_ms: int, end_ms: int, bucket: BucketName) -> list[int]:
    """Return the edges (UTC ms) of the buckets of a span; raises ProblemError if there are too many."""
    if (end_ms - start_ms) // LEAST_MS[bucket] > BUCKETS_MAX:
        raise wrong(
            "start", f"more than {BUCKETS_MAX:,} buckets lie between start and end; ask for larger ones or less time"
        )
    return bucket_edges(ports.home.zone, start_ms, end_ms, bucket)
