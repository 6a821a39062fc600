"""Shelly plugs and meters, of generation 1 by HTTP, newer by WebSocket or MQTT; see `docs/devices/shelly.md`."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from casawatt.model.found import Found
from casawatt.model.meter import Cadence, Traits
from casawatt.model.ports import Inbox
from casawatt.sources import shelly_discover, shelly_mqtt
from casawatt.sources.shelly_hosts import Claims, HostReader
from casawatt.sources.shelly_parse import PHASES
from casawatt.sources.shelly_passwords import load_passwords
from casawatt.sources.shelly_rpc import first_of
from casawatt.transports.http import client
from casawatt.transports.mqtt import Broker

HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w-]{1,63}(\.[\w-]{1,63})*\.?)(:(?P<port>\d{1,5}))?")
PORT_MAX = 65_535
POLLS_TO_A_GAP = 6
"""Generation 1: so many answers in a row may be missing before there is a gap."""
REFRESHES_TO_A_GAP = 3
CIRCUIT_W = 5_000.0
"""What a plug or relay of 16 A can carry, and some more."""
PHASE_W = 32_000.0
"""What a clamp of 120 A can measure, and some more."""
PHASE_OF_400_A_W = 100_000.0


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of `[source.shelly]`. The docstring below each one is what the documentation says of it."""

    hosts: list[str] = []
    """Addresses of devices, e.g. `192.168.1.20` or `plug.local:8080`."""
    discover: bool = True
    """Read every Shelly that announces itself by mDNS as well."""
    broker: str | None = None
    """Name of the broker over which further devices are heard."""
    prefixes: list[str] = msgspec.field(default_factory=lambda: ["+"])
    """MQTT topic prefixes of those devices; `+` stands for any one word."""
    poll_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 10.0
    """How often devices of generation 1 are asked."""
    refresh_s: Annotated[float, msgspec.Meta(ge=5, le=3600)] = 30.0
    """How often newer ones are asked for their whole status, beside what they say unasked."""
    password_file: str | None = None
    """File with the devices' passwords."""

    def __post_init__(self) -> None:
        """Raise ValueError for options that cannot be used."""
        for host in self.hosts:
            found = HOST.fullmatch(host)
            if not found or not 0 < int(found["port"] or 1) <= PORT_MAX:
                raise ValueError(f'{host!r} is no host: write it like "192.168.1.20" or "plug.local:8080"')
        if len({host.lower() for host in self.hosts}) < len(self.hosts):
            raise ValueError("a host stands in `hosts` twice")
        if not self.hosts and not self.discover and self.broker is None:
            raise ValueError("without hosts, discover and broker there is nothing to read")

    @property
    def traits(self) -> Traits:
        """Most devices speak when something changes, at the latest at the next refresh, with stamps to 10 ms."""
        gap_limit_ms = round(REFRESHES_TO_A_GAP * self.refresh_s * 1000)
        return Traits(cadence=Cadence.CHANGE, gap_limit_ms=gap_limit_ms, time_grid_ms=100, limit_w=CIRCUIT_W)

    def traits_of(self, address: str) -> Traits:
        """Return what the readings of one channel are like; its kind is in its address."""
        device_id, _, channel = address.partition("/")
        kind, _, part = re.sub(r":\d+", "", channel).partition("/")
        limit_w = CIRCUIT_W
        if kind in {"em", "em1", "emeter", "emeters"}:
            limit_w = PHASE_OF_400_A_W if "em400" in device_id.lower() else PHASE_W
            if kind in {"em", "emeters"} and part.partition("/")[0] not in PHASES:
                limit_w *= len(PHASES)
        traits = msgspec.structs.replace(self.traits, limit_w=limit_w)
        if kind not in {"meter", "emeter", "emeters"}:
            return traits
        gap_limit_ms = round(POLLS_TO_A_GAP * self.poll_s * 1000)
        return msgspec.structs.replace(traits, cadence=Cadence.POLLED, gap_limit_ms=gap_limit_ms)


async def run(
    config: Config,
    inbox: Inbox,
    broker: Broker | None = None,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Put what the devices say into `inbox` until cancelled. `wait` is what passes the time between questions.

    One that cannot be reached or understood is refused and tried again, and disturbs no other. Raises ConfigError
    when the passwords cannot be read, and whatever the inbox or the broker fails with.
    """
    claims = Claims()
    passwords = load_passwords(config.password_file)
    try:
        async with client() as session, asyncio.TaskGroup() as tasks:
            reader = HostReader(
                session, inbox, passwords, claims, poll_s=config.poll_s, refresh_s=config.refresh_s, wait=wait
            )
            for host in config.hosts:
                tasks.create_task(reader.keep_reading(host))
            if config.discover:
                tasks.create_task(shelly_discover.keep_finding(reader, config.hosts, wait))
            if broker is not None:
                listener = shelly_mqtt.Listener(broker, inbox, claims, config.prefixes)
                tasks.create_task(listener.listen(config.refresh_s, wait))
    except BaseExceptionGroup as group:
        raise first_of(group) from None


async def discover(timeout_s: float, config: Config | None = None) -> list[Found]:
    """Return the devices that announce themselves within `timeout_s`; raises OSError where mDNS is not allowed."""
    return await shelly_discover.search(timeout_s, needs_hosts=config is not None and not config.discover)
