"""A source that really fails under the service: its port is taken."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from casawatt import config, supervisor
from casawatt.app import Service
from casawatt.app_home import open_home
from casawatt.clock import WallClock

TIMEOUT_S = 20.0
CONFIG = """
[web]
port = 0

[source.ecms_udp]
host = "127.0.0.1"
port = {port}
announce = false

[source.replay]
path = "{recording}"
address = "kettle"
speed = 0

[meter.kettle]
source = "replay"
address = "kettle"
"""


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.04)


@contextlib.asynccontextmanager
async def served(folder: Path, port: int) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    recording = folder / "kettle.csv"
    recording.write_text("time,power_w\n2026-01-01T00:00:00Z,2000\n2026-01-01T00:00:30Z,2000\n", encoding="utf-8")
    text = CONFIG.format(port=port, recording=recording)
    with open_home(config.parse(text, "test.toml"), folder / "data", WallClock()) as home:
        service = Service(home)
        url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(service.run(url.set_result))
        async with httpx.AsyncClient(base_url=await url) as client:
            yield service, client
        service.stop()
        await running
        assert [event.subject for _, event in home.store.book.events.list() if event.type == "casawatt.source.failed"]


async def until(ask: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is true."""
    async with asyncio.timeout(TIMEOUT_S):
        while not (answer := await ask()):  # noqa: ASYNC110 (nobody tells when)
            await asyncio.sleep(0)
        return answer


async def test_a_source_whose_port_is_taken_is_named_disturbs_no_other_and_works_when_the_port_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    really_sleep = asyncio.sleep

    async def slept(pause_s: float) -> None:
        if 0.01 <= pause_s <= 0.04:
            pauses.append(pause_s)
        await really_sleep(pause_s)

    monkeypatch.setattr("casawatt.supervisor.asyncio.sleep", slept)
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with taken:
        async with served(tmp_path, port) as (_, client):

            async def health() -> Any:
                return (await client.get("/healthz")).json()

            async def failed_often() -> Any:
                found = await health()
                named = {source["name"]: source for source in found["sources"]}
                return found if named["ecms_udp"]["failures"] >= 4 else None

            found = await until(failed_often)
            assert found["status"] == "degraded"
            named = {source["name"]: source for source in found["sources"]}
            assert f"port {port}" in named["ecms_udp"]["last_error"]
            assert named["replay"]["failures"] == 0
            query = "start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z&resolution=raw"
            kettle = (await client.get(f"/api/v1/meters/kettle/readings?{query}")).json()
            assert kettle["power_w"] == [2000.0, 2000.0]
            assert pauses[:4] == [0.01, 0.02, 0.04, 0.04]
            taken.close()

            async def runs() -> Any:
                found = await health()
                return found if found["status"] == "ok" else None

            found = await until(runs)
            named = {source["name"]: source for source in found["sources"]}
            assert named["ecms_udp"]["state"] == "running"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
                node.sendto(bytes.fromhex("5ccf7f000077") + bytes(6), ("127.0.0.1", port))

            async def heard() -> Any:
                return (await client.get("/api/v1/meters")).json()["new_devices"]

            (device,) = await until(heard)
            assert device["address"] == "5c:cf:7f:00:00:77"
