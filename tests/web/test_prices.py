"""Prices over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.web.homes import TestHome, serving

SPOT = "/api/v1/prices/spot"
HOUR = {"start": "2026-03-10T10:00:00+01:00", "end": "2026-03-10T11:00:00+01:00"}
SPAN = {"start": "2026-03-10T09:00:00+01:00", "end": "2026-03-10T12:00:00+01:00"}


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    home = TestHome(tmp_path)
    async with serving(home) as client:
        yield client
    home.store.close()


async def hand_in(client: httpx.AsyncClient, rate: str, **changed: str) -> Any:
    response = await client.post(SPOT, json={"prices": [HOUR | {"rate_per_kwh": rate} | changed]})
    assert response.status_code == 201, response.text
    return response.json()


async def test_prices_are_handed_in_and_asked_for_and_what_is_missing_is_said(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/prices")).json() == {
        "currency": "EUR",
        "series": [{"name": "spot", "start": None, "end": None, "quarters": 0, "differing": 0}],
    }
    assert await hand_in(client, "0.1250") == {"series": "spot", "added": 4, "same": 0, "replaced": 0, "differing": []}
    assert (await client.get(SPOT, params=SPAN)).json() == {
        "series": "spot",
        "currency": "EUR",
        "prices": [HOUR | {"rate_per_kwh": "0.125"}],
        "missing": [
            {"start": SPAN["start"], "end": HOUR["start"]},
            {"start": HOUR["end"], "end": SPAN["end"]},
        ],
        "differing": [],
    }


async def test_without_a_span_today_and_tomorrow_are_meant(client: httpx.AsyncClient) -> None:
    found = (await client.get(SPOT)).json()
    assert found["missing"] == [{"start": "2026-03-10T00:00:00+01:00", "end": "2026-03-12T00:00:00+01:00"}]


async def test_another_price_of_time_past_waits_and_counts_when_it_is_applied(client: httpx.AsyncClient) -> None:
    await hand_in(client, "0.125")
    change = HOUR | {"old_per_kwh": "0.125", "new_per_kwh": "-0.02"}
    assert (await hand_in(client, "-0.02"))["differing"] == [change]
    found = (await client.get(SPOT, params=SPAN)).json()
    assert (found["prices"][0]["rate_per_kwh"], found["differing"]) == ("0.125", [change])
    would = {"series": "spot", "currency": "EUR", "applied": False, "changes": [change], "months": []}
    for apply in (False, True):
        answer = await client.post(f"{SPOT}/correct", json={"apply": apply})
        assert (answer.status_code, answer.json()) == (200, would | {"applied": apply})
    found = (await client.get(SPOT, params=SPAN)).json()
    assert (found["prices"][0]["rate_per_kwh"], found["differing"]) == ("-0.02", [])


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"start": "2026-03-10T10:05:00+01:00"}, "prices[0].start"),
        ({"start": "yesterday"}, "prices[0].start"),
        ({"end": "2026-03-10T10:00:00+01:00"}, "prices[0].end"),
        ({"rate_per_kwh": "1e5"}, "prices[0].rate_per_kwh"),
        ({"rate_per_kwh": "0.1234567890123"}, "prices[0].rate_per_kwh"),
        ({"rate_per_kwh": "900000"}, "prices[0].rate_per_kwh"),
    ],
)
async def test_a_price_that_cannot_be_is_refused_and_the_field_named(
    client: httpx.AsyncClient, body: dict[str, str], parameter: str
) -> None:
    response = await client.post(SPOT, json={"prices": [HOUR | {"rate_per_kwh": "0.1"} | body]})
    assert (response.status_code, response.json()["parameter"]) == (400, parameter), response.text


async def test_prices_that_overlap_and_series_that_there_are_none_of_are_refused(client: httpx.AsyncClient) -> None:
    two = [HOUR | {"rate_per_kwh": "0.1"}, HOUR | {"rate_per_kwh": "0.2"}]
    response = await client.post(SPOT, json={"prices": two})
    assert (response.status_code, response.json()["parameter"]) == (400, "prices[1].start")
    assert (await client.post("/api/v1/prices/Spot!", json={"prices": two[:1]})).status_code == 400
    missing = await client.get("/api/v1/prices/other")
    assert (missing.status_code, missing.json()["parameter"]) == (404, "series")
    assert "there are: spot" in missing.json()["detail"]
    long = await client.get(SPOT, params={"start": "2020-01-01", "end": "2026-01-01"})
    assert (long.status_code, long.json()["parameter"]) == (400, "end")
    assert (await client.post(f"{SPOT}/correct", json={"start": "2026-03-10", "end": "2026-03-09"})).status_code == 400
