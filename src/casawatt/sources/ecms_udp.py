"""ECMS nodes over UDP, packet versions 1 and 2; see `docs/devices/ecms_udp.md`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.found import Found
from casawatt.model.meter import Cadence, Traits
from casawatt.model.ports import Inbox
from casawatt.sources.ecms_collector import SOURCE, Collector
from casawatt.sources.ecms_keys import load_keys
from casawatt.sources.ecms_wire import APPLIANCES, mac_text, parse_v1
from casawatt.sources.ecms_wire_v2 import claimed_station, is_v2
from casawatt.transports.mdns import Announcement
from casawatt.transports.udp import Batch, UdpEndpoint

logger = logging.getLogger(__name__)

SERVICE_TYPE = "_casawatt._udp"

FOUND_MAX = 200
"""A home has fewer nodes, and anyone can invent more."""

NEEDS_KEY = "speaks version 2: its key must be in keys_file before it is heard"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options under `[source.ecms_udp]`.

    `host`, `port`: where to listen. `keys_file`: the keys of the version 2 nodes, a TOML file that only
    its owner may read. `require_v2`: refuse version 1, which anyone can forge. `max_packets_per_s`: how
    much one sender may send, twice that at once. `gap_limit_s`: readings of a node further apart than
    this have a gap between them. `announce`: let nodes find this collector by mDNS.
    """

    host: str = "0.0.0.0"  # noqa: S104 - nodes are elsewhere on the network, that is the point
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 4444
    keys_file: str | None = None
    require_v2: bool = False
    max_packets_per_s: Annotated[float, msgspec.Meta(gt=0)] = 200.0
    gap_limit_s: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    announce: bool = True

    @property
    def traits(self) -> Traits:
        """Nodes measure at even times, on whole seconds; old readings may rightly come late, so no clock limit here."""
        return Traits(
            cadence=Cadence.POLLED,
            gap_limit_ms=round(self.gap_limit_s * 1000),
            time_grid_ms=1000,
            clock_tolerance_ms=None,
        )


async def run(config: Config, inbox: Inbox) -> None:
    """Take in what nodes send until cancelled.

    Raises ConfigError when the keys file cannot be used, OSError when the port cannot be had, and
    whatever the inbox fails with.
    """
    async with listening(config, inbox) as endpoint, announced(config, endpoint):
        await endpoint.wait_failed()


@asynccontextmanager
async def listening(config: Config, inbox: Inbox) -> AsyncIterator[UdpEndpoint]:
    """Listen as configured while entered; yields the endpoint, whose address is known from now on."""
    keys = {} if config.keys_file is None else load_keys(config.keys_file)
    loop = asyncio.get_running_loop()
    collector = Collector(inbox, keys, require_v2=config.require_v2, max_packets_per_s=config.max_packets_per_s)
    endpoint = UdpEndpoint(config.host, config.port, lambda batch: collector.take(batch, loop.time()))
    collector.attach(endpoint)
    with endpoint:
        host, port = endpoint.address[:2]
        logger.info(
            "listening for UDP on %s:%d, receive buffer %d KiB", host, port, endpoint.receive_buffer_bytes >> 10
        )
        inbox.when_safer(collector.tell_what_is_safe)
        yield endpoint


@asynccontextmanager
async def announced(config: Config, endpoint: UdpEndpoint) -> AsyncIterator[None]:
    """Announce the endpoint by mDNS while entered, if configured. A network without mDNS is a warning, no failure."""
    async with AsyncExitStack() as stack:
        if config.announce:
            host, port = endpoint.address[:2]
            announcement = Announcement(
                SERVICE_TYPE, "casawatt", host, port, {"versions": "2" if config.require_v2 else "1,2"}
            )
            try:
                await stack.enter_async_context(announcement)
                logger.info("announced by mDNS as %s.%s.local", announcement.name, SERVICE_TYPE)
            except OSError as error:
                logger.warning("cannot announce by mDNS, nodes need this machine's address set by hand: %s", error)
        yield


async def discover(timeout_s: float, config: Config | None = None, *, running: bool = False) -> list[Found]:
    """Return the nodes that send something within the time; they speak every ten seconds, and cannot be asked.

    `running`: the source runs in this very process. It has the port, and what it hears is known already, so nothing
    is returned. Raises OSError when another program has the port.
    """
    if running:
        return []
    config = config or Config()
    found: dict[str, Found] = {}

    def take(batch: Batch) -> None:
        for data, (host, *_) in batch:
            node = node_of(data, host)
            if node is not None and len(found) < FOUND_MAX:
                found.setdefault(node.addresses[0], node)

    with UdpEndpoint(config.host, config.port, take) as endpoint:
        try:
            async with asyncio.timeout(timeout_s):
                await endpoint.wait_failed()
        except TimeoutError:
            pass
    return list(found.values())


def node_of(data: bytes, host: str) -> Found | None:
    """Return the node that a datagram from `host` claims to be of, None when it is no such datagram."""
    if is_v2(data):
        address = mac_text(claimed_station(data))
        return Found(source=SOURCE, addresses=(address,), where=host, model="ECMS node", note=NEEDS_KEY)
    try:
        packet = parse_v1(data)
    except PacketError:
        return None
    hint = APPLIANCES.get(packet.appliance_code)
    name = hint.replace("_", " ").capitalize() if hint else None
    return Found(source=SOURCE, addresses=(mac_text(packet.mac),), where=host, name=name, model="ECMS node")
