"""A disk without room under the real service.

The largest size of a file is set to nothing from outside, which needs no rights: every write then fails, that of the
log, of the database and of what lies beside it.
"""

import json
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.service import FRIDGE, Service, start
from tests.test_service import TestPlace, get, readings, send_and_wait, until

PAST_MS = 1_767_225_600_000
STEP_MS = 2_000
ADDRESS = "5c:cf:7f:00:00:77"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    with TestPlace(tmp_path) as place:
        yield place


def tight_service(place: TestPlace) -> Service:
    service = start(place.folder, "serve", *place.options, udp_port=place.udp_port, module="tests.tight_service")
    place.started.append(service)
    return service


def fill(service: Service) -> None:
    """Let no write of the service succeed from now on."""
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def make_room(service: Service) -> None:
    """Let writes succeed again."""
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def post(service: Service, first: int, count: int) -> httpx.Response:
    """Send readings of the fridge in the past, 360 W every two seconds."""
    times_ms = [PAST_MS + number * STEP_MS for number in range(first, first + count)]
    body = {"time_ms": times_ms, "power_w": [360.0] * count}
    return httpx.post(f"{service.url}/api/v1/meters/fridge/readings", json=body)


def posted(service: Service) -> list[int]:
    """Return the times of those readings that are there."""
    query = "start=2026-01-01T00:00:00Z&end=2026-01-20T00:00:00Z&resolution=raw"
    times_ms: list[int] = get(service, f"/api/v1/meters/fridge/readings?{query}")["time_ms"]
    return times_ms


def adopt(service: Service) -> httpx.Response:
    body = {"slug": "new", "name": "New", "source": "ecms_udp", "address": ADDRESS}
    return httpx.post(f"{service.url}/api/v1/meters", json=body)


def said(service: Service, words: str) -> int:
    """Return how many lines of the log have these words."""
    return sum(words in line for line in list(service.said))


def next_health(lines: Iterator[str]) -> Any:
    """Return the next health that an open page is told."""
    for line in lines:
        if line == "event: health":
            return json.loads(next(lines).removeprefix("data: "))
    raise AssertionError("the stream has ended")


def check(service: Service, place: TestPlace, times_ms: list[int]) -> None:
    """See that all this is there, also after the process is killed, and that no total is wrong."""
    assert posted(service) == times_ms
    until(lambda: get(service, "/healthz")["store"]["durable_seq"] == get(service, "/healthz")["store"]["written_seq"])
    service.process.kill()
    service.process.wait()
    again = place.start()
    assert posted(again) == times_ms
    query = "start=2026-01-01T00:00:00Z&end=2026-01-20T00:00:00Z&bucket=month"
    total = get(again, f"/api/v1/meters/fridge/energy?{query}")["total"]
    assert total["energy_wh"] == pytest.approx((len(times_ms) - 1) * 0.2)
    place.run("doctor", "--deep", "--rebuild")


def test_a_full_disk_is_said_readings_wait_in_memory_and_nothing_of_them_is_lost(place: TestPlace) -> None:
    service = tight_service(place)
    assert post(service, 0, 100).json()["recorded"] == 100
    until(lambda: get(service, "/healthz")["store"]["written_seq"] >= 100)
    with httpx.stream("GET", f"{service.url}/api/v1/live", timeout=20) as stream:
        told = stream.iter_lines()
        fill(service)
        assert post(service, 100, 200).json()["recorded"] == 200
        assert next_health(told)["status"] == "degraded"
    health = until(lambda: get(service, "/healthz"))
    assert health["status"] == "degraded"
    assert health["store"]["trouble"].startswith("disk full since")
    assert health["store"]["trouble"].endswith("200 readings waiting in memory")
    assert len(posted(service)) == 300
    send_and_wait(service, FRIDGE, "fridge", 1.0)
    assert len(readings(service, "fridge")["time_ms"]) == 1
    assert said(service, "readings do not reach the disk: disk full") == 1
    make_room(service)
    until(lambda: get(service, "/healthz")["status"] == "ok")
    until(lambda: said(service, "readings reach the disk again") == 1)
    check(service, place, [PAST_MS + number * STEP_MS for number in range(300)])


def test_beyond_bounded_memory_readings_are_refused_the_service_says_so_and_goes_on_by_itself(place: TestPlace) -> None:
    service = tight_service(place)
    assert post(service, 0, 100).json()["recorded"] == 100
    fill(service)
    until(lambda: said(service, "do not reach the disk") or post(service, 100, 1).is_error)
    sent = 101
    while (answer := post(service, sent, 500)).is_success:
        sent += 500
        assert sent < 20_000
    assert answer.status_code == 507
    assert answer.headers["content-type"] == "application/problem+json"
    assert "disk full" in answer.json()["detail"]
    failing = until(lambda: (now := httpx.get(f"{service.url}/healthz")).status_code == 503 and now)
    assert failing.json()["status"] == "failing"
    service.send_v1(FRIDGE, 1.0)
    until(lambda: 'cause="disk_full"} 1' in httpx.get(f"{service.url}/metrics").text)
    held = posted(service)
    assert held == [PAST_MS + number * STEP_MS for number in range(len(held))]
    assert 101 < len(held) < sent + 500
    until(lambda: said(service, "readings are lost from now on: disk full") == 1)
    make_room(service)
    until(lambda: get(service, "/healthz")["status"] == "ok")
    assert post(service, len(held), 500).json()["recorded"] == 500
    check(service, place, [PAST_MS + number * STEP_MS for number in range(len(held) + 500)])


def test_a_device_that_cannot_be_adopted_for_want_of_room_is_adopted_when_there_is_room(place: TestPlace) -> None:
    service = tight_service(place)
    service.send_v1(ADDRESS, 1.0)
    until(lambda: get(service, "/api/v1/meters")["new_devices"])
    fill(service)
    answer = adopt(service)
    assert answer.status_code == 507
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith("the disk is full")
    assert [device["address"] for device in get(service, "/api/v1/meters")["new_devices"]] == [ADDRESS]
    make_room(service)
    assert adopt(service).status_code == 201
    send_and_wait(service, ADDRESS, "new", 2.0)


def test_a_disk_that_is_full_when_sealing_begins_delays_the_seal_and_loses_nothing(place: TestPlace) -> None:
    service = tight_service(place)
    assert post(service, 0, 300).json()["recorded"] == 300
    until(lambda: get(service, "/healthz")["store"]["written_seq"] >= 300)
    fill(service)
    assert post(service, 300, 200).json()["recorded"] == 200
    until(lambda: said(service, "sealing failed, nothing is lost"))
    assert len(posted(service)) == 500
    assert get(service, "/healthz")["status"] == "degraded"
    make_room(service)
    until(lambda: said(service, "sealing works again"))
    until(lambda: get(service, "/healthz")["status"] == "ok")
    assert said(service, "sealing failed") == 1
    check(service, place, [PAST_MS + number * STEP_MS for number in range(500)])
