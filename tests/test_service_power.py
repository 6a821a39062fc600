"""The limiter of a service in a process of its own: a load above the limit is warned of, then power is normal again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import GAP_LIMIT_S, MAINS, METERS, OVEN, Service
from tests.test_service import TestPlace, get, send_and_wait, until

SUPPLY = """
[supply]
contracted_w = 600
clear_for_s = 1

[[supply.tier]]
up_to_ratio = 1.10

[[supply.tier]]
for_s = 7200

[alarm.oven-on]
meter = "oven"
above_w = 400
for_s = 0
clear_for_s = 0
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    with TestPlace(tmp_path, METERS + SUPPLY) as place:
        config = place.config.read_text()
        place.config.write_text(config.replace(f"gap_limit_s = {GAP_LIMIT_S}", "gap_limit_s = 600"))
        yield place


def said(service: Service, what: str) -> bool:
    return any(what in line for line in service.said)


def shown(place: TestPlace, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.run(*words, "--json"))
    return found


def test_a_load_above_the_limit_is_told_and_then_its_end_over_a_restart_too(place: TestPlace) -> None:
    service = place.start()
    send_and_wait(service, MAINS, "mains", 1.0)
    assert get(service, "/api/v1/supply")["state"] == "normal"
    send_and_wait(service, OVEN, "oven", 2.0)
    until(lambda: said(service, "power.over: oven"))
    send_and_wait(service, MAINS, "mains", 4.0)
    supply = get(service, "/api/v1/supply")
    assert (supply["state"], supply["power_w"], supply["contracted_w"], supply["safe_w"]) == ("over", 920, 600, 660)
    assert 7100 < supply["trip_in_s"] <= 7200
    assert (supply["stop"], supply["enough"]) == ([{"meter": "oven", "power_w": 460.0}], True)
    until(lambda: said(service, "power.over: mains"))
    assert "To avoid it stop: oven (460 W)." in place.run("supply")
    assert shown(place, "alarms")["alarms"][0]["state"] == "over"
    service.process.kill()
    service.process.wait()
    stopped = shown(place, "supply")
    assert (stopped["state"], stopped["stop"]) == ("over", supply["stop"])
    assert stopped["trip_in_s"] < supply["trip_in_s"]
    assert "oven-on" in place.run("alarms")
    again = place.start()
    send_and_wait(again, MAINS, "mains", 1.0)
    send_and_wait(again, OVEN, "oven", 0.0)
    until(lambda: said(again, "power.normal: mains") and said(again, "power.normal: oven"))
    assert not said(again, "power.over")
    assert get(again, "/api/v1/supply")["tiers"][0]["announced"] is False


def test_a_warning_comes_when_the_countdown_is_short(tmp_path: Path) -> None:
    sections = METERS + SUPPLY.replace("7200", "16")
    with TestPlace(tmp_path, sections) as place:
        config = place.config.read_text()
        place.config.write_text(config.replace(f"gap_limit_s = {GAP_LIMIT_S}", "gap_limit_s = 600"))
        service = place.start()
        send_and_wait(service, MAINS, "mains", 4.0)
        until(lambda: said(service, "trip.warning: mains"))
        send_and_wait(service, MAINS, "mains", 1.0)
        until(lambda: said(service, "power.normal: mains"))
