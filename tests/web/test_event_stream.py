"""Events as they are written: each reaches each reader once, whatever breaks in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from casawatt.model.errors import StoreCorruptError
from casawatt.model.event_data import MeterBack, MeterSilent
from casawatt.model.event_types import event_of
from casawatt.web import create_app, event_stream
from casawatt.web.event_stream import EventStreams
from tests.web.homes import TestHome, client_of, serving

STREAM = "/api/v1/events/stream"
Sent = tuple[int, str, Any]


@pytest_asyncio.fixture(autouse=True)
async def writing(home: TestHome) -> AsyncIterator[None]:
    """Write what happens, as the service does."""
    task = asyncio.create_task(home.events.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def happens(home: TestHome, *heard_ms: int) -> None:
    for each in heard_ms:
        home.events.happened(event_of(MeterSilent(each), each, "fridge", each))


async def sent(response: httpx.Response) -> AsyncIterator[Sent]:
    """Yield position, type and document of each event."""
    block: dict[str, str] = {}
    async for line in response.aiter_lines():
        name, colon, value = line.partition(": ")
        if colon and name:
            block[name] = value
        elif not line:
            if "data" in block:
                yield int(block["id"]), block["event"], json.loads(block["data"])
            elif "id" in block:
                yield int(block["id"]), "begins", None
            block = {}


@asynccontextmanager
async def stream(
    client: httpx.AsyncClient, last: str | None = None, **query: Any
) -> AsyncIterator[AsyncIterator[Sent]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    async with client.stream("GET", STREAM, params=query, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield sent(response)


async def heard(stream: AsyncIterator[Sent], count: int) -> list[int]:
    """Return when the meters of the next events were last heard."""
    return [(await anext(stream))[2]["data"]["heard_ms"] for _ in range(count)]


async def test_an_event_is_sent_when_it_is_written(home: TestHome, client: httpx.AsyncClient) -> None:
    home.store.book.events.append(event_of(MeterSilent(1), 1, "fridge", 1))
    async with stream(client) as events:
        assert await anext(events) == (1, "begins", None)
        happens(home, 2)
        seq, name, document = await anext(events)
    assert (seq, name) == (2, "casawatt.meter.silent")
    assert document == (await client.get("/api/v1/events?after=1")).json()["events"][0]


async def test_a_stream_that_broke_off_goes_on_without_loss_or_repeat(
    home: TestHome, client: httpx.AsyncClient
) -> None:
    got: list[int] = []
    last = "0"
    for begin in range(0, 60, 6):
        happens(home, *range(begin, begin + 6))
        async with stream(client, last) as events:
            await anext(events)
            for _ in range(4 if begin < 54 else 24):
                seq, _, document = await anext(events)
                got.append(document["data"]["heard_ms"])
                last = str(seq)
    assert got == list(range(60))


async def test_the_header_goes_before_the_address_that_was_opened_first(
    home: TestHome, client: httpx.AsyncClient
) -> None:
    happens(home, 1, 2, 3)
    async with stream(client, after=0) as events:
        await anext(events)
        assert await heard(events, 3) == [1, 2, 3]
    async with stream(client, "2", after=0) as events:
        assert await anext(events) == (2, "begins", None)
        assert await heard(events, 1) == [3]


async def test_a_position_that_was_said_before_any_event_is_one_to_go_on_from(
    home: TestHome, client: httpx.AsyncClient
) -> None:
    async with stream(client) as events:
        begins, _, _ = await anext(events)
    happens(home, 1)
    async with stream(client, str(begins)) as events:
        await anext(events)
        assert await heard(events, 1) == [1]


async def test_only_what_is_wanted_is_sent(home: TestHome, client: httpx.AsyncClient) -> None:
    async with stream(client, type="casawatt.meter.back", subject="oven") as events:
        await anext(events)
        happens(home, 1)
        for subject in ("fridge", "oven"):
            home.events.happened(event_of(MeterBack(5), 5, subject, 5))
        seq, name, document = await anext(events)
    assert (seq, name, document["subject"]) == (3, "casawatt.meter.back", "oven")


async def test_an_event_that_is_found_again_is_sent_once(home: TestHome, client: httpx.AsyncClient) -> None:
    async with stream(client) as events:
        await anext(events)
        happens(home, 1, 1, 2)
        assert await heard(events, 2) == [1, 2]


async def test_a_position_of_a_log_that_is_no_more_is_now(home: TestHome, client: httpx.AsyncClient) -> None:
    async with stream(client, "1000") as events:
        assert await anext(events) == (0, "begins", None)
        happens(home, 1)
        assert await heard(events, 1) == [1]


async def test_many_events_come_in_their_order_to_every_reader(
    home: TestHome, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "PAGE", 7)
    async with stream(client) as one, stream(client, after=0) as other:
        for each in (one, other):
            await anext(each)
        happens(home, *range(50))
        assert await heard(one, 50) == await heard(other, 50) == list(range(50))


async def test_silence_is_filled_with_comments_and_then_events_go_on(
    home: TestHome, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    async with client.stream("GET", STREAM) as response:
        lines = response.aiter_lines()
        while await anext(lines) != ": still here":
            pass
        happens(home, 1)
        while not (await anext(lines)).startswith("data: "):
            pass


async def test_open_streams_end_when_the_service_stops(home: TestHome) -> None:
    async with httpx.AsyncClient() as outside:
        stack = serving(home)
        client = await stack.__aenter__()
        async with outside.stream("GET", f"{str(client.base_url).rstrip('/')}{STREAM}") as response:
            events = sent(response)
            await anext(events)
            await stack.__aexit__(None, None, None)
            assert [event async for event in events] == []


async def test_a_reader_that_went_away_is_forgotten(home: TestHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    app = create_app(home.ports())
    streams: EventStreams = app.state.streams
    async with client_of(app) as client:
        async with stream(client) as events:
            await anext(events)
            assert len(streams) == 1
        async with asyncio.timeout(5):
            while len(streams):
                await client.get("/healthz")
    assert home.events._followers == []


async def test_no_more_streams_are_opened_than_can_be_served(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "FOLLOWERS_MAX", 1)
    async with stream(client) as events:
        await anext(events)
        refused = await client.get(STREAM)
    assert refused.status_code == 503
    assert "1 streams are open already" in refused.json()["detail"]


async def test_a_log_that_cannot_be_read_ends_the_stream_so_that_its_reader_comes_back(
    home: TestHome, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def damaged(*_: object, **__: object) -> None:
        raise StoreCorruptError("casawatt.db is damaged")

    async with stream(client) as events:
        await anext(events)
        monkeypatch.setattr(home.events, "list", damaged)
        happens(home, 1)
        assert [event async for event in events] == []
    assert "a stream of events ends: casawatt.db is damaged" in caplog.text


@pytest.mark.parametrize("last", ["x", "-1", "1.5"])
async def test_a_position_that_is_none_is_refused(client: httpx.AsyncClient, last: str) -> None:
    response = await client.get(STREAM, headers={"Last-Event-ID": last})
    assert (response.status_code, response.json()["parameter"]) == (400, "Last-Event-ID")
