"""Events of a running service: asked, followed, and the same after it is killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.e2e.service import FRIDGE, ROOT
from tests.test_service import TestPlace, get, send_and_wait, until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    with TestPlace(tmp_path) as place:
        yield place


@contextmanager
def following(place: TestPlace, *words: str) -> Iterator[IO[str]]:
    """Yield what `casawatt events --follow --json` prints."""
    command = [sys.executable, "-m", "casawatt", "events", "--follow", "--json", *words, *place.options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def listed(place: TestPlace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(place.run("events", "--after", "0", "--json"))["events"]
    return found


def test_a_silence_is_followed_listed_and_known_after_a_kill(place: TestPlace) -> None:
    service = place.start()
    with following(place, "--after", "0", "--type", "meter.silent") as lines:
        send_and_wait(service, FRIDGE, "fridge", 1.0)
        first = json.loads(lines.readline())
    assert (first["type"], first["subject"], first["data"]["cause"]) == ("casawatt.meter.silent", "fridge", "limit")
    assert first["source"] == f"urn:uuid:{get(service, '/healthz')['home']}"
    online = listed(place)
    assert online == get(service, "/api/v1/events")["events"]
    service.process.kill()
    service.process.wait()
    assert listed(place) == online
    again = place.start()
    with following(place, "--after", "0", "--subject", "fridge") as lines:
        assert json.loads(lines.readline()) == first
        send_and_wait(again, FRIDGE, "fridge", 2.0)
        back = json.loads(lines.readline())
    assert (back["type"], back["data"]["before_ms"]) == ("casawatt.meter.back", first["data"]["heard_ms"])
    silent = until(lambda: get(again, "/api/v1/events?type=casawatt.meter.silent&order=newest")["events"][:-1])
    assert silent[0]["data"]["heard_ms"] >= back["data"]["heard_ms"]
