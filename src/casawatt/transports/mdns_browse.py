"""Finds services on the local network that say so themselves (multicast DNS, RFC 6762 and 6763)."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, Self

from zeroconf import Error, InterfaceChoice, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

RESOLVE_TIMEOUT_MS = 3_000


class Announced(NamedTuple):
    """A service: its name without its type, and where it is to be reached. `host` is an IPv4 address if it has one."""

    name: str
    service_type: str
    host: str
    port: int


class Browser:
    """Watches for services of `service_types` (`_http._tcp`) for as long as it is entered.

    `interfaces` are addresses of this machine to watch at; left out, all of them. Entering raises OSError when the
    network does not allow it.
    """

    def __init__(self, service_types: Sequence[str], interfaces: Sequence[str] | None = None) -> None:
        self._types = [f"{service_type}.local." for service_type in service_types]
        self._interfaces = InterfaceChoice.All if interfaces is None else list(interfaces)
        self._present: set[str] = set()
        self._found: asyncio.Queue[Announced] = asyncio.Queue()
        self._resolving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start to watch."""
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._interfaces)
            self._browser = AsyncServiceBrowser(self._zeroconf.zeroconf, self._types, handlers=[self._seen])
        except Error as error:
            raise OSError(f"{type(error).__name__} {error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        for task in self._resolving:
            task.cancel()
        await self._browser.async_cancel()
        await self._zeroconf.async_close()

    async def found(self) -> Announced:
        """Wait for a service that was not there before, or is elsewhere now, and return it."""
        return await self._found.get()

    def is_present(self, announced: Announced) -> bool:
        """Say whether a service has not been taken back since, nor run out."""
        return f"{announced.name}.{announced.service_type}.local." in self._present

    def _seen(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Removed:
            self._present.discard(name)
            return
        self._present.add(name)
        task = asyncio.get_running_loop().create_task(self._resolve(zeroconf, service_type, name))
        self._resolving.add(task)
        task.add_done_callback(self._resolving.discard)

    async def _resolve(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if not await info.async_request(zeroconf, RESOLVE_TIMEOUT_MS):
            return
        addresses = sorted(info.parsed_scoped_addresses(), key=lambda address: ":" in address)
        if addresses and info.port:
            label = name.removesuffix(f".{service_type}")
            self._found.put_nowait(Announced(label, service_type.removesuffix(".local."), addresses[0], info.port))
