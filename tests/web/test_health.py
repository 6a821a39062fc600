"""How the service is, for people and for Prometheus."""

import re
from pathlib import Path

import httpx
import pytest

from casawatt import __version__
from casawatt.web.ports import Health, StoreHealth
from tests.web.homes import TestHome

API_DOC = Path(__file__).parents[2] / "docs" / "api.md"


async def test_health_has_the_designed_shape(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "version": __version__,
        "home": "5f0e",
        "demo": False,
        "since": "2026-03-01T01:00:00+01:00",
        "store": {"trouble": None, "written_seq": 12, "durable_seq": 10},
        "sources": [
            {
                "name": "ecms_udp",
                "state": "running",
                "since": "2026-03-01T01:00:00+01:00",
                "failures": 2,
                "last_error": None,
            }
        ],
    }


@pytest.mark.parametrize(("status", "code"), [("ok", 200), ("degraded", 200), ("failing", 503)])
async def test_only_failing_is_unavailable(home: TestHome, client: httpx.AsyncClient, status: str, code: int) -> None:
    home.state = Health(status, 0, StoreHealth(None, 0, 0), [home.source("ended", "port taken")])  # type: ignore[arg-type]
    response = await client.get("/healthz")
    assert (response.status_code, response.json()["status"]) == (code, status)
    assert response.json()["sources"][0]["last_error"] == "port taken"


async def test_metrics_are_in_prometheus_text_format(home: TestHome, client: httpx.AsyncClient) -> None:
    home.says(home.washer, 2100.5)
    response = await client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = response.text.splitlines()
    assert response.text.endswith("\n")
    assert "# TYPE casawatt_refused_total counter" in lines
    assert r'casawatt_refused_total{source="ecms_udp",sender="10.0.0.9\"\n",cause="length"} 3' in lines
    assert 'casawatt_meter_power_watts{meter="washing-machine"} 2100.5' in lines
    assert 'casawatt_meter_silent{meter="freezer"} 1' in lines
    assert 'casawatt_source_running{source="ecms_udp"} 1' in lines
    sample = re.compile(r'[a-z_]+(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? -?[0-9.e+-]+')
    assert all(sample.fullmatch(line) for line in lines if not line.startswith("#"))


async def test_a_silent_meter_has_no_power(client: httpx.AsyncClient) -> None:
    assert "casawatt_meter_power_watts{" not in (await client.get("/metrics")).text


async def test_every_metric_is_documented(client: httpx.AsyncClient) -> None:
    described = API_DOC.read_text()
    names = re.findall(r"^# TYPE (\S+)", (await client.get("/metrics")).text, re.MULTILINE)
    assert [name for name in names if f"`{name}`" not in described] == []
