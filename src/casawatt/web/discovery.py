"""Looking for devices: what the last search found, and how to begin another."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Body
from msgspec import Meta

from casawatt.web.documents import Time
from casawatt.web.findings import FailureDocument, FindingDocument
from casawatt.web.ports import Ports
from casawatt.web.problem import answer
from casawatt.web.requests import Served, answers, check_json, document
from casawatt.web.times import format_time

BODY_MAX_BYTES = 1024


class SearchWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to look for devices: `timeout_s` is how long each source may take."""

    timeout_s: Annotated[float, Meta(ge=1, le=60)] = 5.0


WishBody = Annotated[SearchWish, Body(title="SearchWish", description="How long to look")]


class DiscoveryDocument(msgspec.Struct, frozen=True):
    """The search that runs or, if none does, the last one; its times are null before the first.

    `waiting`: the sources that are still looking. `failed`: those that could not, and why.
    """

    running: bool
    started: Time | None
    finished: Time | None
    waiting: list[str]
    found: list[FindingDocument]
    failed: list[FailureDocument]


def discovery_document(ports: Ports) -> DiscoveryDocument:
    """Return how the search for devices is going, or how the last one ended."""
    search = ports.discovery.search()
    started, finished = (
        None if time_ms is None else format_time(time_ms, ports.home.zone)
        for time_ms in (search.started_ms, search.finished_ms)
    )
    return DiscoveryDocument(search.running, started, finished, search.waiting, search.found, search.failed)


@get(
    "/discovery",
    summary="Devices that were looked for",
    operation_id="get_discovery",
    tags=["discovery"],
    responses=answers(ok=document(DiscoveryDocument, "The search that runs, or the last one")),
)
async def get_discovery(ports: Served) -> Response[bytes]:
    """Return what the last search found, or the one that runs has found so far; `/live` tells of each change."""
    return answer(discovery_document(ports))


@post(
    "/discovery",
    summary="Look for devices",
    operation_id="post_discovery",
    tags=["discovery"],
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        accepted=document(DiscoveryDocument, "The search that has begun, or was running already"),
    ),
)
async def post_discovery(ports: Served, data: WishBody) -> Response[bytes]:
    """Begin to look for devices, on the network, on brokers and at serial ports. One search runs at a time."""
    ports.discovery.start(data.timeout_s)
    return answer(discovery_document(ports), HTTPStatus.ACCEPTED)
