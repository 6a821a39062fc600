"""Decisions made through the running service, and what is left of them when it is killed."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.service import FRIDGE, OVEN
from tests.test_service import TestPlace, get, meter, readings, send_and_wait, until

SPARE = "5c:cf:7f:00:00:77"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    with TestPlace(tmp_path) as place:
        yield place


def test_a_plug_replaced_while_the_service_runs_is_replaced_in_the_config_and_after_a_kill(place: TestPlace) -> None:
    service = place.start()
    send_and_wait(service, FRIDGE, "fridge", 1.0)
    said = place.run("meters", "bind", "fridge", "ecms_udp", SPARE)
    assert f"ecms_udp {SPARE} measures for fridge from now on." in said
    assert f"{place.config}: [meter.fridge] says so now." in said
    service.send_v1(SPARE, 2.0)  # stamped in whole seconds: the one of the bind may have begun before it
    send_and_wait(service, SPARE, "fridge", 2.0)
    until(lambda: get(service, "/healthz")["store"]["written_seq"] >= 2)
    until(lambda: service.stamps_s[SPARE] < time.time())
    before = readings(service, "fridge")
    service.process.kill()
    service.process.wait()
    again = place.start()
    assert readings(again, "fridge") == before
    assert get(again, "/api/v1/meters/fridge")["address"] == SPARE
    place.run("doctor", "--deep", "--rebuild")
    assert "Taken back" in place.run("meters", "undo", "fridge")
    assert place.config.read_text().count(FRIDGE) == 1
    assert get(again, "/api/v1/meters/fridge")["address"] == FRIDGE
    send_and_wait(again, FRIDGE, "fridge", 3.0)


def test_a_correction_outlives_a_kill_right_after_it(place: TestPlace) -> None:
    service = place.start()
    times = list(range(1_773_126_000_000, 1_773_129_600_000, 2_000))
    body = {"time_ms": times, "power_w": [500.0 + 90_000 * (number == 7) for number in range(len(times))]}
    httpx.post(f"{service.url}/api/v1/meters/oven/readings", json=body).raise_for_status()
    until(lambda: get(service, "/healthz")["store"]["written_seq"] >= len(times))
    (listed,) = json.loads(place.run("repair", "list", "--meter", "oven", "--json"))
    (suspect,) = listed["suspects"]
    assert suspect["power_w"] == 90_500.0
    place.run("repair", "restore", "oven", suspect["at"])
    place.run("repair", "discard", "oven", "2026-03-10T08:30:00+01:00", "--to", "2026-03-10T09:00:00+01:00")
    span = "start=2026-03-10&end=2026-03-11&bucket=day"
    wanted = get(service, f"/api/v1/meters/oven/energy?{span}")
    service.process.kill()
    service.process.wait()
    beside = json.loads(place.run("repair", "list", "--meter", "oven", "--json"))[0]
    assert (len(beside["suspects"]), len(beside["corrections"])) == (0, 2)
    again = place.start()
    assert get(again, f"/api/v1/meters/oven/energy?{span}") == wanted
    place.run("doctor", "--deep", "--rebuild")
    for each in beside["corrections"]:
        place.run("repair", "undo", str(each["id"]))
    assert json.loads(place.run("repair", "list", "--meter", "oven", "--json"))[0]["suspects"] == [suspect]
    assert meter(again, "oven")["slug"] == "oven"
    assert OVEN in place.config.read_text()
