"""ECMS nodes are found by listening for them."""

import asyncio
import socket

import pytest

from casawatt.sources.ecms_udp import NEEDS_KEY, Config, discover
from casawatt.transports.udp import UdpEndpoint
from tests.sources.ecms_link import ADDRESS, Link, node_v2

SHORT_S = 0.2
FRIDGE = "5c:cf:7f:01:02:04"


def packet(code: int = 2, mac: str = FRIDGE) -> bytes:
    return bytes.fromhex(mac.replace(":", "")) + (1_767_225_600).to_bytes(4, "big") + bytes([code, 50])


async def heard(port: int, *datagrams: bytes) -> list[tuple[str, ...]]:
    """Return (address, name, note) of the nodes that are found when these datagrams arrive."""
    searching = asyncio.create_task(discover(SHORT_S, Config(host="127.0.0.1", port=port)))
    await asyncio.sleep(0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
        for datagram in datagrams:
            node.sendto(datagram, ("127.0.0.1", port))
    found = await searching
    assert {(each.source, each.where, each.model) for each in found} <= {("ecms_udp", "127.0.0.1", "ECMS node")}
    return [(*each.addresses, str(each.name), str(each.note)) for each in found]


async def test_a_node_that_sends_is_found_once_with_what_it_says_it_is(free_udp_port: int) -> None:
    assert await heard(free_udp_port, packet(), packet(), packet(code=99, mac="5c:cf:7f:00:00:09"), b"noise") == [
        (FRIDGE, "Fridge", "None"),
        ("5c:cf:7f:00:00:09", "None", "None"),
    ]


async def test_a_node_of_version_2_is_found_without_its_key_and_said_to_need_one(free_udp_port: int) -> None:
    link = Link(node_v2())
    link.live(20)
    assert link.reports
    assert await heard(free_udp_port, *link.reports) == [(ADDRESS, "None", NEEDS_KEY)]


async def test_while_the_source_runs_nothing_is_listened_for(free_udp_port: int) -> None:
    config = Config(host="127.0.0.1", port=free_udp_port)
    with UdpEndpoint("127.0.0.1", free_udp_port, lambda _: None):
        assert await discover(SHORT_S, config, running=True) == []
        with pytest.raises(OSError, match=f"port {free_udp_port}"):
            await discover(SHORT_S, config)
