"""Version 2 nodes send over real UDP to a real service that is killed again and again: no energy is lost in the end."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from casawatt.virtual.ecms_encode import Measured
from casawatt.virtual.ecms_node import NodeV2
from casawatt.virtual.ecms_radio import Radio
from tests.e2e.service import Service, stop
from tests.fakes.clock import ManualClock
from tests.test_service import TestPlace

KILLS = 4
SAMPLES_A_KILL = 25
TIMEOUT_S = 20.0
MACS = {"fridge": bytes.fromhex("5ccf7f000002"), "oven": bytes.fromhex("5ccf7f000003")}
KEY = bytes(range(32))


class Ends(NodeV2):
    """A node of which a test can ask which samples it may have forgotten, and why."""

    said_safe = 0

    def hear(self, data: bytes, now_ms: int) -> list[bytes]:
        answer = super().hear(data, now_ms)
        self.said_safe = self._oldest - 1
        return answer


def measure(time_ms: int) -> Measured:
    return Measured((time_ms // 1000 % 7 + 1) / 10)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    place = TestPlace(tmp_path)
    keys = tmp_path / "keys.toml"
    keys.write_text("".join(f'"{mac.hex(":")}" = "{KEY.hex()}"\n' for mac in MACS.values()), encoding="utf-8")
    keys.chmod(0o600)
    text = place.config.read_text(encoding="utf-8")
    text = text.replace("announce = false", f'announce = false\nkeys_file = "{keys}"')
    place.config.write_text(text + "\n[store]\nsync_s = 1\n", encoding="utf-8")
    with place:
        yield place


class Home:
    """The nodes, their radios and the time that they live in, which runs faster than ours."""

    def __init__(self, port: int, stack: ExitStack) -> None:
        self.start_ms = (int(time.time()) - 110) * 1000
        self.clock = ManualClock(self.start_ms)
        self.nodes = {slug: Ends(mac, KEY, measure, self.start_ms) for slug, mac in MACS.items()}
        self._target = ("127.0.0.1", port)
        self._stack = stack
        self.join(loss_ratio=0.2)

    def join(self, *, loss_ratio: float) -> None:
        """Give every node a new radio."""
        radios = [Radio(node, self._target, self.clock, loss_ratio=loss_ratio) for node in self.nodes.values()]
        self._radios = [self._stack.enter_context(radio) for radio in radios]

    @property
    def count(self) -> int:
        """How many samples each node has taken."""
        return (self.clock.now_ms() - self.start_ms) // 1000

    def live(self) -> None:
        """Let a second pass."""
        self.clock.advance(1000)
        for radio in self._radios:
            radio.tick()

    async def until(self, condition: Callable[[], object]) -> None:
        """Live on, a second every fifth of ours, until `condition()` holds."""
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        async with asyncio.timeout(TIMEOUT_S):
            while not condition():
                await asyncio.sleep(0)
                if loop.time() > next_s:
                    self.live()
                    next_s += 0.2


def asked(service: Service, path: str, start_ms: int, end_ms: int) -> Any:
    """Return what the API says of a span."""
    start, end = (
        datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at_ms in (start_ms, end_ms)
    )
    return httpx.get(f"{service.url}/api/v1/meters/{path}start={start}&end={end}").json()


def charges(service: Service, slug: str, start_ms: int) -> dict[int, float]:
    """Return what the charge register said at which time, as it is recorded."""
    found = asked(service, f"{slug}/readings?resolution=raw&", start_ms, start_ms + 600_000)
    return dict(zip(found["time_ms"], found.get("charge_as", []), strict=True))


def true_charges(start_ms: int, count: int) -> dict[int, float]:
    """Return what the register shows at each of the first samples."""
    total_mas, found = 0, {}
    for number in range(count):
        total_mas += round(measure(start_ms + number * 1000).current_a * 1000)
        found[start_ms + (number + 1) * 1000] = total_mas / 1000
    return found


async def test_what_nodes_were_told_is_safe_survives_kills_and_the_rest_they_send_again(place: TestPlace) -> None:
    chance = random.Random(5)
    service = place.start()
    with ExitStack() as stack:
        home = Home(place.udp_port, stack)
        for _ in range(KILLS):
            before = sum(node.said_safe for node in home.nodes.values())
            for _ in range(SAMPLES_A_KILL):
                home.live()
                for _ in range(chance.randint(0, 500)):
                    await asyncio.sleep(0)
            await home.until(lambda was=before: sum(node.said_safe for node in home.nodes.values()) > was)  # type: ignore[misc] # bound now
            for _ in range(chance.randint(0, 5)):
                home.live()
            service.process.kill()
            service.process.wait()
            service = place.start()
            for slug, node in home.nodes.items():
                there = charges(service, slug, home.start_ms)
                promised = true_charges(home.start_ms, node.said_safe)
                assert {at_ms: there.get(at_ms) for at_ms in promised} == promised
        home.join(loss_ratio=0.0)
        count = home.count
        await home.until(lambda: all(node.said_safe >= count for node in home.nodes.values()))
    for slug in home.nodes:
        there = charges(service, slug, home.start_ms)
        assert len(there) >= count
        assert there == true_charges(home.start_ms, len(there))
        last_ms = home.start_ms + len(there) * 1000
        total = asked(service, f"{slug}/energy?bucket=day&", home.start_ms, last_ms)["total"]
        charge_as = there[last_ms] - there[home.start_ms + 1000]
        assert total["energy_wh"] == pytest.approx(charge_as * 230 / 3600, abs=0.001)
    stop(service)
    place.run("doctor", "--deep", "--rebuild")
