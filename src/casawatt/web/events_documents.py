"""Events as the API and the commands show them: CloudEvents 1.0 in their JSON form."""

from typing import Any, Literal

import msgspec

from casawatt.model.event import Event, EventFilter
from casawatt.model.event_schemas import schema_id
from casawatt.web.ports import Home, Ports
from casawatt.web.times import format_time


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event in the JSON form of CloudEvents 1.0. `source` and `id` together are the same for a repeat.

    `source` is the home; `dataschema` the URI of the schema that `data` fits, served at
    `/api/v1/events/schemas/<type>`.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    data: dict[str, Any]


class EventsDocument(msgspec.Struct, frozen=True):
    """A page of events. `next` is the `after` of the next page, `more` says whether there is anything on it by now."""

    events: list[CloudEvent]
    next: int
    more: bool


class EventQuery(msgspec.Struct, frozen=True):
    """A page that is asked for: `limit` events after position `after`, None for the first page."""

    wanted: EventFilter
    after: int | None
    limit: int
    newest_first: bool


def cloud_event(event: Event, home: Home) -> CloudEvent:
    """Return an event as it is sent to others."""
    return CloudEvent(
        id=event.event_id,
        source=f"urn:uuid:{home.home_id}",
        type=event.type,
        subject=event.subject,
        time=format_time(event.time_ms, home.zone),
        dataschema=schema_id(event.type),
        data=event.data,
    )


def events_document(ports: Ports, query: EventQuery) -> EventsDocument:
    """Return a page of events; raises StoreError."""
    found = ports.events.list(query.after, query.limit + 1, query.wanted, newest_first=query.newest_first)
    page = found[: query.limit]
    return EventsDocument(
        [cloud_event(event, ports.home) for _, event in page],
        page[-1][0] if page else query.after or 0,
        len(found) > query.limit,
    )
