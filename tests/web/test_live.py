"""Changes as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from casawatt.model.errors import StoreCorruptError
from casawatt.model.meter import Meter
from casawatt.store.store import Store
from casawatt.web import create_app, live
from casawatt.web.live import Feed, Reader
from casawatt.web.ports import Health, StoreHealth
from tests.web.homes import TestHome, at, client_of, serving

LIVE = "/api/v1/live"


async def events(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Yield each event's name and document."""
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def test_the_stream_begins_with_all_meters(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", LIVE) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        name, document = await anext(events(response))
    assert name == "snapshot"
    assert document == (await client.get("/api/v1/meters")).json()


async def test_a_change_arrives_as_the_meter_is_then(home: TestHome, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", LIVE) as response:
        stream = events(response)
        await anext(stream)
        home.says(home.freezer, 80.0)
        name, document = await anext(stream)
    assert name == "meter"
    assert (document["slug"], document["power_w"], document["silent"]) == ("freezer", 80.0, False)


async def test_of_many_changes_the_first_and_the_newest_arrive(home: TestHome, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", LIVE) as response:
        stream = events(response)
        await anext(stream)
        home.says(home.freezer, 1.0)
        assert (await anext(stream))[1]["power_w"] == 1.0
        for power_w in range(2, 1000):
            home.says(home.freezer, float(power_w))
        home.says(home.washer, 5.0)
        both = {document["slug"]: document["power_w"] for _, document in [await anext(stream), await anext(stream)]}
    assert both == {"freezer": 999.0, "washing-machine": 5.0}


async def test_new_devices_and_health_arrive_too(home: TestHome, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", LIVE) as response:
        stream = events(response)
        await anext(stream)
        home.fresh = []
        home.watchers[0].new_devices()
        assert await anext(stream) == ("new_devices", {"new_devices": []})
        home.state = Health("degraded", 0, StoreHealth("disk full", 3, 2), [])
        home.watchers[0].health()
        name, document = await anext(stream)
    assert (name, document["status"], document["store"]["trouble"]) == ("health", "degraded", "disk full")


async def test_every_open_page_gets_every_change(home: TestHome, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", LIVE) as one, client.stream("GET", LIVE) as other:
        streams = [events(one), events(other)]
        for stream in streams:
            await anext(stream)
        home.says(home.washer, 7.0)
        assert [(await anext(stream))[1]["power_w"] for stream in streams] == [7.0, 7.0]


async def test_what_a_slow_reader_left_is_replaced_by_what_is_newer() -> None:
    reader = Reader()
    for count in range(10_000):
        reader.put(count % 3, b"%d " % count)
    assert await reader.take() == b"9997 9998 9999 "


async def test_a_reader_that_went_away_is_forgotten(home: TestHome) -> None:
    app = create_app(home.ports())
    feed: Feed = app.state.feed
    async with client_of(app) as client:
        async with client.stream("GET", LIVE) as response:
            await anext(events(response))
            assert len(feed) == 1
        async with asyncio.timeout(5):
            while "casawatt_live_streams 0" not in (await client.get("/metrics")).text:
                pass
        assert len(feed) == 0
    assert home.watchers == []


async def test_open_streams_end_when_the_service_stops(home: TestHome) -> None:
    async with httpx.AsyncClient() as outside:
        stack = serving(home)
        client = await stack.__aenter__()
        async with outside.stream("GET", f"{str(client.base_url).rstrip('/')}{LIVE}") as response:
            stream = events(response)
            await anext(stream)
            await stack.__aexit__(None, None, None)
            assert [event async for event in stream] == []


async def test_silence_is_filled_with_comments(
    home: TestHome, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_S", 0.01)
    async with client.stream("GET", LIVE) as response:
        lines = response.aiter_lines()
        while (await anext(lines)) != ": still here":
            pass
        home.says(home.freezer, 3.0)
        while (await anext(lines)) != "event: meter":
            pass


async def test_a_new_day_is_told_for_every_meter(home: TestHome, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", LIVE) as response:
        stream = events(response)
        await anext(stream)
        home.says(home.washer, 1.0)
        await anext(stream)
        home.clock.time_ms = at("2026-03-11T00:00:01+01:00")
        home.says(home.washer, 2.0)
        slugs = [(await anext(stream))[1]["slug"] for _ in range(2)]
    assert slugs == ["washing-machine", "freezer"]


async def test_an_adopted_meter_appears(home: TestHome, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", LIVE) as response:
        stream = events(response)
        await anext(stream)
        home.all.append(Meter(3, "kettle", "Kettle"))
        home.watchers[0].meter(3)
        assert (await anext(stream))[1]["slug"] == "kettle"


async def test_no_more_streams_are_opened_than_can_be_served(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "READERS_MAX", 1)
    async with client.stream("GET", LIVE) as response:
        await anext(events(response))
        refused = await client.get(LIVE)
    assert refused.status_code == 503
    assert "1 streams are open already" in refused.json()["detail"]


async def test_a_reader_that_does_not_read_costs_no_memory_and_is_caught_up_later(
    home: TestHome, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "GAP_S", 0.0)
    home.all[1] = Meter(2, "freezer", "x" * 1_000_000)
    changes = 40
    reading, writing = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writing.write(f"GET {LIVE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reading.readuntil(b"retry:")
    for power_w in range(changes):
        home.says(home.freezer, float(power_w))
        await client.get("/healthz")
    newest = f'"power_w":{changes - 1}.0'.encode()
    received = b""
    while newest not in received[-2_000_000:]:
        received += await reading.read(1_000_000)
    assert received.count(b"event: meter") < changes
    writing.close()
    await writing.wait_closed()


async def test_a_stream_that_cannot_begin_is_an_error(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def energy(*_: object) -> None:
        message = "casawatt.db: segment 12 is damaged"
        raise StoreCorruptError(message)

    monkeypatch.setattr(Store, "energy", energy)
    response = await client.get(LIVE)
    assert (response.status_code, response.json()["detail"]) == (500, "casawatt.db: segment 12 is damaged")


async def test_a_change_that_cannot_be_told_is_logged_and_the_stream_goes_on(
    home: TestHome, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with client.stream("GET", LIVE) as response:
        stream = events(response)
        await anext(stream)
        with monkeypatch.context() as broken:
            broken.setattr(TestHome, "new_devices", Mock(side_effect=StoreCorruptError("damaged")))
            home.watchers[0].new_devices()
            home.says(home.freezer, 1.0)
            assert (await anext(stream))[0] == "meter"
    assert "could not be sent to the open pages: damaged" in caplog.text
