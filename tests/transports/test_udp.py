"""The UDP endpoint on loopback."""

import asyncio
import socket
from pathlib import Path

import pytest

from casawatt.transports.udp import BATCH_DATAGRAMS, DATAGRAM_BYTES, RECEIVE_BUFFER_BYTES, Batch, UdpEndpoint

RMEM_MAX = Path("/proc/sys/net/core/rmem_max")
TIMEOUT_S = 10.0


class Arrivals:
    """A handler that remembers every batch."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self._changed = asyncio.Event()

    def __call__(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._changed.set()

    @property
    def datagrams(self) -> list[bytes]:
        return [data for batch in self.batches for data, _ in batch]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.datagrams) < count:
                self._changed.clear()
                await self._changed.wait()


@pytest.mark.asyncio
async def test_datagrams_arrive_whole_in_order_and_with_their_sender() -> None:
    arrivals = Arrivals()
    with UdpEndpoint("127.0.0.1", 0, arrivals) as endpoint, socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        for data in (b"one", b"", b"three"):
            peer.sendto(data, endpoint.address)
        await arrivals.until(3)
        assert arrivals.datagrams == [b"one", b"", b"three"]
        assert arrivals.batches[0][0][1] == peer.getsockname()


@pytest.mark.asyncio
async def test_ipv6_works_the_same() -> None:
    arrivals = Arrivals()
    with UdpEndpoint("::1", 0, arrivals) as endpoint, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"six", endpoint.address)
        await arrivals.until(1)
        assert arrivals.batches[0][0][1][0] == "::1"


@pytest.mark.asyncio
async def test_a_burst_is_drained_in_bounded_batches_without_loss() -> None:
    arrivals = Arrivals()
    with UdpEndpoint("127.0.0.1", 0, arrivals) as endpoint, socket.socket(type=socket.SOCK_DGRAM) as peer:
        for n in range(2000):
            peer.sendto(n.to_bytes(4, "big"), endpoint.address)
        await arrivals.until(2000)
        assert [int.from_bytes(data, "big") for data in arrivals.datagrams] == list(range(2000))
        assert max(len(batch) for batch in arrivals.batches) <= BATCH_DATAGRAMS
        assert endpoint.dropped in {0, None}


@pytest.mark.asyncio
async def test_a_large_receive_buffer_is_asked_for_and_what_was_granted_is_said() -> None:
    with UdpEndpoint("127.0.0.1", 0, Arrivals()) as endpoint:
        assert endpoint.receive_buffer_bytes >= min(rmem_max(), RECEIVE_BUFFER_BYTES)


def rmem_max() -> int:
    """Return how many bytes the kernel grants at most."""
    return int(RMEM_MAX.read_text())


@pytest.mark.asyncio
async def test_what_the_kernel_drops_is_counted() -> None:
    with UdpEndpoint("127.0.0.1", 0, Arrivals()) as endpoint, socket.socket(type=socket.SOCK_DGRAM) as peer:
        if endpoint.dropped is None:
            return
        full = endpoint.receive_buffer_bytes // 1024
        for _ in range(full):
            peer.sendto(bytes(1200), endpoint.address)
        assert endpoint.dropped > 0


@pytest.mark.asyncio
async def test_a_datagram_that_is_too_long_is_cut_and_does_not_stop_the_next() -> None:
    arrivals = Arrivals()
    with UdpEndpoint("127.0.0.1", 0, arrivals) as endpoint, socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.sendto(bytes(9000), endpoint.address)
        peer.sendto(b"next", endpoint.address)
        await arrivals.until(2)
        assert [len(data) for data in arrivals.datagrams] == [DATAGRAM_BYTES, 4]


@pytest.mark.asyncio
async def test_an_answer_reaches_the_sender() -> None:
    arrivals = Arrivals()
    with UdpEndpoint("127.0.0.1", 0, lambda _: None) as endpoint, UdpEndpoint("127.0.0.1", 0, arrivals) as peer:
        assert endpoint.send(b"hello", peer.address)
        await arrivals.until(1)
        assert arrivals.batches[0][0] == (b"hello", endpoint.address)


@pytest.mark.asyncio
async def test_sending_on_a_closed_endpoint_says_no_and_does_not_raise() -> None:
    with UdpEndpoint("127.0.0.1", 0, lambda _: None) as endpoint:
        address = endpoint.address
    assert not endpoint.send(b"late", address)


@pytest.mark.asyncio
async def test_what_the_handler_raises_is_raised_to_whoever_waits() -> None:
    def handler(_: Batch) -> None:
        raise ZeroDivisionError

    with UdpEndpoint("127.0.0.1", 0, handler) as endpoint, socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.sendto(b"x", endpoint.address)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(endpoint.wait_failed(), TIMEOUT_S)


@pytest.mark.asyncio
async def test_a_port_that_is_taken_is_named() -> None:
    with UdpEndpoint("127.0.0.1", 0, lambda _: None) as endpoint:
        port = endpoint.address[1]
        with pytest.raises(OSError, match=f"cannot listen for UDP on 127.0.0.1 port {port}"):
            UdpEndpoint("127.0.0.1", port, lambda _: None)
