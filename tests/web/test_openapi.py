"""The description of the API: valid, complete and true."""

from pathlib import Path
from typing import Any

import httpx
import jsonschema
import numpy as np
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from openapi_spec_validator import validate

from casawatt.model.event_data import MeterSilent
from casawatt.model.event_types import event_of
from casawatt.web import create_app
from tests.web.homes import TestHome, at

API_DOC = Path(__file__).parents[2] / "docs" / "api.md"
PAGES = {"/", "/{path:path}"}


async def described(client: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await client.get("/api/v1/openapi.json")).json()
    return document


def served(app: Litestar) -> set[tuple[str, str]]:
    """Return path and method of everything that is served beside the pages."""
    routes = [route for route in app.routes if isinstance(route, HTTPRoute) and route.path not in PAGES]
    return {(route.path_format, method.lower()) for route in routes for method in route.methods if method != "OPTIONS"}


async def test_the_description_is_valid(client: httpx.AsyncClient) -> None:
    validate(await described(client))


async def test_everything_served_is_described_and_documented(home: TestHome, client: httpx.AsyncClient) -> None:
    paths = (await described(client))["paths"]
    assert served(create_app(home.ports())) == {(path, method) for path, item in paths.items() for method in item}
    text = API_DOC.read_text()
    for path, item in paths.items():
        for method in item:
            assert f"`{method.upper()} {path}`" in text


async def test_every_parameter_is_documented(client: httpx.AsyncClient) -> None:
    text = API_DOC.read_text()
    for item in (await described(client))["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                assert f"`{parameter['name']}`" in text
                assert parameter["description"]


def check(document: dict[str, Any], operation: dict[str, Any], response: httpx.Response) -> None:
    """Raise ValidationError unless a response has the form that the description promises."""
    spec = operation["responses"][str(response.status_code)]
    media_type = response.headers["content-type"].partition(";")[0]
    schema = spec["content"][media_type]["schema"]
    if media_type.endswith("json"):
        jsonschema.validate(response.json(), {**schema, "components": document["components"]})


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/v1/meters", "/api/v1/meters"),
        ("/api/v1/meters?x=1", "/api/v1/meters"),
        ("/api/v1/meters/freezer", "/api/v1/meters/{slug}"),
        ("/api/v1/supply", "/api/v1/supply"),
        ("/api/v1/alarms", "/api/v1/alarms"),
        ("/api/v1/meters/washing-machine/readings", "/api/v1/meters/{slug}/readings"),
        ("/api/v1/meters/washing-machine/readings?resolution=1m", "/api/v1/meters/{slug}/readings"),
        ("/api/v1/meters/washing-machine/readings?resolution=x", "/api/v1/meters/{slug}/readings"),
        ("/api/v1/meters/boiler/energy", "/api/v1/meters/{slug}/energy"),
        ("/api/v1/meters/washing-machine/energy?bucket=day", "/api/v1/meters/{slug}/energy"),
        ("/api/v1/members", "/api/v1/members"),
        ("/api/v1/split", "/api/v1/split"),
        ("/api/v1/split?start=x", "/api/v1/split"),
        ("/api/v1/split/closed", "/api/v1/split/closed"),
        ("/api/v1/events?order=newest", "/api/v1/events"),
        ("/api/v1/events?after=x", "/api/v1/events"),
        ("/api/v1/events/schemas/casawatt.meter.silent", "/api/v1/events/schemas/{name}"),
        ("/healthz", "/healthz"),
        ("/metrics", "/metrics"),
        ("/api/v1/openapi.json", "/api/v1/openapi.json"),
    ],
)
async def test_answers_have_the_described_form(
    home: TestHome, client: httpx.AsyncClient, path: str, route: str
) -> None:
    times = np.arange(at("2026-03-10"), at("2026-03-10") + 600_000, 1000)
    home.put(home.washer, times, power_mw=times % 5_000, current_ma=times % 10)
    home.says(home.washer, 1.0)
    home.store.book.events.append(event_of(MeterSilent(1), 1, "freezer", 1))
    document = await described(client)
    check(document, document["paths"][route]["get"], await client.get(path))


@pytest.mark.parametrize(
    ("path", "route", "body"),
    [
        ("/api/v1/meters", "/api/v1/meters", {"slug": "a", "name": "A", "source": "s", "address": "1"}),
        ("/api/v1/meters", "/api/v1/meters", {"slug": "freezer", "name": "A", "source": "s", "address": "1"}),
        ("/api/v1/meters", "/api/v1/meters", {}),
        (
            "/api/v1/meters/freezer/readings",
            "/api/v1/meters/{slug}/readings",
            {"time_ms": [1], "power_w": [1], "current_a": [None]},
        ),
        ("/api/v1/meters/boiler/readings", "/api/v1/meters/{slug}/readings", {"time_ms": [1], "power_w": [1]}),
    ],
)
async def test_what_is_sent_and_answered_has_the_described_form(
    client: httpx.AsyncClient, path: str, route: str, body: dict[str, Any]
) -> None:
    document = await described(client)
    operation = document["paths"][route]["post"]
    response = await client.post(path, json=body)
    check(document, operation, response)
    if response.status_code < 300:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.validate(body, {**schema, "components": document["components"]})
