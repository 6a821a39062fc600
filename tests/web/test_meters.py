"""The meters of the home, and adoption."""

import httpx
import numpy as np
import pytest

from casawatt.model.errors import StoreCorruptError
from casawatt.store.store import Store
from tests.web.homes import TestHome, at

ADOPTION = {"slug": "fridge", "name": "Frigo", "source": "ecms_udp", "address": "5c:cf:7f:0a:0b:0c"}


async def test_meters_have_the_designed_shape(home: TestHome, client: httpx.AsyncClient) -> None:
    times = np.arange(at("2026-03-10"), at("2026-03-10T06:00:00+01:00") + 1, 30_000)
    home.put(home.washer, times, power_mw=np.full(len(times), 100_000))
    home.says(home.washer, 2100.5)
    response = await client.get("/api/v1/meters")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "home": {"name": "Casa Rossi", "timezone": "Europe/Rome", "currency": "EUR", "demo": False},
        "meters": [
            {
                "slug": "washing-machine",
                "name": "Lavatrice",
                "appliance": "washing_machine",
                "parent": "mains",
                "state": None,
                "run": None,
                "power_w": 2100.5,
                "at": "2026-03-10T12:00:00+01:00",
                "today_wh": 600.0,
                "today_coverage": 0.5,
                "silent": False,
            },
            {
                "slug": "freezer",
                "name": "Freezer",
                "appliance": None,
                "parent": None,
                "state": None,
                "run": None,
                "power_w": None,
                "at": None,
                "today_wh": 0.0,
                "today_coverage": 0.0,
                "silent": True,
            },
        ],
        "new_devices": [
            {
                "source": "ecms_udp",
                "address": "5c:cf:7f:0a:0b:0c",
                "power_w": 46.0,
                "current_a": 0.2,
                "at": "2026-03-10T12:00:00+01:00",
                "hint": "fridge",
            }
        ],
    }


async def test_one_meter_tells_its_devices_over_time(client: httpx.AsyncClient) -> None:
    meter = (await client.get("/api/v1/meters/washing-machine")).json()
    assert (meter["parent"], meter["source"], meter["address"]) == ("mains", "ecms_udp", "5c:cf:7f:01:02:03")
    assert meter["bindings"] == [
        {"id": 1, "source": "ecms_udp", "address": "old", "from": None, "to": "2026-02-01T00:00:00+01:00"},
        {
            "id": 2,
            "source": "ecms_udp",
            "address": "5c:cf:7f:01:02:03",
            "from": "2026-02-01T00:00:00+01:00",
            "to": None,
        },
    ]
    assert meter["calibrations"] == [
        {
            "from": None,
            "nominal_voltage_v": 230.0,
            "power_factor_ratio": 0.95,
            "cadence": "change",
            "gap_limit_s": 60.0,
            "limit_w": 50_000.0,
        }
    ]
    assert meter["set_aside_week"] == 0


async def test_a_new_device_becomes_a_meter(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/meters", json={**ADOPTION, "appliance": "fridge", "parent": "freezer"})
    assert response.status_code == 201
    assert response.json()["slug"] == "fridge"
    assert response.json()["parent"] == "freezer"
    after = (await client.get("/api/v1/meters")).json()
    assert [meter["slug"] for meter in after["meters"]] == ["washing-machine", "freezer", "fridge"]
    assert after["new_devices"] == []


async def test_the_gap_limit_of_a_new_meter_may_be_said(home: TestHome, client: httpx.AsyncClient) -> None:
    await client.post("/api/v1/meters", json={**ADOPTION, "gap_limit_s": 600})
    await client.post("/api/v1/meters", json={**ADOPTION, "slug": "other"})
    assert home.gap_limits_s == {"fridge": 600.0, "other": None}


async def test_a_taken_slug_is_a_conflict(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/meters", json={**ADOPTION, "slug": "freezer"})
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "there is a meter 'freezer' already"


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"slug": "Fridge!"}, "slug"),
        ({"slug": 3}, "slug"),
        ({"slug": ""}, "slug"),
        ({"name": None}, "name"),
        ({"parent": "cellar"}, "parent"),
        ({"gap_limit_s": 0}, "gap_limit_s"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, change: dict[str, object], parameter: str) -> None:
    response = await client.post("/api/v1/meters", json={**ADOPTION, **change})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["parameter"] == parameter
    assert problem["detail"].startswith(f"{parameter}: ")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"slug": "x"}', b"\xff"])
async def test_a_body_of_another_form_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/api/v1/meters", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert response.json()["title"] == "Bad Request"
    assert response.json()["detail"]


async def test_only_json_is_taken(client: httpx.AsyncClient) -> None:
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {}):
        response = await client.post("/api/v1/meters", content=b"{}", headers=headers)
        assert (response.status_code, response.json()["parameter"]) == (415, "Content-Type")


async def test_a_huge_body_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/meters", json={**ADOPTION, "name": "x" * 100_000})
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


async def test_an_unknown_meter_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("", "/readings", "/energy"):
        response = await client.get(f"/api/v1/meters/boiler{path}")
        assert response.status_code == 404
        assert response.json() == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "there is no meter 'boiler'",
            "parameter": "slug",
        }


def break_store(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let every question about energy end in an error."""

    def energy(*_: object) -> None:
        raise error

    monkeypatch.setattr(Store, "energy", energy)


async def test_a_store_that_cannot_answer_says_so(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    break_store(monkeypatch, StoreCorruptError("casawatt.db: segment 12 is damaged"))
    response = await client.get("/api/v1/meters")
    assert response.status_code == 500
    assert response.json()["detail"] == "casawatt.db: segment 12 is damaged"


async def test_an_unforeseen_error_is_logged_and_tells_nothing(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_store(monkeypatch, ZeroDivisionError("secret insides"))
    response = await client.get("/api/v1/meters")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "GET /api/v1/meters failed" in caplog.text
    assert "secret insides" in caplog.text
