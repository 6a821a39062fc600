"""Datagrams in and out: a socket that is drained in batches and never blocks. Nothing of what the bytes mean."""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any, Self

logger = logging.getLogger(__name__)

Address = tuple[Any, ...]
"""A peer as the operating system names it; the first item is its IP address as text."""

Batch = list[tuple[bytes, Address]]
"""Datagrams in the order they came, each with its sender."""

RECEIVE_BUFFER_BYTES = 4 << 20
"""Asked for: the usual default holds 256 small packets, and one forced write to a disk lasts longer than that."""

BATCH_DATAGRAMS = 256
"""Most datagrams taken in one wake-up, so that a flood cannot starve the rest of the event loop."""

DATAGRAM_BYTES = 2048
"""Longest datagram that is read; what is longer is cut, and its parser sees a wrong length."""

_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8
_MEMINFO = struct.Struct("=9I")


class UdpEndpoint:
    """A bound UDP socket whose datagrams go to `handler`, a batch at a time, on the event loop.

    Use it as a context manager inside a running event loop. Opening raises OSError when the
    address cannot be bound. An error raised by `handler` stops the reading and comes out of
    `wait_failed`, so that whoever opened the endpoint learns of it.
    """

    def __init__(self, host: str, port: int, handler: Callable[[Batch], None]) -> None:
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._socket = _bound(host, port)
        self.receive_buffer_bytes = _ask_for_receive_buffer(self._socket)
        """What the kernel granted; Linux says twice what was asked, half of it is its own bookkeeping."""

    def __enter__(self) -> Self:
        """Start reading."""
        self._loop.add_reader(self._socket.fileno(), self._drain)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading and give the port back."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
        if self._failed.done() and not self._failed.cancelled():
            self._failed.exception()

    @property
    def address(self) -> Address:
        """The bound address; its second item is the port, also when port 0 was asked for."""
        address: Address = self._socket.getsockname()
        return address

    @property
    def dropped(self) -> int | None:
        """How many datagrams the kernel has dropped because nobody fetched them; None when it does not say."""
        try:
            counters = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        except OSError:
            return None
        if len(counters) < _MEMINFO.size:
            return None
        drops: int = _MEMINFO.unpack(counters)[_MEMINFO_DROPS]
        return drops

    async def wait_failed(self) -> None:
        """Wait until reading fails, and raise what it failed with. Ends otherwise only by being cancelled."""
        await asyncio.shield(self._failed)

    def send(self, data: bytes, address: Address) -> bool:
        """Send one datagram now; return False if it could not leave (buffer full, no route, closed)."""
        try:
            self._socket.sendto(data, address)
        except OSError:
            return False
        return True

    def _drain(self) -> None:
        batch: Batch = []
        receive = self._socket.recvfrom
        append = batch.append
        try:
            for _ in range(BATCH_DATAGRAMS):
                append(receive(DATAGRAM_BYTES))
        except (BlockingIOError, ConnectionError):
            pass  # drained, or an earlier answer was refused by its receiver: neither concerns what was read
        except OSError as error:
            self._fail(error)
            return
        try:
            self._handler(batch)
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits for this endpoint
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._loop.remove_reader(self._socket.fileno())
        if not self._failed.done():
            self._failed.set_exception(error)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    bound.setblocking(False)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        message = f"cannot listen for UDP on {host} port {port}: {error.strerror}"
        raise OSError(error.errno, message) from error
    return bound


def _ask_for_receive_buffer(bound: socket.socket) -> int:
    """Return the bytes granted. The privileged call goes past the system's limit and may be refused."""
    try:
        bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except OSError:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    return bound.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
