"""The supply and the alarms over HTTP: in the described form, and what is not known is said."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest_asyncio

from casawatt.app_home import OpenHome, ports_of
from casawatt.config import parse
from casawatt.recorder.power_watch import PowerWatch, Watched
from casawatt.registry import Adoption
from casawatt.web import create_app
from tests.recorder.homes import START_MS, TestHome, home_in
from tests.web.homes import client_of

CONFIG = """
[supply]
contracted_w = 3000
limiter = "italy"

[alarm.much]
meter = "mains"
above_w = 2500
for_s = 60

[alarm.dead]
meter = "freezer"
below_w = 5

[alarm.night]
meter = "mains"
above_w = 100
from = "23:00"
to = "01:30"
weekdays = ["thu", "wed"]

[alarm.day]
meter = "mains"
above_w = 100
from = "08:00"
to = "20:00"
"""


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncIterator[TestHome]:
    with home_in(tmp_path) as home:
        home.registry.adopt(Adoption("mains", "Mains", "change", "mains", "mains"), START_MS)
        home.registry.adopt(Adoption("oven", "Oven", "change", "oven", "oven", "mains"), START_MS)
        yield home


@pytest_asyncio.fixture
async def client(home: TestHome) -> AsyncIterator[httpx.AsyncClient]:
    config = parse(CONFIG, "no such file")
    watched = Watched(config.limiter, config.supply.meter, config.alarms, config.home.zone)
    watch = PowerWatch(home.store, home.registry, home.recorder, watched)
    opened = OpenHome(config, home.store, home.registry, home.recorder, home.clock, watch)
    async with client_of(create_app(ports_of(opened, demo=False), pages=Path("nowhere"))) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str) -> Any:
    """Return what is answered, which has the form that the description promises."""
    response = await client.get(f"/api/v1{path}")
    assert response.status_code == 200, response.text
    described = (await client.get("/api/v1/openapi.json")).json()
    content = described["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"]
    schema = content["application/json"]["schema"]
    jsonschema.validate(response.json(), {**schema, "components": described["components"]})
    return response.json()


async def test_the_countdown_is_answered_with_what_to_stop(home: TestHome, client: httpx.AsyncClient) -> None:
    home.put(0, 400, address="mains")
    home.put(10_000, 2000, address="oven")
    home.put(10_000, 4600, address="mains")
    home.clock.time_ms = START_MS + 45_000
    supply = await get(client, "/supply")
    assert supply["at"] == "2026-01-01T01:00:45+01:00"
    assert (supply["state"], supply["trip_in_s"], supply["tier"], supply["safe_w"]) == ("over", 85.0, 2, 3300.0)
    assert (supply["stop"], supply["enough"]) == ([{"meter": "oven", "power_w": 2000.0}], True)
    assert [each["trip_in_s"] for each in supply["tiers"]] == [10_765.0, 85.0]
    assert supply["why"] is None


async def test_a_count_that_ran_out_is_said(home: TestHome, client: httpx.AsyncClient) -> None:
    for second in range(0, 180, 30):
        home.put(second * 1000, 5000, address="mains")
    home.clock.time_ms = START_MS + 150_000
    assert (await get(client, "/supply"))["due_at"] == "2026-01-01T01:02:00+01:00"


async def test_a_mains_that_was_never_heard_or_is_silent_is_unknown(home: TestHome, client: httpx.AsyncClient) -> None:
    supply = await get(client, "/supply")
    assert (supply["state"], supply["power_w"], supply["trip_in_s"]) == ("unknown", None, None)
    assert "never heard" in supply["why"]
    home.put(0, 5000, address="mains")
    home.clock.time_ms = START_MS + 600_000
    supply = await get(client, "/supply")
    assert (supply["state"], supply["trip_in_s"], supply["said_at"]) == ("unknown", None, "2026-01-01T01:00:00+01:00")
    assert "540 s longer than one holds" in supply["why"]


async def test_each_alarm_says_how_it_stands(home: TestHome, client: httpx.AsyncClient) -> None:
    for second in range(0, 90, 30):
        home.put(second * 1000, 2600, address="mains")
    home.clock.time_ms = START_MS + 75_000
    much, dead, night, day = (await get(client, "/alarms"))["alarms"]
    assert (much["state"], much["power_w"], much["above_w"], much["clear_w"]) == ("over", 2600.0, 2500.0, 2375.0)
    assert (dead["state"], dead["why"], dead["below_w"]) == ("unknown", "there is no meter 'freezer'", 5.0)
    # It is one o'clock on a Thursday: the night of Wednesday is not over, and the day has not begun.
    assert (night["state"], night["hours"]) == (
        "over",
        {"start": "23:00", "end": "01:30", "weekdays": ["wed", "thu"]},
    )
    assert (day["state"], day["beyond_s"]) == ("off", 0.0)
    home.clock.time_ms = START_MS + 600_000
    much = (await get(client, "/alarms"))["alarms"][0]
    assert (much["state"], much["power_w"]) == ("over", None)
    assert much["why"] == "mains says no power now, so its time stands still"
