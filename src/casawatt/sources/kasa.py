"""Kasa and Tapo plugs of TP-Link's, asked over the network; see `docs/devices/kasa.md`."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from casawatt.model.errors import ConfigError, PacketError
from casawatt.model.found import Found
from casawatt.model.meter import Cadence, Traits
from casawatt.model.ports import Inbox
from casawatt.sources.kasa_device import Device, Memory
from casawatt.sources.kasa_link import (
    BROADCAST,
    Credentials,
    DeviceConfig,
    Host,
    Link,
    Seen,
    connect,
    keep_quiet,
    look_around,
    parse_host,
)
from casawatt.sources.kasa_register import LIMIT_W
from casawatt.transports.secrets import load_secrets

USER, PASSWORD = "CASAWATT_KASA_USER", "CASAWATT_KASA_PASSWORD"

PAUSE_MAX_S = 300.0
"""A device that does not answer is tried again after pauses that double, up to this."""

SEARCH_EVERY_S = 300.0
"""How often the network is searched for new devices."""

SEARCH_S = 5.0

PATIENCE = 6
"""A device that was found and does not answer so often in a row is left to the next search: it may have moved."""

FAILURES_BEFORE_ANEW = 4
"""After so many in a row it is found out anew in which way a device wants to be spoken to: its firmware may be new."""

POLLS_IN_GAP = 5
"""More polls than that without an answer are a gap."""

Wait = Callable[[float], Awaitable[None]]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of `[source.kasa]`."""

    hosts: list[str] = []
    """The devices, each `host` or `host:port`."""
    discover: bool | None = None
    """Whether the network is searched for devices too; left out, it is when there are no `hosts`."""
    poll_s: Annotated[float, Meta(ge=1, le=3600)] = 10.0
    """How often each device is asked."""
    credentials_file: str | None = None
    """A TOML file of mode 0600 with `user` and `password` of the TP-Link account; the environment goes before it."""

    def __post_init__(self) -> None:
        """Raise ValueError for options that cannot be used."""
        for host in self.hosts:
            parse_host(host)
        if not self.hosts and self.discover is False:
            raise ValueError("neither hosts nor discover: there would be nothing to ask")

    @property
    def searches(self) -> bool:
        """Whether the network is searched."""
        return not self.hosts if self.discover is None else self.discover

    @property
    def traits(self) -> Traits:
        """Polled, stamped on arrival, behind a 16 A plug."""
        return Traits(
            Cadence.POLLED, gap_limit_ms=round(self.poll_s * POLLS_IN_GAP * 1000), time_grid_ms=100, limit_w=LIMIT_W
        )


def load_credentials(file: str | None) -> Credentials | None:
    """Return user and password from the environment, else from the file, None without either; raises ConfigError."""
    user, password = os.environ.get(USER), os.environ.get(PASSWORD)
    if user or password:
        if not (user and password):
            raise ConfigError(f"{USER} and {PASSWORD} belong together, and one of them is not set")
        return Credentials(user, password)
    if file is None:
        return None
    secrets = load_secrets(file, "user and password")
    if set(secrets) != {"user", "password"} or not all(isinstance(each, str) and each for each in secrets.values()):
        raise ConfigError(f'{file} must have two lines: user = "..." and password = "..."')
    return Credentials(secrets["user"], secrets["password"])


async def run(config: Config, inbox: Inbox, wait: Wait = asyncio.sleep, target: str = BROADCAST) -> None:
    """Ask every device again and again until cancelled.

    `wait` is what passes the time, `target` where searching is broadcast to. Raises ConfigError when the credentials
    cannot be used.
    """
    keep_quiet()
    household = Household(config, inbox, load_credentials(config.credentials_file), wait)
    async with asyncio.TaskGroup() as group:
        for host in config.hosts:
            group.create_task(household.attend(parse_host(host)))
        if config.searches:
            group.create_task(household.search(group, target))


