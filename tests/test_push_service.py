"""Readings handed in to a service that is a process of its own, killed and started again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.service import Service
from tests.test_service import TestPlace

TOKEN = "garage-" + "z" * 40
READINGS = {"readings": [{"time_ms": 1_767_225_600_000 + at * 60_000, "register_wh": 100 + at} for at in range(5)]}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(f'garage = "{TOKEN}"\n', encoding="utf-8")
    tokens.chmod(0o600)
    with TestPlace(tmp_path, f'[source.http_push]\ntokens_file = "{tokens}"\n') as place:
        yield place


def push(service: Service, body: object = READINGS) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    response = httpx.post(f"{service.url}/api/v1/readings", json=body, headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def energy_wh(service: Service) -> float:
    span = {"start": "2026-01-01", "end": "2026-01-02"}
    answer = httpx.get(f"{service.url}/api/v1/meters/boiler/energy", params=span).json()
    return float(answer["total"]["energy_wh"])


def test_what_was_answered_as_recorded_survives_a_kill_and_is_counted_once(place: TestPlace) -> None:
    service = place.start()
    assert push(service)["not_adopted"] == 5
    (device,) = httpx.get(f"{service.url}/api/v1/meters").json()["new_devices"]
    assert (device["source"], device["address"]) == ("http_push", "garage")
    adoption = {"slug": "boiler", "name": "Boiler", "source": "http_push", "address": "garage"}
    assert httpx.post(f"{service.url}/api/v1/meters", json=adoption).status_code == 201
    assert push(service)["recorded"] == 5
    service.process.kill()
    service.process.wait()
    again = place.start()
    assert energy_wh(again) == 4.0
    push(again)
    assert energy_wh(again) == 4.0
    assert push(again)["duplicates"] == 5
    metrics = httpx.get(f"{again.url}/metrics").text
    assert 'casawatt_readings_total{verdict="duplicate"} 1' in metrics
