"""`casawatt events`: what happened, and what happens as it does."""

import json
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import typer

from casawatt.cli import client
from casawatt.cli.asking import ask
from casawatt.cli.output import err, out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.cli.times import local, parse_time
from casawatt.clock import WallClock
from casawatt.model.event import EventFilter
from casawatt.model.event_types import EVENT_TYPES
from casawatt.web.events import EVENTS_MAX
from casawatt.web.events_documents import EventQuery, events_document
from casawatt.web.times import format_time
from casawatt.web.times import parse_time as parse_rfc3339

PREFIX = "casawatt."


def events(
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only of this type, as run.finished; may be given several times.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this: a meter's slug, a source's name.")] = None,
    start: Annotated[str | None, typer.Option(help="From when: today, yesterday, a date or RFC 3339.")] = None,
    end: Annotated[str | None, typer.Option(help="Until before when.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=EVENTS_MAX, help="How many at most.")] = 50,
    after: Annotated[
        int | None, typer.Option(min=0, help="Those after this position, the oldest of them first.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Print each as it happens, until Ctrl-C.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what happened, the newest of it; with --follow print what happens from now on."""
    place = find(config, data)
    zone = place.config.home.zone
    now_ms = WallClock().now_ms()
    names = tuple(full_name(each) for each in types or ())
    if follow:
        if start or end:
            message = "what happens from now on has no start and no end; --after says from which position"
            raise typer.BadParameter(message, param_hint="--follow")
        _follow(place, names, subject, after, as_json=as_json)
        return
    start_ms = None if start is None else parse_time(start, zone, now_ms)
    end_ms = None if end is None else parse_time(end, zone, now_ms)
    if start_ms is not None and end_ms is not None and start_ms >= end_ms:
        message = f"{start} is not before {end}"
        raise typer.BadParameter(message, param_hint="--start")
    wanted = EventFilter(names, subject, start_ms, end_ms)
    document = _page(place, EventQuery(wanted, after, limit, newest_first=after is None))
    if as_json:
        print_json(document)
        return
    shown = document["events"] if after is not None else document["events"][::-1]
    print_table(("time", "event", "about", "what it says"), [row(each, zone) for each in shown])
    if document["more"]:
        further = f"--after {document['next']}" if after is not None else "--limit, --start and --end"
        out.print(f"There are more: {further}.")


def full_name(text: str) -> str:
    """Return the whole name of a type of event; raises typer.BadParameter when there is no such type."""
    name = text if text.startswith(PREFIX) else PREFIX + text
    if name not in EVENT_TYPES:
        message = f"there are no events of type {text!r}; there are: {', '.join(EVENT_TYPES)}"
        raise typer.BadParameter(message, param_hint="--type")
    return name


def row(event: dict[str, Any], zone: ZoneInfo) -> tuple[str | None, str, str, str]:
    """Return the cells of an event: when, which, about what, and what it says in short."""
    time_ms = parse_rfc3339("time", event["time"], zone)
    return local(time_ms, zone), event["type"].removeprefix(PREFIX), event["subject"], in_short(event["data"], zone)


def in_short(data: dict[str, Any], zone: ZoneInfo) -> str:
    """Return the values of an event's data that are no lists or objects, with times as people read them."""
    words = []
    for name, value in data.items():
        if value is None or isinstance(value, dict | list):
            continue
        is_time = name.endswith("_ms") and isinstance(value, int)
        words.append(f"{name.removesuffix('_ms')} {local(value, zone)}" if is_time else f"{name} {value}")
    return ", ".join(words)


def _page(place: Place, query: EventQuery) -> dict[str, Any]:
    wanted, utc = query.wanted, ZoneInfo("UTC")
    start, end = (None if each is None else format_time(each, utc) for each in (wanted.start_ms, wanted.end_ms))
    order = "newest" if query.newest_first else "oldest"
    asked = {"after": query.after, "limit": query.limit, "order": order, "start": start, "end": end}
    path = f"/api/v1/events?{_query(wanted.types, wanted.subject, asked)}"
    found: dict[str, Any] = ask(place, lambda service: service.get(path), lambda ports: events_document(ports, query))
    return found


def _follow(place: Place, types: tuple[str, ...], subject: str | None, after: int | None, *, as_json: bool) -> None:
    service = client.running(place.folder)
    if service is None:
        err.print(f"No service runs on {place.folder}; start it with `casawatt serve`.")
        raise typer.Exit(1)
    try:
        for _, event in service.events(f"/api/v1/events/stream?{_query(types, subject, {'after': after})}"):
            if as_json:
                print(json.dumps(event, ensure_ascii=False), flush=True)
            else:
                out.print("  ".join(str(cell) for cell in row(event, place.config.home.zone)))
    except KeyboardInterrupt:
        return


def _query(types: tuple[str, ...], subject: str | None, others: dict[str, Any]) -> str:
    asked = {"type": ",".join(types) or None, "subject": subject, **others}
    return urlencode({name: value for name, value in asked.items() if value is not None})
