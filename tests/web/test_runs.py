"""Runs and programmes over HTTP, on a home with its real recorder."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import pytest_asyncio

from casawatt.app_home import ports_of
from casawatt.web import create_app
from tests.answers.washing import COTTON, DAY_MS, ECO, HOUR_MS, START_MS, Flat, flat_in
from tests.web.homes import client_of

WEEK = {"start": "2026-03-10", "end": "2026-03-17"}
WASHER = "/api/v1/meters/washer"


@pytest.fixture
def flat(tmp_path: Path) -> Any:
    """Five washes of two programmes, and one that goes on."""
    with flat_in(tmp_path / "data") as flat:
        for day, blocks in enumerate([COTTON, ECO, COTTON, ECO, COTTON]):
            flat.wash(START_MS + day * DAY_MS + HOUR_MS, blocks)
        flat.wash(START_MS + 5 * DAY_MS, COTTON, minutes=40)
        yield flat


@pytest_asyncio.fixture
async def client(flat: Flat) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(ports_of(flat.home, demo=False), pages=Path("nowhere"))
    async with client_of(app) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    route = {"/api/v1/runs": path, "/api/v1/runs/compare": path}.get(path)
    if route is not None:
        described = (await client.get("/api/v1/openapi.json")).json()
        (kind,) = described["paths"][route]["get"]["responses"]["200"]["content"].values()
        jsonschema.validate(response.json(), {**kind["schema"], "components": described["components"]})
    return response.json()


async def refused(client: httpx.AsyncClient, path: str, status: int, parameter: str | None, body: object = None) -> str:
    response = await (client.get(path) if body is None else client.post(path, json=body))
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem.get("parameter")) == (status, parameter), problem
    return str(problem["detail"])


async def test_runs_are_listed_with_what_they_took_and_what_one_that_goes_on_will_come_to(
    client: httpx.AsyncClient,
) -> None:
    document = await get(client, "/api/v1/runs", meter="washer", **WEEK)
    assert document["currency"] == "EUR"
    assert [run["state"] for run in document["runs"]] == ["finished"] * 5 + ["active"]
    first, last = document["runs"][0], document["runs"][-1]
    assert (first["start"], first["end"]) == ("2026-03-10T01:00:00+01:00", "2026-03-10T02:28:00+01:00")
    assert (first["cost"], first["cost_complete"], first["coverage"], first["expected"]) == ("0.2977", True, 1.0, None)
    assert sum(phase["energy_wh"] for phase in first["phases"]) == pytest.approx(first["energy_wh"])
    assert last["end"] is None
    assert last["expected"]["runs"] == 3
    assert last["expected"]["end"]["median"] == "2026-03-15T01:28:00+01:00"
    meter = (await get(client, "/api/v1/meters"))["meters"][0]
    assert (meter["state"], meter["run"]["expected"]) == ("active", last["expected"])
    everything = await get(client, "/api/v1/runs", **WEEK)
    assert everything == document
    assert (await get(client, "/api/v1/runs", start="2026-03-10T02:00:00Z", end="2026-03-10T09:00:00Z"))["runs"] == []
    overlapping = await get(client, "/api/v1/runs", start="2026-03-10T01:00:00Z", end="2026-03-10T01:00:01Z")
    assert overlapping["runs"] == [first]
    one = await get(client, f"/api/v1/runs/washer/{first['start']}")
    assert one == {"currency": "EUR", "run": first}


async def test_two_runs_side_by_side(client: httpx.AsyncClient) -> None:
    runs = (await get(client, "/api/v1/runs", **WEEK))["runs"]
    a, b = (f"washer/{run['start']}" for run in runs[:2])
    document = await get(client, "/api/v1/runs/compare", a=a, b=b)
    assert (document["a"], document["b"]) == (runs[0], runs[1])
    assert document["difference"]["duration_s"] == 68 * 60
    assert document["difference"]["energy_wh"] == pytest.approx(runs[1]["energy_wh"] - runs[0]["energy_wh"])
    assert document["curve"]["step_s"] == 60.0
    assert (len(document["curve"]["a_w"]), len(document["curve"]["b_w"])) == (88, 156)


async def test_a_programme_is_named_and_its_name_taken_back(client: httpx.AsyncClient) -> None:
    cotton, eco = (await get(client, f"{WASHER}/programmes"))["programmes"]
    assert (cotton["runs"], eco["runs"], cotton["name"], cotton["ids"]) == (3, 2, None, [])
    assert cotton["duration_s"] == {"median": 88 * 60, "low": 88 * 60, "high": 88 * 60}
    response = await client.post(f"{WASHER}/programmes", json={"start": eco["example"], "name": " Eco 50 "})
    assert response.status_code == 201
    named = response.json()["programme"]
    assert (named["name"], named["runs"]) == ("Eco 50", 2)
    runs = (await get(client, "/api/v1/runs", **WEEK))["runs"]
    assert [run["programme"] for run in runs] == [None, "Eco 50", None, "Eco 50", None, None]
    (number,) = named["ids"]
    taken = await client.post(f"{WASHER}/programmes/{number}/undo", json={})
    assert [each["name"] for each in taken.json()["programmes"]] == [None, None]
    assert "has no programme's name" in await refused(client, f"{WASHER}/programmes/{number}/undo", 404, "id", {})


async def test_runs_found_anew_are_the_same(client: httpx.AsyncClient) -> None:
    response = await client.post(f"{WASHER}/runs/rebuild", json={})
    assert response.json() == {"meter": "washer", "runs": 6, "differences": []}


async def test_what_cannot_be_is_refused_by_name(client: httpx.AsyncClient) -> None:
    assert "boiler" in await refused(client, "/api/v1/runs?meter=boiler", 404, "slug")
    await refused(client, "/api/v1/runs?start=2026-03-12&end=2026-03-11", 400, "start")
    await refused(client, "/api/v1/runs?from=2026-03-12", 400, "from")
    await refused(client, "/api/v1/runs/washer/yesterday", 400, "start")
    await refused(client, "/api/v1/runs/washer/2026-03-10", 404, "start")
    await refused(client, "/api/v1/runs/boiler/2026-03-10", 404, "slug")
    assert "washer" in await refused(client, "/api/v1/runs/compare?a=washer&b=washer/2026-03-10", 400, "a")
    await refused(client, "/api/v1/runs/compare?a=washer/2026-03-10&b=x", 404, "start")
    await refused(client, "/api/v1/meters/boiler/programmes", 404, "slug")
    await refused(client, "/api/v1/meters/boiler/runs/rebuild", 404, "slug", {})
    path = f"{WASHER}/programmes"
    await refused(client, path, 400, "name", {"start": "2026-03-10"})
    await refused(client, path, 400, "name", {"start": "2026-03-10", "name": ""})
    await refused(client, path, 404, "start", {"start": "2026-03-10", "name": "Eco"})
    start = (await get(client, "/api/v1/runs", **WEEK))["runs"]
    assert "cannot be empty" in await refused(client, path, 409, None, {"start": start[0]["start"], "name": "  "})
    assert "still goes on" in await refused(client, path, 409, None, {"start": start[-1]["start"], "name": "Eco"})
