"""A flat of virtual devices that repeat the recorded day of 29 appliances, in virtual time, by their real protocols."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import aiohttp
import numpy as np

from casawatt.app_home import OpenHome, open_home, ports_of
from casawatt.app_sources import Wiring, load_sources
from casawatt.config import parse
from casawatt.recorder.inbox import SourceInbox
from casawatt.recorder.keeper import Keeper
from casawatt.transports.mqtt import Message
from casawatt.web import create_app, running_server
from tests.fakes.clock import ManualClock
from tests.mosquitto import TIMEOUT_S, Mosquitto, Peer, peer
from tests.virtual_plugs.shelly_time import VirtualTime

BERLIN = ZoneInfo("Europe/Berlin")
DAY_S = 86_400
HELD_S = 60
"""A recorded value holds so long; where the recording has none for longer, nothing flowed."""

MARK = "flat/mark"


class Load:
    """An appliance of the recorded day: `power_w(time_ms)`, and the `energy_wh` of the day, exact for those watts.

    Before the day nothing flows; after it, what flowed last.
    """

    def __init__(self, path: Path, midnight_ms: int) -> None:
        self._midnight_s = midnight_ms // 1000
        at: dict[int, float] = {}
        with gzip.open(path, "rt") as file:
            for line in file:
                stamp, watts, _ = line.split(";")
                time = datetime.strptime(stamp, "%d/%m/%Y %H:%M:%S").replace(tzinfo=BERLIN)
                at[round(time.timestamp()) - self._midnight_s] = float(watts)
        self._watts = np.zeros(DAY_S)
        for second in sorted(at):
            self._watts[second : second + HELD_S] = at[second]
        self.energy_wh = float(self._watts.sum()) / 3600
        self._by_second: list[float] = self._watts.tolist()

    def power_w(self, time_ms: int) -> float:
        """Return what flows (W) at a time (UTC ms)."""
        second = time_ms // 1000 - self._midnight_s
        return 0.0 if second < 0 else self._by_second[min(second, DAY_S - 1)]


class Talker(Protocol):
    """A device that publishes by MQTT."""

    def advance(self, to_ms: int) -> Sequence[Any]:
        """Let time pass; return what is published meanwhile."""
        ...


class Flat:
    """The home, its sources, which run, and the time that passes for them and for the devices."""

    def __init__(self, home: OpenHome, clock: ManualClock, devices: Peer, url: str) -> None:
        self.home = home
        self.clock = clock
        self.time = VirtualTime(clock)
        self.url = url
        self._devices = devices
        self._heard = asyncio.Event()
        self._patient: list[tuple[int, asyncio.Future[None]]] = []

    async def wait(self, seconds: float) -> None:
        """Wait in virtual time, for work of which nobody needs to know that it has been done."""
        future = asyncio.get_running_loop().create_future()
        self._patient.append((self.clock.time_ms + round(seconds * 1000), future))
        await future

    def hear(self, _message: Message) -> None:
        """Note that everything published before has been taken."""
        self._heard.set()

    async def publish(self, messages: Sequence[Any]) -> None:
        """Publish, and return when all of it has been taken."""
        if not messages:
            return
        for message in messages:
            self._devices._client.publish(message.topic, message.payload, 1, message.retain)
        await self.settled()

    async def settled(self) -> None:
        """Return when what was published has been taken."""
        self._heard.clear()
        self._devices._client.publish(MARK, "", 1)
        async with asyncio.timeout(TIMEOUT_S):
            await self._heard.wait()

    async def connected(self) -> None:
        """Return when the home hears what is published: a mark that the broker keeps is heard by whoever comes."""
        await self._devices.publish(MARK, "here", retain=True)
        async with asyncio.timeout(TIMEOUT_S):
            await self._heard.wait()

    async def pass_until(self, to_ms: int) -> None:
        """Move the clock on; the sources do what is due by then."""
        await self.time.advance(to_ms)
        due = [each for each in self._patient if each[0] <= to_ms]
        self._patient = [each for each in self._patient if each[0] > to_ms]
        for _, future in due:
            if not future.done():
                future.set_result(None)
        if due:
            await asyncio.sleep(0)

    def energies_wh(self, start_ms: int, end_ms: int) -> dict[str, float]:
        """Return each meter's energy (Wh) between two instants."""
        self.home.recorder.settle()
        registry, store = self.home.registry, self.home.store
        return {
            meter.slug: store.energy(meter.meter_id, start_ms, end_ms, registry.calibrations(meter)).energy_wh
            for meter in registry.meters()
        }


@asynccontextmanager
async def flat(folder: Path, toml: str, server: Mosquitto, start_ms: int) -> AsyncIterator[Flat]:
    """Run all sources of a config on a home in `folder` while entered, and the web server beside them."""
    clock = ManualClock(start_ms)
    config = parse(toml, "flat.toml")
    sources = load_sources(config)
    async with AsyncExitStack() as stack:
        home = stack.enter_context(open_home(config, folder, clock))
        wiring = Wiring.of_home(config, sources, home.store.home_id)
        keeper = Keeper(home.store, home.recorder, sync_s=1, on_event=lambda _: None)
        ports = ports_of(home, demo=False, desk=wiring.desk)
        url = await stack.enter_async_context(running_server(create_app(ports), "127.0.0.1", 0))
        devices = await stack.enter_async_context(peer(server))
        living = Flat(home, clock, devices, url)
        waits: dict[str, Callable[[float], Awaitable[None]]] = {"tasmota": living.wait, "mqtt_json": living.wait}
        broker = wiring.brokers["home"]
        await stack.enter_async_context(broker.listening([MARK], living.hear, kept=at_once))
        tasks = [asyncio.create_task(broker.run())]
        for source in sources:
            inbox = SourceInbox(source.name, home.recorder, keeper)
            wanted = wiring.wanted(source.module.run, source.options)
            if "wait" in source.module.run.__annotations__:
                wanted["wait"] = waits.get(source.name, living.time.wait)
            tasks.append(asyncio.create_task(source.module.run(source.options, inbox, **wanted)))
        stack.push_async_callback(ended, tasks)
        await living.connected()
        yield living


async def at_once() -> None:
    """Keep nothing: a mark is no reading."""


async def ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """End the tasks; raise what one of them failed with."""
    failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for error in failed:
        if error is not None:
            raise error


async def hand_in(session: aiohttp.ClientSession, url: str, token: str, readings: list[dict[str, Any]]) -> None:
    """Hand readings in as a device does that can speak HTTP."""
    headers = {"Authorization": f"Bearer {token}"}
    async with session.post(f"{url}/api/v1/readings", json={"readings": readings}, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
