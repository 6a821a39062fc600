"""Days and patterns by the API: what is answered has the described form, what cannot be asked is said."""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from casawatt.app_home import OpenHome, ports_of
from casawatt.web import create_app
from tests.answers.home_of_days import home_at, past, put_days
from tests.web.homes import client_of

TENTH = date(2026, 3, 10)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenHome]:
    with home_at(tmp_path, "2026-03-11T12:00:00") as home:
        past(home, "mains", date(2026, 1, 1), date(2026, 3, 9), lambda at: 100.0 if at.hour < 8 else 300.0)
        past(home, "fridge", date(2026, 1, 1), date(2026, 3, 9), lambda _: 400.0)
        put_days(home, "mains", TENTH, TENTH, lambda _: 100.0, 600)
        yield home


@pytest.fixture
async def client(opened: OpenHome) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(ports_of(opened, demo=False))) as client:
        yield client


async def asked(client: httpx.AsyncClient, path: str, route: str) -> Any:
    """Return an answer that has the form which the description promises."""
    document = (await client.get("/api/v1/openapi.json")).json()
    response = await client.get(path)
    spec = document["paths"][route]["get"]["responses"][str(response.status_code)]
    schema = spec["content"][response.headers["content-type"].partition(";")[0]]["schema"]
    jsonschema.validate(response.json(), {**schema, "components": document["components"]})
    return response.json()


async def test_a_day_is_answered_with_the_power_that_is_asked_for(client: httpx.AsyncClient) -> None:
    found = await asked(client, "/api/v1/digest/2026-03-10?resolution=15,720", "/api/v1/digest/{date}")
    assert (found["date"], found["over"], found["currency"], found["told"]) == ("2026-03-10", True, "EUR", None)
    assert found["home"]["energy_wh"] == 2400.0
    assert [each["resolution_min"] for each in found["home"]["power"]] == [15, 720]
    assert found["home"]["power"][1]["power_w"] == [100.0, 100.0]
    assert [each["meter"] for each in found["meters"]] == ["mains", "fridge"]
    assert found["meters"][1]["gaps"] == [{"start": "2026-03-10T00:00:00+01:00", "end": "2026-03-11T00:00:00+01:00"}]
    assert (await client.get("/api/v1/digest/2026-03-10")).json()["home"]["power"] == []


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("2026-03-12", 404, "2026-03-12 has not begun"),
        ("yesterday", 400, "date: 'yesterday' is not a day; write it like 2026-01-31"),
        ("2026-02-30", 400, "date: '2026-02-30' is not a day: day is out of range for month"),
        ("2026-03-10?resolution=15,7", 400, "resolution: '15,7': 7 does not divide the 1440 minutes of a day"),
        ("2026-03-10?resolution=x", 400, "resolution: 'x': "),
        ("2026-03-10?resolution=1,2,3,4,5,6,8,9,10,12,15", 400, "resolution: at most 10 at once"),
    ],
)
async def test_what_cannot_be_asked_is_said(client: httpx.AsyncClient, path: str, status: int, detail: str) -> None:
    problem = await asked(client, f"/api/v1/digest/{path}", "/api/v1/digest/{date}")
    assert problem["status"] == status
    assert problem["detail"].startswith(detail)


async def test_patterns_are_answered_and_a_negative_rest_has_its_cause(client: httpx.AsyncClient) -> None:
    found = await asked(client, "/api/v1/patterns", "/api/v1/patterns")
    assert found["home"]["base"] == {"power_w": 100.0, "year_cost": "192.72", "share": 0.44, "days": 28}
    assert [each["weekday"] for each in found["home"]["profiles"]] == [
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ]
    assert {len(each["median_w"]) for each in found["home"]["profiles"]} == {96}
    assert [each["profiles"] for each in found["meters"]] == [[], []]
    day, week, month = found["balances"]
    assert (day["common"], day["rest_wh"], day["causes"]) == (0, 0.0, [])
    assert (week["quarters"], week["common"], week["energy_wh"]) == (672, 576, 33_600.0)
    assert week["behind"] == [{"meter": "fridge", "energy_wh": 57_600.0}]
    assert (week["rest_wh"], len(week["causes"])) == (-24_000.0, 1)
    assert week["causes"][0].startswith("fridge alone shows more than mains in 576 of the 576 quarter-hours")
    assert month["start"] == "2026-02-11T00:00:00+01:00"


async def test_a_meters_patterns_have_its_usual_days(client: httpx.AsyncClient) -> None:
    route = "/api/v1/meters/{slug}/patterns"
    found = await asked(client, "/api/v1/meters/mains/patterns", route)
    assert found["pattern"]["meter"] == "mains"
    assert found["pattern"]["profiles"][0]["median_w"][31:33] == [100.0, 300.0]
    assert (await asked(client, "/api/v1/meters/oven/patterns", route))["status"] == 404
