"""What happened, page by page: in the form of CloudEvents, and nothing twice or left out."""

from typing import Any

import httpx
import jsonschema
import pytest

from casawatt.model.event import Event
from casawatt.model.event_data import MeterBack, MeterSilent, SourceFailed
from casawatt.model.event_schemas import schema_of
from casawatt.model.event_types import EVENT_TYPES, event_of
from tests.web.homes import TestHome, at

EVENTS = "/api/v1/events"
NOON_MS = at("2026-03-10T12:00:00+01:00")


def write(home: TestHome, *events: Event) -> None:
    for event in events:
        assert home.store.book.events.append(event) is not None


def silent(subject: str, heard_ms: int) -> Event:
    return event_of(MeterSilent(heard_ms), heard_ms + 60_000, subject, heard_ms)


def back(subject: str, heard_ms: int) -> Event:
    return event_of(MeterBack(heard_ms, 0), heard_ms, subject, heard_ms)


def a_day(home: TestHome) -> None:
    """Let a fridge and an oven fall silent and come back by turns, 24 times each."""
    for hour in range(24):
        for subject in ("fridge", "oven"):
            make = back if hour % 2 else silent
            write(home, make(subject, at("2026-03-10") + hour * 3_600_000))


async def page(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    response = await client.get(EVENTS, params=query)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def all_pages(client: httpx.AsyncClient, **query: Any) -> list[str]:
    """Return the ids on all pages, one after the other."""
    ids: list[str] = []
    found = await page(client, **query)
    while True:
        ids += [event["id"] for event in found["events"]]
        if not found["more"]:
            return ids
        found = await page(client, **query, after=found["next"])


async def test_an_event_is_a_cloud_event(home: TestHome, client: httpx.AsyncClient) -> None:
    write(home, silent("fridge", NOON_MS))
    assert await page(client) == {
        "events": [
            {
                "specversion": "1.0",
                "id": f"fridge/casawatt.meter.silent/{NOON_MS}",
                "source": "urn:uuid:5f0e",
                "type": "casawatt.meter.silent",
                "subject": "fridge",
                "time": "2026-03-10T12:01:00+01:00",
                "datacontenttype": "application/json",
                "dataschema": "urn:casawatt:schema:casawatt.meter.silent",
                "data": {"heard_ms": NOON_MS, "cause": "limit"},
            }
        ],
        "next": 1,
        "more": False,
    }


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize("limit", [1, 7, 48, 1000])
async def test_the_pages_together_hold_each_event_once(
    home: TestHome, client: httpx.AsyncClient, order: str, limit: int
) -> None:
    a_day(home)
    written = [event.event_id for _, event in home.store.book.events.list()]
    assert await all_pages(client, order=order, limit=limit) == (written if order == "oldest" else written[::-1])


async def test_what_is_written_between_two_pages_is_on_the_next_one(home: TestHome, client: httpx.AsyncClient) -> None:
    write(home, silent("fridge", 1), back("fridge", 2))
    first = await page(client)
    assert (first["next"], first["more"]) == (2, False)
    assert await page(client, after=2) == {"events": [], "next": 2, "more": False}
    write(home, silent("fridge", 3))
    assert [event["time"] for event in (await page(client, after=2))["events"]] == ["1970-01-01T01:01:00.003+01:00"]


async def test_events_are_chosen_by_type_subject_and_time(home: TestHome, client: httpx.AsyncClient) -> None:
    a_day(home)
    write(home, event_of(SourceFailed("gone", 1), NOON_MS, "kasa", NOON_MS))
    found = (await page(client, type="casawatt.meter.back", subject="oven"))["events"]
    assert {(event["type"], event["subject"]) for event in found} == {("casawatt.meter.back", "oven")}
    assert len(found) == 12
    both = await all_pages(client, type="casawatt.meter.back,casawatt.source.failed", limit=5)
    assert len(both) == 25
    span = {"start": "2026-03-10T03:00:00+01:00", "end": "2026-03-10T05:00:00+01:00"}
    assert await all_pages(client, subject="fridge", **span) == [
        f"fridge/casawatt.meter.back/{at('2026-03-10T03:00:00+01:00')}",
        f"fridge/casawatt.meter.silent/{at('2026-03-10T04:00:00+01:00')}",
    ]
    assert await all_pages(client, subject="nobody") == []


@pytest.mark.parametrize(
    ("query", "parameter", "why"),
    [
        ({"type": "casawatt.meter.silly"}, "type", "there are: casawatt."),
        ({"type": ""}, "type", "there are: casawatt."),
        ({"after": "-1"}, "after", "is no position"),
        ({"after": "9" * 30}, "after", "is no position"),
        ({"limit": "0"}, "limit", ""),
        ({"limit": "1001"}, "limit", ""),
        ({"order": "random"}, "order", ""),
        ({"start": "2026-03-10", "end": "2026-03-10"}, "start", "before it ends"),
        ({"start": "noon"}, "start", "is not a time"),
        ({"types": "casawatt.meter.silent"}, "types", "there are: after"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, query: dict[str, str], parameter: str, why: str
) -> None:
    response = await client.get(EVENTS, params=query)
    assert response.status_code == 400
    assert response.json()["parameter"] == parameter
    assert why in response.json()["detail"]


@pytest.mark.parametrize("name", EVENT_TYPES)
async def test_the_schema_of_each_type_is_served(client: httpx.AsyncClient, name: str) -> None:
    response = await client.get(f"{EVENTS}/schemas/{name}")
    assert response.headers["content-type"] == "application/schema+json"
    assert response.json() == schema_of(name)
    jsonschema.Draft202012Validator.check_schema(response.json())


async def test_there_is_no_schema_of_a_type_that_is_not(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{EVENTS}/schemas/casawatt.meter.silly")
    assert (response.status_code, response.json()["parameter"]) == (404, "name")
    assert "casawatt.meter.silent" in response.json()["detail"]
