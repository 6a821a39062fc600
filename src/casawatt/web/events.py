"""What happened: page by page, as it happens, and what each type of event says."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from litestar.response import Stream

from casawatt.model.event import EventFilter
from casawatt.model.event_schemas import schema_of
from casawatt.model.event_types import EVENT_TYPES
from casawatt.web.event_stream import ServedStreams
from casawatt.web.events_documents import EventQuery, EventsDocument, events_document
from casawatt.web.ports import Ports
from casawatt.web.problem import ProblemError, answer, encode, wrong
from casawatt.web.requests import Served, answers, document
from casawatt.web.times import parse_time

EVENTS_MAX = 1000
SCHEMA_JSON = "application/schema+json"

After = Annotated[
    str | None, QueryParameter(description="Begin after this position: the `next` of the page before, or an `id`")
]
Types = Annotated[
    str | None, QueryParameter(name="type", description="Only these types, several with commas between them")
]
Subject = Annotated[str | None, QueryParameter(description="Only what is about this: a meter's slug, a source's name")]
Start = Annotated[str | None, QueryParameter(description="Only what happened then or later, RFC 3339 or a date")]
End = Annotated[str | None, QueryParameter(description="Only what happened before, RFC 3339 or a date")]
Order = Annotated[
    Literal["oldest", "newest"], QueryParameter(description="Which come first, in the order they were written in")
]
Limit = Annotated[int, QueryParameter(description=f"How many at most, up to {EVENTS_MAX}", ge=1, le=EVENTS_MAX)]
LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID", description="The `id` of the last event that was received; goes before `after`"
    ),
]
EventType = Annotated[str, PathParameter(description="The type of event")]


def parse_types(text: str | None) -> tuple[str, ...]:
    """Return the types of events that a query names, none for all; raises ProblemError."""
    names = tuple(name.strip() for name in text.split(",")) if text is not None else ()
    for name in names:
        if name not in EVENT_TYPES:
            raise wrong("type", f"there are no events of type {name!r}; there are: {', '.join(EVENT_TYPES)}")
    return names


def parse_position(name: str, text: str) -> int:
    """Return the number of an event; raises ProblemError."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise wrong(name, f"{text!r} is no position; it is the `next` of a page or the `id` of an event in a stream")
    return int(text)


def parse_wanted(
    ports: Ports, types: str | None, subject: str | None, start: str | None = None, end: str | None = None
) -> EventFilter:
    """Return which events a query wants; raises ProblemError."""
    start_ms = None if start is None else parse_time("start", start, ports.home.zone)
    end_ms = None if end is None else parse_time("end", end, ports.home.zone)
    if start_ms is not None and end_ms is not None and start_ms >= end_ms:
        raise wrong("start", "the span must start before it ends")
    return EventFilter(parse_types(types), subject, start_ms, end_ms)


@get(
    "/events",
    summary="What happened",
    operation_id="get_events",
    tags=["events"],
    responses=answers(ok=document(EventsDocument, "Events as CloudEvents 1.0, and where the next page begins")),
)
async def get_events(
    ports: Served,
    *,
    after: After = None,
    limit: Limit = 100,
    types: Types = None,
    subject: Subject = None,
    start: Start = None,
    end: End = None,
    order: Order = "oldest",
) -> Response[bytes]:
    """Return a page of what happened, the oldest first or the newest first."""
    wanted = parse_wanted(ports, types, subject, start, end)
    position = None if after is None else parse_position("after", after)
    return answer(events_document(ports, EventQuery(wanted, position, limit, order == "newest")))


@get(
    "/events/stream",
    summary="What happens, as it does",
    operation_id="get_event_stream",
    tags=["events"],
    media_type="text/event-stream",
    responses=answers(
        HTTPStatus.SERVICE_UNAVAILABLE,
        ok=document(
            str,
            "Server-sent events, one for each event: its position as `id`, its type as `event`, and the CloudEvent as "
            "`data`",
            media_type="text/event-stream",
        ),
    ),
)
async def get_event_stream(
    ports: Served,
    streams: ServedStreams,
    *,
    after: After = None,
    types: Types = None,
    subject: Subject = None,
    last_event_id: LastEventId = None,
) -> Stream:
    """Return a stream of events from a position on, or from now on; one that broke off goes on where it did."""
    wanted = parse_wanted(ports, types, subject)
    streams.check()
    newest_seq = ports.events.newest_seq()
    position = newest_seq
    if last_event_id is not None:
        position = parse_position("Last-Event-ID", last_event_id)
    elif after is not None:
        position = parse_position("after", after)
    # A position beyond the newest is of a log that is no more, as before a backup was restored.
    stream = streams.stream(min(position, newest_seq), wanted)
    return Stream(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@get(
    "/events/schemas/{name:str}",
    summary="What events of a type say",
    operation_id="get_event_schema",
    tags=["events"],
    media_type=SCHEMA_JSON,
    responses=answers(
        HTTPStatus.NOT_FOUND, ok=document(dict[str, Any], "A JSON Schema of their `data`", media_type=SCHEMA_JSON)
    ),
)
async def get_event_schema(name: EventType) -> Response[bytes]:
    """Return the JSON Schema that the data of every event of a type fits."""
    if name not in EVENT_TYPES:
        detail = f"there are no events of type {name!r}; there are: {', '.join(EVENT_TYPES)}"
        raise ProblemError(HTTPStatus.NOT_FOUND, detail, "name")
    return Response(encode(schema_of(name)), media_type=SCHEMA_JSON)


HANDLERS = [get_events, get_event_stream, get_event_schema]
