"""The application: all addresses of the API and the pages, in one place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme

from casawatt import __version__
from casawatt.web import bill, digest, events, patterns, repair, runs, split, supply, whatif
from casawatt.web.discovery import get_discovery, post_discovery
from casawatt.web.energy import get_energy
from casawatt.web.event_stream import EventStreams
from casawatt.web.health import get_health, get_metrics
from casawatt.web.live import Feed, get_live
from casawatt.web.meters import get_meter, get_meters, post_meter
from casawatt.web.pages import PAGES, pages_handler
from casawatt.web.ports import Ports
from casawatt.web.prices import HANDLERS as PRICES
from casawatt.web.problem import answer, answer_error
from casawatt.web.push import push_readings
from casawatt.web.readings import get_readings, post_readings
from casawatt.web.requests import answers, check_query, document

DESCRIPTION = """\
Times are RFC 3339; columns carry `time_ms`, milliseconds since 1970 in UTC. Units stand last in a name. Every figure
of energy says how much of its time was really measured. Errors are problem documents (RFC 9457).
"""


@get(
    "/openapi.json",
    summary="This description",
    operation_id="get_openapi",
    tags=["service"],
    responses=answers(ok=document(dict[str, Any], "An OpenAPI 3.1 document")),
)
async def get_openapi() -> Response[bytes]:
    """Return the OpenAPI description of the API."""
    return answer(description())


def api_routers() -> list[Router]:
    """Return everything that the description speaks of."""
    handlers = [
        get_meters,
        get_meter,
        post_meter,
        get_readings,
        post_readings,
        push_readings,
        get_energy,
        get_discovery,
        post_discovery,
        get_live,
        get_openapi,
        *repair.HANDLERS,
        *bill.HANDLERS,
        *events.HANDLERS,
        *split.HANDLERS,
        *PRICES,
        *digest.HANDLERS,
        *patterns.HANDLERS,
        *runs.HANDLERS,
        *supply.HANDLERS,
        *whatif.HANDLERS,
    ]
    return [
        Router("/api/v1", route_handlers=handlers, before_request=check_query),
        Router("/", route_handlers=[get_health, get_metrics], before_request=check_query),
    ]


@cache
def description() -> bytes:
    """Return the OpenAPI document as JSON, made from the handlers themselves."""
    config = OpenAPIConfig(
        title="casawatt",
        version=__version__,
        description=DESCRIPTION,
        license=License(name="MIT", identifier="MIT"),
        components=Components(security_schemes={"token": SecurityScheme("http", scheme="bearer")}),
    )
    described = Litestar(
        api_routers(),
        dependencies=dependencies(None, None, None),
        openapi_config=config,
        logging_config=None,
    )
    return msgspec.json.encode(described.openapi_schema.to_schema())


def provided(value: object) -> Provide:
    """Return the provider of a value that handlers ask for by name."""
    return Provide(lambda: value, sync_to_thread=False)


def dependencies(ports: Ports | None, feed: Feed | None, streams: EventStreams | None) -> dict[str, Provide]:
    """Return what handlers ask for by name; None in the place of all of it describes them."""
    return {"ports": provided(ports), "feed": provided(feed), "streams": provided(streams)}


def create_app(ports: Ports, *, pages: Path = PAGES) -> Litestar:
    """Return the application over `ports`; `pages` is the folder of the built pages.

    `app.state.feed` is its feed of changes, which watches `ports.live` while the application runs; `app.state.streams`
    are those of events, woken by `ports.events`.
    """
    feed, streams = Feed(ports), EventStreams(ports)
    return Litestar(
        [*api_routers(), pages_handler(pages)],
        dependencies=dependencies(ports, feed, streams),
        exception_handlers={Exception: answer_error},
        lifespan=[lambda _app: watching(ports, feed, streams)],
        debug=False,
        openapi_config=None,
        logging_config=None,
        state=State({"feed": feed, "streams": streams, "desk": ports.desk}),
    )


@asynccontextmanager
async def watching(ports: Ports, feed: Feed, streams: EventStreams) -> AsyncIterator[None]:
    """Let the streams hear of what changes and happens."""
    ports.live.watch(feed)
    unfollow = ports.events.follow(streams.wake)
    yield
    unfollow()
    ports.live.unwatch(feed)
