"""Shellys that say by mDNS where they are."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from aiohttp import ClientSession

from casawatt.model.errors import PacketError
from casawatt.model.found import Found
from casawatt.sources import shelly_gen1
from casawatt.sources.shelly_device import SOURCE, ShellyDevice
from casawatt.sources.shelly_hosts import HostReader
from casawatt.sources.shelly_parse import Document, number
from casawatt.transports.http import client, get_json
from casawatt.transports.mdns_browse import Announced, Browser

log = logging.getLogger(__name__)

SERVICE_TYPES = ("_shelly._tcp", "_http._tcp")
"""Generation 2 and newer announce both, generation 1 the second."""
HTTP_PORT = 80
TRY_AGAIN_S = 60.0
FOUND_MAX = 200
"""Devices that are read because they announce themselves: more than a home has, and a bound for forged ones."""


def is_shelly(announced: Announced) -> bool:
    """Say whether a service is a Shelly's: others announce web servers too."""
    return announced.name.lower().startswith("shelly")


def host_of(announced: Announced) -> str:
    """Return where a service is, as it is written in `hosts`."""
    address = f"[{announced.host}]" if ":" in announced.host else announced.host
    return address if announced.port == HTTP_PORT else f"{address}:{announced.port}"


async def keep_finding(
    reader: HostReader,
    known: Sequence[str],
    wait: Callable[[float], Awaitable[None]],
    interfaces: Sequence[str] | None = None,
) -> None:
    """Read each device that announces itself, but not those at the hosts in `known`, until cancelled.

    A network without mDNS is a warning, no failure; it is tried again, as it may only not be there yet.
    """
    level = logging.WARNING
    while True:
        try:
            async with Browser(SERVICE_TYPES, interfaces) as browser, asyncio.TaskGroup() as tasks:
                await _read_found(reader, browser, tasks, known)
        except OSError as error:
            log.log(level, "cannot look for Shellys by mDNS, they need their addresses in `hosts`: %s", error)
            level = logging.DEBUG
        await wait(TRY_AGAIN_S)


async def _read_found(reader: HostReader, browser: Browser, tasks: asyncio.TaskGroup, known: Sequence[str]) -> NoReturn:
    reading: dict[str, asyncio.Task[None]] = {}
    is_full = False
    while True:
        announced = await browser.found()
        host = host_of(announced)
        if not is_shelly(announced) or host in known or (host in reading and not reading[host].done()):
            continue
        reading = {each: task for each, task in reading.items() if not task.done()}
        if len(reading) >= FOUND_MAX:
            if not is_full:
                log.warning(
                    "%d Shellys found by mDNS, some of them forged perhaps: no further ones are read", FOUND_MAX
                )
            is_full = True
            continue
        log.info("found by mDNS: %s at %s", announced.name, host)
        reading[host] = tasks.create_task(reader.keep_reading(host, _Wanted(browser, announced)))


class _Wanted:
    """Whether a device is still announced."""

    def __init__(self, browser: Browser, announced: Announced) -> None:
        self._browser = browser
        self._announced = announced

    def __call__(self) -> bool:
        return self._browser.is_present(self._announced)


async def search(timeout_s: float, *, needs_hosts: bool, interfaces: Sequence[str] | None = None) -> list[Found]:
    """Return the devices with a meter that answer within `timeout_s`, with the option `hosts` if `needs_hosts`.

    Raises OSError when the network does not allow it.
    """
    found: dict[str, Found] = {}
    async with client() as session, Browser(SERVICE_TYPES, interfaces) as browser:
        asking: dict[str, asyncio.Task[None]] = {}
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    announced = await browser.found()
                    host = host_of(announced)
                    if is_shelly(announced) and host not in asking:
                        asking[host] = asyncio.create_task(_ask(session, host, found, needs_hosts=needs_hosts))
        except TimeoutError:
            pass  # that is how long was to be looked
        await asyncio.gather(*asking.values())
    return list(found.values())


async def _ask(session: ClientSession, host: str, found: dict[str, Found], *, needs_hosts: bool) -> None:
    """Add what the device at `host` says of itself to `found`, if it has a meter."""
    try:
        device = await describe(session, host, needs_hosts=needs_hosts)
    except (OSError, PacketError) as error:
        log.info("%s does not answer as a Shelly: %s", host, error)
        return
    if device is not None:
        found[host] = device


async def describe(session: ClientSession, host: str, *, needs_hosts: bool) -> Found | None:
    """Return what a device says of itself without a password, None when it has no meter.

    Raises ConnectionError and PacketError when it does not answer as a Shelly.
    """
    shelly = await get_json(session, f"http://{host}/shelly")
    is_new = (number(shelly, "gen") or 1) >= 2
    is_locked = (shelly.get("auth_en") if is_new else shelly.get("auth")) is True
    addresses: tuple[str, ...] = ()
    if not is_locked:
        addresses = await (_addresses if is_new else _addresses_gen1)(session, host, shelly)
        if not addresses:
            return None
    return Found(
        source=SOURCE,
        addresses=addresses,
        where=host,
        name=_text(shelly.get("name")) or (_text(shelly.get("id")) if is_new else None),
        model=_text(shelly.get("model") if is_new else shelly.get("type")),
        options={"hosts": [host]} if needs_hosts else {},
        note="it wants a password: put it into the file that the option password_file names" if is_locked else None,
    )


async def _addresses(session: ClientSession, host: str, shelly: Document) -> tuple[str, ...]:
    device = ShellyDevice(str(shelly.get("id")))
    device.full(await get_json(session, f"http://{host}/rpc/Shelly.GetStatus"), received_ms=0)
    return tuple(sorted(device.addresses))


async def _addresses_gen1(session: ClientSession, host: str, shelly: Document) -> tuple[str, ...]:
    settings = await get_json(session, f"http://{host}/settings")
    status = await get_json(session, f"http://{host}/status")
    name = shelly_gen1.device_id(shelly, settings)
    return tuple(f"{name}/{said.channel}" for said in shelly_gen1.parse(status, str(shelly.get("type"))))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
