"""Shellys that announce themselves by mDNS on loopback, beside others that do so too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NoReturn, Self, cast

import pytest
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from casawatt.sources import shelly_discover
from casawatt.sources.shelly_discover import FOUND_MAX, host_of, is_shelly
from casawatt.sources.shelly_hosts import Claims, HostReader
from casawatt.sources.shelly_passwords import Passwords
from casawatt.transports.http import client
from casawatt.transports.mdns_browse import Announced
from tests.fakes.clock import START_MS
from tests.fakes.inbox import RecordingInbox
from tests.virtual_plugs.shelly import Gen1, Gen2, Server
from tests.virtual_plugs.shelly_circuits import Circuit
from tests.virtual_plugs.shelly_time import VirtualTime, play

PLUG = "shellyplugsg3-e4b063d8a1b4"
RELAY = "shellyplus1-a8032abe54dc"
LOOPBACK = ["127.0.0.1"]
LOOK_S = 3.0


class Relay(Circuit):
    """A device without a meter."""

    def status(self) -> dict[str, object]:
        return {"switch:0": {"id": 0, "output": True}}


@asynccontextmanager
async def announced(**servers: Server) -> AsyncIterator[None]:
    """Announce servers by their names, in which an underscore stands for a hyphen, while entered."""
    zeroconf = AsyncZeroconf(interfaces=LOOPBACK)
    try:
        infos = [
            ServiceInfo(
                f"{kind}.local.",
                f"{key.replace('_', '-')}.{kind}.local.",
                port=int(server.host.partition(":")[2]),
                parsed_addresses=LOOPBACK,
                server=f"{key.replace('_', '-')}.local.",
            )
            for key, server in servers.items()
            for kind in (["_http._tcp", "_shelly._tcp"] if isinstance(server, Gen2) else ["_http._tcp"])
        ]
        await asyncio.gather(*await asyncio.gather(*[zeroconf.async_register_service(info) for info in infos]))
        yield
    finally:
        await zeroconf.async_close()


async def test_what_is_found_and_measures_is_listed_once() -> None:
    inbox = RecordingInbox()
    plug, relay = Gen2(inbox.clock, Circuit(lambda _: 5.0)), Gen2(inbox.clock, Relay(lambda _: 0.0), RELAY)
    old, away = Gen1(inbox.clock, lambda _: 5.0), Gen1(inbox.clock, lambda _: 5.0)
    async with plug, relay, old, away:
        away.is_away = True
        names = {"shellyplugsg3_e4b063d8a1b4": plug, "shellyplus1_a8032abe54dc": relay}
        async with announced(**names, shellyplug_s_A1B2C3=old, shellyplug_s_000000=away, printer=old):
            found = await shelly_discover.search(LOOK_S, needs_hosts=True, interfaces=LOOPBACK)
    assert {each.where: each.addresses for each in found} == {
        plug.host: (f"{PLUG}/switch:0",),
        old.host: ("shellyplug-s-A1B2C3/meter:0",),
    }
    assert all(each.options == {"hosts": [each.where]} for each in found)


async def test_what_announces_itself_is_read_and_what_has_no_meter_left_alone() -> None:
    inbox = RecordingInbox()
    time = VirtualTime(inbox.clock)
    plug, relay = Gen2(inbox.clock, Circuit(lambda _: 5.0)), Gen2(inbox.clock, Relay(lambda _: 0.0), RELAY)
    async with plug, relay, client() as session:
        reader = HostReader(session, inbox, Passwords({}, None), Claims(), poll_s=10, refresh_s=30, wait=time.wait)
        task = asyncio.create_task(shelly_discover.keep_finding(reader, [], time.wait, LOOPBACK))
        try:
            async with announced(shellyplugsg3_e4b063d8a1b4=plug, shellyplus1_a8032abe54dc=relay):
                await inbox.until(lambda inbox: bool(inbox.readings))
                await play(time, [plug], START_MS + 2000)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    assert {each.address for each in inbox.readings} == {f"{PLUG}/switch:0"}
    assert not inbox.refused


class Forger:
    """Stands in for the mDNS browser and the reader of hosts: announces one Shelly after the other, and counts."""

    def __init__(self) -> None:
        self.said = 0
        self.read: list[str] = []
        self.is_over = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def found(self) -> Announced:
        if self.said > 2 * FOUND_MAX:
            self.is_over.set()
            await asyncio.Event().wait()
        self.said += 1
        await asyncio.sleep(0)
        return Announced(f"shelly-{self.said}", "_http._tcp", f"10.0.{self.said // 250}.{self.said % 250}", 80)

    async def keep_reading(self, host: str, _wanted: object) -> None:
        self.read.append(host)
        await asyncio.Event().wait()


async def test_a_flood_of_forged_announcements_is_read_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    forger = Forger()
    monkeypatch.setattr(shelly_discover, "Browser", lambda *_: forger)
    finding = asyncio.create_task(shelly_discover.keep_finding(cast("HostReader", forger), [], asyncio.sleep))
    await forger.is_over.wait()
    finding.cancel()
    with suppress(asyncio.CancelledError):
        await finding
    assert len(forger.read) == FOUND_MAX
    assert sum("no further ones" in record.message for record in caplog.records) == 1


async def test_a_network_without_mdns_is_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> NoReturn:
        raise OSError("No such device")

    monkeypatch.setattr(shelly_discover, "Browser", refused)
    inbox = RecordingInbox()
    time = VirtualTime(inbox.clock)
    async with client() as session:
        reader = HostReader(session, inbox, Passwords({}, None), Claims(), poll_s=10, refresh_s=30, wait=time.wait)
        task = asyncio.create_task(shelly_discover.keep_finding(reader, [], time.wait))
        await time.until(lambda: time.sleeping == 1)
        await time.advance(START_MS + 180_000)
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert [record.levelname for record in caplog.records if "mDNS" in record.message] == ["WARNING"]


def test_a_host_is_written_as_in_the_config() -> None:
    assert host_of(Announced("shelly1", "_http._tcp", "192.168.1.20", 80)) == "192.168.1.20"
    assert host_of(Announced("shelly1", "_http._tcp", "fe80::1", 8080)) == "[fe80::1]:8080"
    assert is_shelly(Announced("ShellyPlus1PM-A8032ABE54DC", "_http._tcp", "192.168.1.20", 80))
    assert not is_shelly(Announced("printer", "_http._tcp", "192.168.1.21", 80))
