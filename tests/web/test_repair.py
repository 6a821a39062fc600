"""Repair over HTTP, on a home with its real recorder."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from casawatt.app_home import OpenHome, ports_of
from casawatt.config import parse
from casawatt.recorder.power_watch import PowerWatch, Watched
from casawatt.web import create_app
from tests.recorder.deciding import HOUR_MS, Place
from tests.web.homes import at, client_of

NOON_MS = 12 * HOUR_MS
FRIDGE = "/api/v1/meters/fridge"
JUMP_AT = "2026-01-01T11:00:00+01:00"
SPIKE_AT = "2026-01-01T11:30:00.250+01:00"
DAY = {"start": "2026-01-01", "end": "2026-01-02"}


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A fridge of 100 W until noon (UTC), with a jump of its register and a spike of its power."""
    place = Place(tmp_path)
    place.home.adopt()
    jump_ms, spike_ms = (at(text) - at("2026-01-01T00:00:00Z") for text in (JUMP_AT, SPIKE_AT))
    times = sorted({*range(0, NOON_MS, 30_000), spike_ms})
    for time_ms in times:
        counted_wh = 41_000 + time_ms / 36_000 + (60_000 if time_ms == jump_ms else 0)
        place.say(time_ms, 800_000.0 if time_ms == spike_ms else 100.0, counted_wh)
    place.home.recorder.settle()
    yield place
    place.close()


