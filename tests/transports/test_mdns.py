"""An announcement is found again by an independent browser on loopback."""

import asyncio
import socket
from typing import Self

import pytest
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from casawatt.transports.mdns import Announcement, announced_addresses

NAME = f"found-again on {socket.gethostname().split('.')[0]}"
TYPE = "_casawatt._udp.local."


class Browser:
    """Knows which services are announced on loopback, and waits for them to come and go."""

    def __init__(self) -> None:
        self.present: set[str] = set()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
        self._browser = AsyncServiceBrowser(self.zeroconf.zeroconf, TYPE, handlers=[self._seen])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.async_cancel()
        await self.zeroconf.async_close()

    def _seen(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        del zeroconf, service_type
        change = self.present.discard if state_change is ServiceStateChange.Removed else self.present.add
        change(name)
        self._changed.set()

    async def until(self, *names: str) -> None:
        async with asyncio.timeout(20):
            while self.present != {f"{name}.{TYPE}" for name in names}:
                self._changed.clear()
                await self._changed.wait()


@pytest.mark.asyncio
async def test_an_announced_service_is_found_with_its_port_and_gone_afterwards() -> None:
    async with Browser() as browser:
        async with Announcement("_casawatt._udp", "found-again", "127.0.0.1", 4444, {"versions": "1,2"}) as announced:
            assert announced.name == NAME
            await browser.until(NAME)
            info = AsyncServiceInfo(TYPE, f"{NAME}.{TYPE}")
            assert await info.async_request(browser.zeroconf.zeroconf, 10_000)
            assert (info.parsed_addresses(), info.port) == (["127.0.0.1"], 4444)
            assert info.decoded_properties == {"versions": "1,2"}
        await browser.until()


def test_a_wildcard_stands_for_every_address_but_loopback() -> None:
    assert announced_addresses("192.0.2.7") == ["192.0.2.7"]
    assert announced_addresses("127.0.0.1") == ["127.0.0.1"]
    assert not any(address.startswith(("127.", "::1")) for address in announced_addresses("0.0.0.0"))
    assert all(":" not in address for address in announced_addresses("0.0.0.0"))
