"""The service as a process of its own: real packets, real HTTP, real signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from tests.e2e.service import CONFIG, FRIDGE, METERS, OVEN, ROOT, Service, close_log, free_udp_port, start, stop

TIMEOUT_S = 20.0


class TestPlace:
    """A config and a data folder, and the services that were started on them."""

    __test__ = False

    def __init__(self, folder: Path, sections: str = METERS) -> None:
        self.folder = folder
        self.udp_port = free_udp_port()
        self.config = folder / "casawatt.toml"
        self.config.write_text(CONFIG.format(port=self.udp_port) + sections, encoding="utf-8")
        self.options = ("--config", str(self.config), "--data", str(folder / "data"))
        self.started: list[Service] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what runs."""
        for service in self.started:
            if service.process.poll() is None:
                stop(service)
            close_log(service)

    def start(self) -> Service:
        service = start(self.folder, "serve", *self.options, udp_port=self.udp_port)
        self.started.append(service)
        return service

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command on the place, expect its exit code, and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "casawatt", *words, *self.options],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    with TestPlace(tmp_path) as place:
        yield place


def until(ask: Callable[[], Any]) -> Any:
    """Ask the service again and again until the answer is true; return it."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while not (answer := ask()):
        assert time.monotonic() < deadline_s, "it did not become true"
    return answer


def get(service: Service, path: str) -> Any:
    return httpx.get(service.url + path).json()


def meter(service: Service, slug: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in get(service, "/api/v1/meters")["meters"] if each["slug"] == slug)
    return found


def readings(service: Service, slug: str) -> dict[str, Any]:
    found: dict[str, Any] = get(service, f"/api/v1/meters/{slug}/readings?resolution=raw")
    return found


def energy_wh(service: Service, slug: str) -> float:
    """Return the energy of a polled meter's readings, as straight lines between them."""
    columns = readings(service, slug)
    points: list[tuple[int, float]] = list(zip(columns["time_ms"], columns["power_w"], strict=True))
    return sum((b[1] + a[1]) / 2 * (b[0] - a[0]) for a, b in pairwise(points)) / 3_600_000


def send_and_wait(service: Service, address: str, slug: str, current_a: float) -> None:
    """Send a packet and wait until its power is what the meter uses now."""
    service.send_v1(address, current_a)
    until(lambda: meter(service, slug)["power_w"] == pytest.approx(current_a * 230))


def test_a_packet_sent_by_hand_is_a_new_device_and_adopted_it_is_recorded(tmp_path: Path) -> None:
    place = TestPlace(tmp_path, sections="")
    service = place.start()
    service.send_v1(OVEN, 1.0)
    (device,) = until(lambda: get(service, "/api/v1/meters")["new_devices"])
    assert (device["source"], device["address"], device["current_a"]) == ("ecms_udp", OVEN, 1.0)
    assert get(service, "/api/v1/meters")["meters"] == []
    assert OVEN in place.run("meters")
    place.run("meters", "adopt", "oven", "ecms_udp", OVEN, "--name", "Forno")
    assert meter(service, "oven")["name"] == "Forno"
    assert readings(service, "oven")["time_ms"] == []
    send_and_wait(service, OVEN, "oven", 2.0)
    assert readings(service, "oven")["current_a"] == [2.0]
    assert get(service, "/api/v1/meters")["new_devices"] == []
    stop(service)


def test_bad_packets_are_counted_and_shown_and_harm_nobody(place: TestPlace) -> None:
    service = place.start()
    send_and_wait(service, FRIDGE, "fridge", 1.0)
    for payload in (b"", b"short", b"x" * 13, b"\xff" * 600):
        service.send(payload)
    until(lambda: 'cause="length"} 4' in httpx.get(service.url + "/metrics").text)
    assert "length from 127.0.0.1 (ecms_udp)" in place.run("doctor")
    send_and_wait(service, FRIDGE, "fridge", 0.5)
    assert get(service, "/healthz")["status"] == "ok"


