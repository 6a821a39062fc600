"""A broker is away for ten minutes and the service is killed meanwhile: no reading is missing or counted twice."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.service import Service, stop
from tests.mosquitto import Mosquitto, Peer, mosquitto, peer
from tests.test_nodes_and_kills import asked
from tests.test_service import TestPlace, get, until

NODES = {"fridge": "5c:cf:7f:00:00:12", "oven": "5c:cf:7f:00:00:13", "kettle": "5c:cf:7f:00:00:14"}
EVERY_S = 10
OUTAGE_READINGS = 60
"""Ten minutes of them."""
KILLS = 3
ROUNDED_WH = 6 * 0.0005
"""Each quarter-hour is rounded to a mWh, and the readings lie in so many at most."""
USERS = {"casawatt": "hunter2", "node": "hunter3"}


class Nodes:
    """Nodes that measure every ten seconds of a time of their own, which runs as the test says."""

    def __init__(self, device: Peer) -> None:
        self.start_s = int(time.time()) // EVERY_S * EVERY_S - 3600
        self.sent: dict[str, dict[int, float]] = {slug: {} for slug in NODES}
        self._device = device
        self._count = 0

    def measure(self, count: int) -> None:
        """Let each node measure so often, and send what it measured."""
        for _ in range(count):
            for number, slug in enumerate(NODES):
                stamp_s = self.start_s + self._count * EVERY_S
                self.sent[slug][stamp_s * 1000] = round(0.1 + (self._count * 7 + number * 3) % 50 / 10, 2)
                self.send(slug, stamp_s)
            self._count += 1

    def send(self, slug: str, stamp_s: int) -> None:
        """Send what a node measured at a time."""
        said = {"macAddress": NODES[slug], "timestamp": stamp_s, "device": 2, "data": self.sent[slug][stamp_s * 1000]}
        self._device.send("energy_consumption", json.dumps(said))

    def energy_wh(self, slug: str) -> float:
        """Return the energy of what a node measured, as straight lines between its readings."""
        points = sorted(self.sent[slug].items())
        return sum((b[1] + a[1]) / 2 * 230 * (b[0] - a[0]) for a, b in pairwise(points)) / 3_600_000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mosquitto]:
    monkeypatch.setenv("CASAWATT_BROKER_HOME_PASSWORD", USERS["casawatt"])
    folder = tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder, "max_queued_messages 1000000", users=USERS, tls=True) as server:
        yield server


@pytest.fixture
def place(tmp_path: Path, server: Mosquitto) -> Iterator[TestPlace]:
    meters = [f'[meter.{slug}]\nsource = "ecms_mqtt"\naddress = "{mac}"\n' for slug, mac in NODES.items()]
    with TestPlace(tmp_path, "\n".join([server.section(user="casawatt"), "[source.ecms_mqtt]", *meters])) as place:
        yield place


def recorded(service: Service, slug: str, start_ms: int) -> dict[int, float]:
    """Return what is recorded of a meter, by time; a time that is there twice fails."""
    found = asked(service, f"{slug}/readings?resolution=raw&", start_ms, start_ms + 7_200_000)
    assert len(set(found["time_ms"])) == len(found["time_ms"])
    return dict(zip(found["time_ms"], found.get("current_a", []), strict=True))


def energy(service: Service, slug: str, start_ms: int, end_ms: int) -> Any:
    return asked(service, f"{slug}/energy?bucket=day&", start_ms, end_ms)["total"]


def has_all(service: Service, nodes: Nodes) -> bool:
    return all(len(recorded(service, slug, nodes.start_s * 1000)) >= len(nodes.sent[slug]) for slug in NODES)


def health_of_broker(service: Service) -> Any:
    (found,) = (each for each in get(service, "/healthz")["sources"] if each["name"] == "broker.home")
    return found


def metrics(service: Service) -> str:
    return httpx.get(service.url + "/metrics").text


def kill(service: Service) -> None:
    service.process.kill()
    service.process.wait()


async def test_a_broker_is_away_and_the_service_is_restarted_and_no_reading_is_missing_or_counted_twice(
    place: TestPlace, server: Mosquitto
) -> None:
    service = place.start()
    async with peer(server, user="node", password=USERS["node"]) as device:
        nodes = Nodes(device)
        await server.until_said("Sending SUBACK to casawatt-")
        nodes.measure(20)
        until(lambda: has_all(service, nodes))
        server.stop()
        nodes.measure(OUTAGE_READINGS // 2)
        until(lambda: health_of_broker(service)["state"] == "restarting")
        assert "the connection was lost" in health_of_broker(service)["last_error"]
        stop(service)
        service = place.start()
        until(lambda: "nothing listens there" in (health_of_broker(service)["last_error"] or ""))
        nodes.measure(OUTAGE_READINGS // 2)
        server.start()
        for _ in range(KILLS):
            nodes.measure(40)
            kill(service)
            nodes.measure(40)
            service = place.start()
            until(lambda: health_of_broker(service)["state"] == "running")  # noqa: B023 - asked at once
        stop(service)
        nodes.measure(10)
        service = place.start()
        nodes.measure(10)
        until(lambda: has_all(service, nodes))
        assert get(service, "/healthz")["status"] == "ok"

        start_ms = nodes.start_s * 1000
        for slug in NODES:
            assert recorded(service, slug, start_ms) == nodes.sent[slug]
        for slug in NODES:
            nodes.send(slug, nodes.start_s)
            nodes.send(slug, max(nodes.sent[slug]) // 1000)
        nodes.measure(1)
        until(lambda: has_all(service, nodes))
    for slug in NODES:
        assert recorded(service, slug, start_ms) == nodes.sent[slug]
        end_ms = max(nodes.sent[slug])
        energy_wh = pytest.approx(nodes.energy_wh(slug), abs=ROUNDED_WH)
        until(lambda: energy(service, slug, start_ms, end_ms)["energy_wh"] == energy_wh)  # noqa: B023 - asked at once
        assert energy(service, slug, start_ms, end_ms)["measured_s"] == (end_ms - start_ms) / 1000
    assert 'casawatt_refused_total{source="ecms_mqtt"' not in metrics(service)
    stop(service)
    place.run("doctor", "--deep", "--rebuild")