class Household:
    """All devices that are asked, each by a task of its own, so that none waits for another."""

    def __init__(self, config: Config, inbox: Inbox, credentials: Credentials | None, wait: Wait) -> None:
        self._config = config
        self._inbox = inbox
        self._credentials = credentials
        self._wait = wait
        self._memory = Memory()
        self._attended: dict[str, Host] = {}
        self._unmetered: set[str] = set()

    async def search(self, group: asyncio.TaskGroup, target: str) -> None:
        """Look for devices now and then, and have those attended that are not."""
        while True:
            try:
                found = await look_around(SEARCH_S, self._credentials, target)
            except OSError as error:
                self._inbox.refuse(target, "search", f"the network cannot be searched: {error}")
                found = []
            for seen in found:
                if seen.mac not in self._attended and seen.mac not in self._unmetered and seen.sockets != 0:
                    host = Host(seen.ip, seen.settings.port_override)
                    self._attended[seen.mac] = host
                    group.create_task(self._attend_found(host, seen))
            await self._wait(SEARCH_EVERY_S)

    async def _attend_found(self, host: Host, seen: Seen) -> None:
        try:
            await self.attend(host, seen.settings)
        finally:
            if self._attended.get(seen.mac) is host:
                del self._attended[seen.mac]

    async def attend(self, host: Host, found: DeviceConfig | None = None) -> None:
        """Ask one device again and again. One that was `found` is given up after some failures."""
        link: Link | None = None
        known = found
        failures = 0
        try:
            while found is None or failures < PATIENCE:
                begin_ms = self._inbox.clock.now_ms()
                sender = str(host)
                try:
                    if link is None:
                        link = await connect(host, self._credentials, known)
                        known = link.settings
                        device = Device(link, self._memory, self._inbox.clock)
                    sender = device.mac
                    if self._attended.setdefault(sender, host) is not host:
                        return  # it is attended already, by another of its names
                    await self._ask(device)
                    failures = 0
                except PacketError as error:
                    failures += 1
                    self._inbox.refuse(sender, error.cause, f"{host}: {error}")
                    if error.cause == "no_meter":
                        self._unmetered.add(sender)
                        failures = max(failures, PATIENCE)
                    if link is not None:
                        await link.close()
                        link = None
                    if failures % FAILURES_BEFORE_ANEW == 0:
                        known = found
                pause_s = min(self._config.poll_s * 2 ** max(failures - 1, 0), max(PAUSE_MAX_S, self._config.poll_s))
                await self._until(begin_ms + round(pause_s * 1000))
        finally:
            if link is not None:
                await link.close()

    async def _ask(self, device: Device) -> None:
        said = await device.ask()
        for reading, name in said.readings:
            self._inbox.put(reading, hint=name)
        for address, fault in said.faults:
            self._inbox.refuse(address, fault.cause, str(fault))

    async def _until(self, due_ms: int) -> None:
        await self._wait(max(0.0, (due_ms - self._inbox.clock.now_ms()) / 1000))


async def discover(timeout_s: float, config: Config | None = None, target: str = BROADCAST) -> list[Found]:
    """Return the plugs that answer a broadcast, whether or not they can be read already."""
    keep_quiet()
    credentials = load_credentials(config.credentials_file if config else None)
    found = []
    for seen in await look_around(timeout_s, credentials, target):
        if seen.sockets == 0:
            continue
        several = range(1, seen.sockets + 1) if seen.sockets and seen.sockets > 1 else ()
        # With hosts of its own the section would search no more: what its search finds needs no option.
        host = str(Host(seen.ip, seen.settings.port_override))
        options: dict[str, Any] = {} if config is None or config.searches else {"hosts": [host]}
        found.append(
            Found(
                source="kasa",
                addresses=tuple(f"{seen.mac}/{number}" for number in several) or (seen.mac,),
                where=seen.ip,
                name=seen.name,
                model=seen.model,
                options=options,
                note=None if seen.is_legacy or credentials else NEEDS_CREDENTIALS,
            )
        )
    return found


NEEDS_CREDENTIALS = f"needs user and password of the TP-Link account: {USER} and {PASSWORD}, or credentials_file"
