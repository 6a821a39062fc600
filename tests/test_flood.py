"""A flood from one address under the real service: the others are heard, memory and log stay small."""

import os
import re
import socket
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.e2e.service import FRIDGE, Service, stop
from tests.test_service import TestPlace, get, until

FORGED = 100_000
BETWEEN = 2000
ROOM = 500
QUEUED_MAX_BYTES = 2 << 20
"""What a busy machine may leave unfetched; beyond its buffer the kernel drops the innocent too."""
GROWTH_KIB_MAX = 30_000
LOG_LINES_MAX = 1000


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = TestPlace(tmp_path).start()
    yield service
    stop(service)


def resident_kib(service: Service) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii"))
    assert found
    return int(found[1])


def queued_bytes(port: int) -> int:
    """Return how much the kernel holds for a UDP port that nobody has fetched yet."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(int(row[4].partition(":")[2], 16) for row in rows if int(row[1].partition(":")[2], 16) == port)


def counted(service: Service, cause: str) -> int:
    """Return how often the service refused something for that cause."""
    lines = httpx.get(f"{service.url}/metrics").text.splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines if f'cause="{cause}"' in line)


def test_a_flood_of_forged_stations_harms_neither_another_sender_nor_memory_nor_the_log(service: Service) -> None:
    before_kib = resident_kib(service)
    target = ("127.0.0.1", service.udp_port)
    stamp_s = int(time.time())
    flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sent: list[int] = []
    with flood, other:
        other.bind(("127.0.0.2", 0))
        for number in range(FORGED):
            flood.sendto(b"\x02" + number.to_bytes(5, "big") + struct.pack(">IBB", stamp_s, 2, 50), target)
            if number % ROOM == 0:
                while queued_bytes(service.udp_port) > QUEUED_MAX_BYTES:
                    os.sched_yield()
            if number % BETWEEN == 0:
                sent.append(stamp_s + len(sent))
                packet = bytes.fromhex(FRIDGE.replace(":", "")) + struct.pack(">IBB", sent[-1], 2, len(sent))
                other.sendto(packet, target)
    found = until(lambda: len((now := readings_ahead(service))["time_ms"]) >= len(sent) and now)
    assert found["time_ms"] == [each * 1000 for each in sent]
    assert found["current_a"] == [pytest.approx((number + 1) / 50) for number in range(len(sent))]
    assert counted(service, "flood") > FORGED * 0.9
    assert counted(service, "overflow") == 0
    assert resident_kib(service) - before_kib < GROWTH_KIB_MAX
    assert get(service, "/healthz")["status"] == "ok"
    lines = list(service.said)
    assert len(lines) < LOG_LINES_MAX
    assert sum("flood from 127.0.0.1" in line for line in lines) == 1


def readings_ahead(service: Service) -> dict[str, list[float]]:
    """Return the readings of the fridge; their stamps run ahead of the clock, by less than is not believed."""
    now = datetime.now(UTC)
    start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (now - timedelta(hours=1), now + timedelta(hours=1)))
    found: dict[str, list[float]] = get(
        service, f"/api/v1/meters/fridge/readings?start={start}&end={end}&resolution=raw"
    )
    return found
