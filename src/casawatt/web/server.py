"""Serves the application by HTTP inside an event loop that runs other things as well."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, cast

import uvicorn
from litestar import Litestar

from casawatt.web.event_stream import EventStreams
from casawatt.web.guard import Guard
from casawatt.web.live import Feed

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication

STOP_S = 3
"""So long a request that is being answered may take when the service stops."""

BACKLOG = 128


class Server(uvicorn.Server):
    """uvicorn, but signals are left to the one who runs the loop, and open streams end when it stops."""

    def __init__(self, config: uvicorn.Config, feed: Feed, streams: EventStreams) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._feed = feed
        self._streams = streams

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the open streams, then everything else."""
        self._feed.close()
        self._streams.close()
        await super().shutdown(sockets)


@asynccontextmanager
async def running_server(app: Litestar, host: str, port: int, *, names: Iterable[str] = ()) -> AsyncIterator[str]:
    """Serve `app` at `host` while the context is open; gives the address of its page.

    Port 0 takes a free one. `names` are further names by which the service is reached. `check_binding` decides
    beforehand whether `host` is wanted. Raises OSError when it cannot listen there.
    """
    listener = listen(host, port)
    config = uvicorn.Config(
        cast("ASGIApplication", Guard(app, host, names)),
        lifespan="on",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
    )
    server = Server(config, app.state.feed, app.state.streams)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="web server")
    started = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait((serving, started), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        yield url_of(listener, host)
    finally:
        started.cancel()
        server.should_exit = True
        await serving


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to `host` and `port`; raises OSError that says which."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        message = (
            f"cannot serve the page at {host} port {port}: {error.strerror or error}; set another [web] port or host"
        )
        raise OSError(error.errno, message) from error
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket, host: str) -> str:
    """Return the address at which the page opens on this machine."""
    bound, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(bound.partition("%")[0])
    is_v6 = isinstance(address, ipaddress.IPv6Address)
    if address.is_unspecified:
        address = ipaddress.ip_address("::1" if is_v6 else "127.0.0.1")
    name = "localhost" if host == "localhost" else f"[{address}]" if is_v6 else str(address)
    return f"http://{name}:{port}"