@pytest_asyncio.fixture
async def client(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    home = place.home
    watch = PowerWatch(home.store, home.registry, home.recorder, Watched(None, None, (), home.store.zone))
    opened = OpenHome(parse("", "no such file"), home.store, home.registry, home.recorder, home.clock, watch)
    async with client_of(create_app(ports_of(opened, demo=False), pages=Path("nowhere"))) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    response = await client.get(FRIDGE + path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(client: httpx.AsyncClient, path: str, body: object, status: int, parameter: str | None) -> str:
    response = await client.post(FRIDGE + path, json=body)
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem.get("parameter")) == (status, parameter), problem
    return str(problem["detail"])


async def test_what_was_set_aside_is_told_with_what_was_said_and_why(client: httpx.AsyncClient) -> None:
    found = await get(client, "/suspects", **DAY)
    assert found == {
        "meter": "fridge",
        "suspects": [
            {
                "at": JUMP_AT,
                "cause": "jump",
                "energy_wh": pytest.approx(60_000, abs=2),
                "register_wh": pytest.approx(101_000 + 1000),
            },
            {"at": SPIKE_AT, "cause": "power", "energy_wh": 0.0, "power_w": 800_000.0},
        ],
        "older": 0,
    }
    assert (await get(client, ""))["set_aside_week"] == 2


async def test_raw_readings_say_what_was_said_and_mark_what_does_not_count(client: httpx.AsyncClient) -> None:
    raw = await get(client, "/readings", start="2026-01-01T10:59:30+01:00", end="2026-01-01T11:31:00+01:00")
    marked = {at_ms: mark for at_ms, mark in zip(raw["time_ms"], raw["set_aside"], strict=True) if mark}
    assert marked == {at(JUMP_AT): "jump", at(SPIKE_AT): "power"}
    assert 800_000.0 in raw["power_w"]
    minutes = await get(client, "/readings", resolution="1m", **DAY)
    assert max(value for value in minutes["max_w"] if value is not None) == 100.0
    whole = await get(client, "/readings", start="2026-01-01T02:00:00+01:00", end="2026-01-01T03:00:00+01:00")
    assert "set_aside" not in whole
    body = {"action": "discard", "from": "2026-01-01T02:00:00+01:00", "to": "2026-01-01T02:01:00+01:00"}
    assert (await client.post(f"{FRIDGE}/corrections", json=body)).status_code == 201
    again = await get(client, "/readings", start="2026-01-01T02:00:00+01:00", end="2026-01-01T02:02:00+01:00")
    assert again["set_aside"] == ["discarded", "discarded", None, None]


async def test_a_correction_is_made_listed_and_taken_back(client: httpx.AsyncClient) -> None:
    before = await get(client, "/energy", bucket="15m", **DAY)
    response = await client.post(
        f"{FRIDGE}/corrections", json={"action": "restore", "from": JUMP_AT, "note": "the oven was on it"}
    )
    assert response.status_code == 201
    made = response.json()
    (day,) = made["days"]
    assert (day["meter"], day["date"]) == ("fridge", "2026-01-01")
    assert day["after_wh"] - day["before_wh"] == pytest.approx(60_000, abs=2)
    assert (await get(client, "/corrections"))["corrections"] == [made["correction"]]
    assert made["correction"] | {"made": ""} == {
        "id": 1,
        "action": "restore",
        "from": JUMP_AT,
        "to": "2026-01-01T11:00:00.001+01:00",
        "made": "",
        "note": "the oven was on it",
    }
    undone = await client.post(f"{FRIDGE}/corrections/1/undo")
    assert undone.status_code == 200
    assert undone.json()["days"] == [day | {"before_wh": day["after_wh"], "after_wh": day["before_wh"]}]
    assert (await get(client, "/corrections"))["corrections"] == []
    assert await get(client, "/energy", bucket="15m", **DAY) == before
    assert await refused(client, "/corrections/1/undo", {}, 404, "id") == "fridge has no correction 1 that stands"


async def test_a_replacement_is_made_told_and_taken_back(client: httpx.AsyncClient, place: Place) -> None:
    before = await get(client, "/energy", bucket="15m", **DAY)
    since = "2026-01-01T07:00:00+01:00"
    body = {"source": "polled", "address": "p1", "from": since}
    response = await client.post(f"{FRIDGE}/bindings", json=body)
    assert response.status_code == 201
    made = response.json()
    assert (made["source"], made["address"], made["bereft"]) == ("polled", "p1", [])
    assert made["binding"]["from"] == since
    assert made["days"][0]["before_wh"] == pytest.approx(1200, abs=2)
    meter = await get(client, "")
    assert [(each["address"], each["from"], each["to"]) for each in meter["bindings"]] == [
        ("a1", None, since),
        ("p1", since, None),
    ]
    assert [each["cadence"] for each in meter["calibrations"]] == ["change", "polled"]
    assert meter["power_w"] is None
    raw = await get(client, "/readings", start="2026-01-01T06:59:00+01:00", end="2026-01-01T07:01:00+01:00")
    assert raw["set_aside"] == [None, None, "device", "device"]
    place.say(NOON_MS, 100.0, address="a1")
    devices = (await client.get("/api/v1/meters")).json()["new_devices"]
    assert [each["address"] for each in devices] == ["a1"]
    undone = await client.post(f"{FRIDGE}/bindings/last/undo")
    assert (undone.status_code, undone.json()["address"]) == (200, "a1")
    assert await get(client, "/energy", bucket="15m", **DAY) == before


async def test_what_cannot_be_done_is_a_problem_that_names_what_is_wrong(
    client: httpx.AsyncClient, place: Place
) -> None:
    restore = {"action": "restore", "from": JUMP_AT}
    await refused(client, "/corrections", restore | {"from": "yesterday"}, 400, "from")
    await refused(client, "/corrections", restore | {"to": JUMP_AT}, 400, "to")
    await refused(client, "/corrections", restore | {"action": "forget"}, 400, "action")
    await refused(client, "/corrections", restore | {"why": "because"}, 400, "why")
    await refused(client, "/corrections", restore | {"from": "2026-01-01T03:00:00+01:00"}, 409, None)
    await refused(client, "/corrections/77/undo", {}, 404, "id")
    await refused(client, "/bindings/first/undo", {}, 400, "binding")
    await refused(client, "/bindings/77/undo", {}, 404, "id")
    await refused(client, "/bindings/1/undo", {}, 409, None)
    place.home.adopt("tv", address="a2")
    device = {"source": "change", "address": "a2"}
    assert "measures for 'tv'" in await refused(client, "/bindings", device, 409, "address")
    assert "already measures" in await refused(client, "/bindings", {**device, "address": "a1"}, 409, None)
    assert "no source 'x'" in await refused(client, "/bindings", {**device, "source": "x"}, 409, None)
    assert "to come" in await refused(client, "/bindings", device | {"from": "2099-01-01"}, 409, None)
    assert (await client.post("/api/v1/meters/nosuch/bindings", json=device)).status_code == 404
    moved = await client.post(f"{FRIDGE}/bindings", json=device | {"move": True})
    assert moved.json()["bereft"] == ["tv"]
