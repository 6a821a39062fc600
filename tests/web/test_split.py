"""The split over HTTP, of the flat with its real store, tariff and registry."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest_asyncio

from casawatt.app_home import ports_of
from casawatt.web import create_app
from tests.answers.flat import Flat, Span, at, flat_in
from tests.web.homes import client_of

MARCH = {"start": "2026-03-01", "end": "2026-04-01"}
RUN = {"meter": "washer", "at": "2026-03-10T18:10:00+01:00", "member": "carla"}


@pytest_asyncio.fixture
async def flat(tmp_path: Path) -> AsyncIterator[Flat]:
    with flat_in(tmp_path) as flat:
        flat.used("mains", at_0310_1800=8, at_0310_1815=4, at_0320_0700=8)
        flat.used("heater", at_0310_1800=2)
        flat.used("washer", at_0310_1800=0.5, at_0310_1815=0.5)
        flat.runs = [Span(at("2026-03-10T18:00"), at("2026-03-10T18:30"))]
        yield flat


@pytest_asyncio.fixture
async def client(flat: Flat) -> AsyncIterator[httpx.AsyncClient]:
    ports = replace(ports_of(flat.home, demo=False), splits=flat.splits, clock=flat.clock)
    async with client_of(create_app(ports, pages=Path("nowhere"))) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    response = await client.get(f"/api/v1{path}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(response: httpx.Response, status: int, parameter: str | None) -> str:
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem.get("parameter")) == (status, parameter), problem
    return str(problem["detail"])


async def test_a_split_has_the_described_form_and_its_amounts_add_up(client: httpx.AsyncClient) -> None:
    found = await get(client, "/split", **MARCH)
    described = await get(client, "/openapi.json")
    content = described["paths"]["/api/v1/split"]["get"]["responses"]["200"]["content"]
    schema = content["application/json"]["schema"]
    jsonschema.validate(found, {**schema, "components": described["components"]})
    assert (found["bill"], found["adjusted"], found["total"], found["closed"]) == ("14.30", "0.00", "14.30", None)
    cents = {each["member"]: round(float(each["total"]) * 100) for each in found["members"]}
    assert sum(cents.values()) == 1430
    for each in found["members"]:
        assert sum(round(float(line["amount"]) * 100) for line in each["lines"]) == cents[each["member"]]
    anna = found["members"][0]
    assert (anna["name"], anna["days"], anna["adjustments"]) == ("Anna", 31, [])
    assert anna["lines"][0] == {
        "kind": "owned",
        "subject": "heater",
        "amount": "0.50",
        "exact": "1/2",
        "energy_wh": 2000.0,
        "run": None,
        "why": "Heater, which is Anna's: 2.000 kWh at the price of each quarter-hour, 0.5000 EUR.",
    }


async def test_the_split_of_any_period_is_of_its_bill(client: httpx.AsyncClient) -> None:
    for query in (MARCH, {"period": "this"}, {"period": "last"}, {"start": "2026-03-07", "end": "2026-03-21"}):
        split, bill = await get(client, "/split", **query), await get(client, "/bill", **query)
        assert (split["start"], split["end"], split["bill"]) == (bill["start"], bill["end"], bill["total"])
    assert await get(client, "/split") == await get(client, "/split", period="this")
    assert "has not begun" in await refused(await client.get("/api/v1/split?period=2026-05"), 400, "period")


async def test_a_run_is_claimed_listed_and_given_back(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/v1/claims", json=RUN)
    assert made.status_code == 201
    claim = made.json()
    assert claim == {
        "id": 1,
        "meter": "washer",
        "member": "carla",
        "start": "2026-03-10T18:00:00+01:00",
        "end": "2026-03-10T18:30:00+01:00",
        "made": "2026-04-02T12:00:00+02:00",
    }
    assert await get(client, "/claims", start="2026-03-01") == {"claims": [claim]}
    carla = (await get(client, "/split", **MARCH))["members"][2]
    assert carla["lines"][0]["kind"] == "claimed"
    assert carla["lines"][0]["run"] == claim["start"]
    undone = await client.post("/api/v1/claims/1/undo")
    assert (undone.status_code, undone.json()["id"], undone.json()["start"]) == (200, 1, None)
    assert await get(client, "/claims", start="2026-03-01") == {"claims": []}
    again = await client.post("/api/v1/claims/1/undo")
    assert "there is no claim 1" in await refused(again, 404, "id")


async def test_what_cannot_be_claimed_is_refused_with_the_field(client: httpx.AsyncClient) -> None:
    for change, status, parameter, why in (
        ({"member": "dora"}, 404, "member", "there is no member 'dora'; there are: anna, bruno, carla"),
        ({"meter": "boiler"}, 404, "slug", "boiler"),
        ({"meter": "heater"}, 409, None, "needs claimed = true"),
        ({"at": "2026-03-10T19:10:00+01:00"}, 409, None, "washer was not running then"),
        ({"at": "soon"}, 400, "at", "is not a time"),
    ):
        response = await client.post("/api/v1/claims", json=RUN | change)
        assert why in await refused(response, status, parameter)


async def test_a_closed_month_is_answered_as_it_was_closed(flat: Flat, client: httpx.AsyncClient) -> None:
    closed = await client.post("/api/v1/split/close", json=MARCH)
    assert closed.status_code == 201
    assert closed.json()["closed"] == "2026-04-02T12:00:00+02:00"
    flat.used("heater", at_0310_1800=4)
    assert await get(client, "/split", **MARCH) == closed.json()
    assert await get(client, "/split/closed") == {
        "currency": "EUR",
        "closed": [MARCH | {"closed": "2026-04-02T12:00:00+02:00", "total": "14.30"}],
        "following": {"start": "2026-04-01", "end": "2026-05-01"},
    }
    april = await get(client, "/split")
    assert (april["start"], april["end"], april["adjusted"]) == ("2026-04-01", "2026-04-03", "0.00")
    assert "not 2.000 kWh" in april["members"][0]["adjustments"][0]["why"]
    assert april["members"][1]["name"] == "Bruno", "who has left still gets back what he paid too much"
    assert "is closed already" in await refused(await client.post("/api/v1/split/close", json=MARCH), 409, None)


async def test_periods_that_are_none_are_refused_with_the_parameter(client: httpx.AsyncClient) -> None:
    for query, parameter in (
        ({"start": "March"}, "start"),
        ({"start": "2026-02-30"}, "start"),
        ({"start": "2026-03-01", "end": "2026-03-01"}, "end"),
        ({"start": "1969-01-01"}, "start"),
    ):
        await refused(await client.get("/api/v1/split", params=query), 400, parameter)


async def test_members_are_listed(client: httpx.AsyncClient) -> None:
    found = await get(client, "/members")
    assert [each["slug"] for each in found["members"]] == ["anna", "bruno", "carla"]
    assert found["members"][1] == {
        "slug": "bruno",
        "name": "Bruno",
        "joined": None,
        "left": "2026-03-12",
        "room_m2": None,
        "share": 1.0,
    }
