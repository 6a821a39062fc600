"""A washing machine and the service as a process of its own, killed in the middle of the wash."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from casawatt.store.store import Store
from tests.e2e.service import Service, stop
from tests.test_service import TestPlace, get, until

TOKEN = "laundry-" + "z" * 40

METER = """
[meter.washer]
name = "Lavatrice"
appliance = "washing_machine"
source = "http_push"
address = "laundry"

[[tariff]]
from = 2020-01-01
name = "One rate"
rate_per_kwh = 0.30
"""

WASH = ((8, 0.4), (3, 12.0), (12, 2000.0), (18, 150.0), (4, 400.0), (3, 0.4))
"""Minutes and watts, one after the other."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(f'laundry = "{TOKEN}"\n', encoding="utf-8")
    tokens.chmod(0o600)
    with TestPlace(tmp_path, f'[source.http_push]\ntokens_file = "{tokens}"\n{METER}') as place:
        yield place


FIRST = 6 * 44
"""So many readings come before the kill: all but the last minute of spinning."""


def washing(now_ms: int) -> list[dict[str, Any]]:
    """Return the readings of a wash, one every ten seconds; those before the kill are past, the others nearly are."""
    first_ms = now_ms - FIRST * 10_000 - 10_000
    powers = [power_w for length, power_w in WASH for _ in range(6 * length)]
    return [{"time_ms": first_ms + place * 10_000, "power_w": power_w} for place, power_w in enumerate(powers)]


def push(service: Service, readings: list[dict[str, Any]]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    response = httpx.post(f"{service.url}/api/v1/readings", json={"readings": readings}, headers=headers)
    assert response.json()["recorded"] == len(readings), response.text


def events(place: TestPlace) -> list[tuple[str, dict[str, Any]]]:
    """Return the type and the data of what was told of runs."""
    store = Store.open(place.folder / "data", zone=ZoneInfo("Europe/Rome"), read_only=True)
    try:
        return [(event.type, event.data) for _, event in store.book.events.list() if ".run." in event.type]
    finally:
        store.close()


def meter(service: Service) -> dict[str, Any]:
    (found,) = get(service, "/api/v1/meters")["meters"]
    assert isinstance(found, dict)
    return found


def test_a_wash_over_a_kill_is_one_run_told_once_and_commands_agree_with_the_api(place: TestPlace) -> None:
    readings = washing(int(time.time()) * 1000)
    service = place.start()
    assert meter(service)["state"] is None
    push(service, readings[:FIRST])
    assert meter(service)["state"] == "active"
    running = meter(service)["run"]
    assert running["end"] is None
    assert running["energy_wh"] > 350
    until(lambda: [kind for kind, _ in events(place)] == ["casawatt.run.started"])
    until(lambda: get(service, "/healthz")["store"]["written_seq"] >= FIRST)
    service.process.kill()
    service.process.wait()
    service = place.start()
    assert meter(service)["run"]["start"] == running["start"]
    push(service, readings[FIRST:])
    until(lambda: meter(service)["state"] == "finished")
    (run,) = get(service, "/api/v1/runs?meter=washer&start=2020-01-01&end=2100-01-01")["runs"]
    assert (run["start"], run["state"]) == (running["start"], "finished")
    assert run["energy_wh"] == pytest.approx(12 * 2000 / 60 + 18 * 150 / 60 + 4 * 400 / 60, rel=0.02)
    assert float(run["cost"]) == pytest.approx(run["energy_wh"] / 1000 * 0.30, abs=0.0001)
    ends = datetime.fromisoformat(run["end"]).timestamp() * 1000
    assert abs(ends - readings[6 * 45]["time_ms"]) <= 10_000
    until(lambda: len(events(place)) == 2)
    assert [kind for kind, _ in events(place)] == ["casawatt.run.started", "casawatt.run.finished"]
    told = events(place)[1][1]
    assert {name: told[name] for name in ("start", "end", "energy_wh", "cost")} == {
        name: run[name] for name in ("start", "end", "energy_wh", "cost")
    }
    words = ("runs", "--meter", "washer", "--start", "2020-01-01", "--end", "tomorrow", "--json")
    beside = json.loads(place.run(*words))
    assert beside["runs"] == [run]
    assert json.loads(place.run("runs", "rebuild", "--json"))[0]["differences"] == []
    place.run("doctor", "--rebuild")
    stop(service)
    assert json.loads(place.run(*words)) == beside
    place.run("doctor", "--rebuild")
    assert [kind for kind, _ in events(place)] == ["casawatt.run.started", "casawatt.run.finished"]
    again = place.start()
    assert get(again, "/api/v1/runs?meter=washer&start=2020-01-01&end=2100-01-01")["runs"] == [run]
