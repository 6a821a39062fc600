"""Says on the local network where a service is to be found (multicast DNS, RFC 6762 and 6763)."""

import asyncio
import ipaddress
import socket
from typing import Self

import ifaddr
from zeroconf import Error, InterfaceChoice, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

GOODBYE_TIMEOUT_S = 3.0
"""A stop must not hang on a network that has gone."""


class Announcement:
    """Announces a service of `service_type` (`_casawatt._udp`) at `port`, for as long as it is entered.

    It is called `<name> on <this machine's name>`. `host` is the IP address that the service is
    bound to: one address is announced alone and on its own network; a wildcard stands for every
    address of this machine except loopback. Entering raises OSError when the
    network does not allow it.
    """

    def __init__(self, service_type: str, name: str, host: str, port: int, properties: dict[str, str]) -> None:
        self._type = f"{service_type}.local."
        self._host = host
        self._port = port
        self._properties = properties
        self._machine = socket.gethostname().split(".")[0]
        self.name = f"{name} on {self._machine}"
        self._zeroconf: AsyncZeroconf | None = None
        self._info: ServiceInfo | None = None

    async def __aenter__(self) -> Self:
        """Announce; takes about two seconds, in which the network is first asked for the same name."""
        addresses = announced_addresses(self._host)
        if not addresses:
            message = "no network interface has an address that could be announced"
            raise OSError(message)
        bound_to_one = not ipaddress.ip_address(self._host).is_unspecified
        self._zeroconf = AsyncZeroconf(interfaces=addresses if bound_to_one else InterfaceChoice.Default)
        info = ServiceInfo(
            self._type,
            f"{self.name}.{self._type}",
            port=self._port,
            parsed_addresses=addresses,
            properties=self._properties,
            server=f"{self._machine}-casawatt.local.",
        )
        try:
            announced = await self._zeroconf.async_register_service(info, allow_name_change=True)
            await announced
        except Error as error:
            await self._zeroconf.async_close()
            message = f"{type(error).__name__} {error}"
            raise OSError(message) from error
        except BaseException:
            await self._zeroconf.async_close()
            raise
        self._info = info
        self.name = info.name.removesuffix(f".{self._type}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take the announcement back."""
        if self._zeroconf is None or self._info is None:
            return
        try:
            async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                withdrawn = await self._zeroconf.async_unregister_service(self._info)
                await withdrawn
        except (TimeoutError, OSError, Error):
            pass  # the network is gone; the announcement runs out by itself
        finally:
            await self._zeroconf.async_close()


def announced_addresses(host: str) -> list[str]:
    """Return the addresses, as text, at which a service bound to `host` (an IP address) can be reached."""
    bound = ipaddress.ip_address(host)
    if not bound.is_unspecified:
        return [host]
    found = (ipaddress.ip_address(_text(ip.ip)) for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    return [str(ip) for ip in found if not ip.is_loopback and ip.version <= bound.version]


def _text(ip: str | tuple[str, int, int]) -> str:
    return ip if isinstance(ip, str) else ip[0]