def test_a_killed_service_has_lost_nothing_that_was_written(place: TestPlace) -> None:
    service = place.start()
    send_and_wait(service, FRIDGE, "fridge", 1.0)
    before = readings(service, "fridge")
    until(lambda: get(service, "/healthz")["store"]["written_seq"] >= 1)
    service.process.kill()
    service.process.wait()
    again = place.start()
    assert readings(again, "fridge") == before
    place.run("doctor", "--deep", "--rebuild")


def test_sigterm_ends_the_service_cleanly_with_everything_on_the_disk(place: TestPlace) -> None:
    service = place.start()
    send_and_wait(service, FRIDGE, "fridge", 1.0)
    before = readings(service, "fridge")
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(timeout=10) == 0
    exported = place.run("export", "fridge")
    assert len(before["time_ms"]) == 1
    assert str(before["time_ms"][0]) in exported


def test_a_second_service_on_the_same_data_is_refused_and_told_where_the_first_is(place: TestPlace) -> None:
    service = place.start()
    said = place.run("serve", code=3)
    assert service.url in said
    assert str(service.process.pid) in said


def test_commands_agree_whether_the_service_runs_or_not(place: TestPlace) -> None:
    service = place.start()
    for current_a in (1.0, 2.0, 3.0):
        send_and_wait(service, FRIDGE, "fridge", current_a)
    until(lambda: get(service, "/healthz")["store"]["written_seq"] >= 3)
    until(lambda: meter(service, "fridge")["today_wh"] == pytest.approx(energy_wh(service, "fridge"), abs=0.001))
    until(lambda: service.stamps_s[FRIDGE] < time.time())
    beside = place.run("export", "fridge")
    running = json.loads(place.run("meters", "--json"))
    stop(service)
    assert place.run("export", "fridge") == beside
    stopped = json.loads(place.run("meters", "--json"))
    for now, then in zip(stopped["meters"], running["meters"], strict=True):
        for key in ("slug", "name", "power_w", "at", "today_wh"):
            assert now[key] == then[key]


def test_a_backup_made_while_the_service_runs_is_whole_and_can_be_restored(place: TestPlace, tmp_path: Path) -> None:
    service = place.start()
    send_and_wait(service, FRIDGE, "fridge", 1.0)
    until(lambda: get(service, "/healthz")["store"]["written_seq"] >= 1)
    copy = tmp_path / "copy.casawatt"
    place.run("backup", str(copy))
    assert str(service.process.pid) in place.run("restore", str(copy), "--replace", code=3)
    send_and_wait(service, FRIDGE, "fridge", 2.0)
    stop(service)
    assert "holds data" in place.run("restore", str(copy), code=1)
    place.run("restore", str(copy), "--replace")
    again = place.start()
    assert readings(again, "fridge")["current_a"] == [1.0]


def test_a_config_error_ends_in_one_line_that_names_its_place(tmp_path: Path) -> None:
    place = TestPlace(tmp_path, sections='\n[meter.fridge]\nsource = "ecms_udp"\n')
    said = place.run("serve", code=2)
    assert f"{place.config}:15: meter.fridge: object missing required field `address`" in said
    assert "Traceback" not in said


def test_an_unknown_source_is_named_with_those_that_exist(tmp_path: Path) -> None:
    place = TestPlace(tmp_path, sections="\n[source.zigbee]\n")
    said = place.run("serve", code=2)
    assert "source.zigbee: no such source; there are: ecms_mqtt, ecms_udp, " in said


def test_it_does_not_serve_to_the_network_unless_told(tmp_path: Path) -> None:
    place = TestPlace(tmp_path)
    place.config.write_text(place.config.read_text().replace("[web]", '[web]\nhost = "0.0.0.0"'), encoding="utf-8")
    assert "--allow-open-access" in place.run("serve", code=2)
