"""Serving inside a loop that runs other things as well."""

import asyncio
import socket

import httpx
import pytest

from casawatt.web import create_app, running_server
from casawatt.web.server import listen, url_of
from tests.web.homes import TestHome


async def answers(url: str) -> bool:
    """Return whether something serves there."""
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{url}/healthz")).status_code == 200
    except httpx.ConnectError:
        return False


async def test_a_free_port_is_found_and_told(home: TestHome) -> None:
    async with running_server(create_app(home.ports()), "127.0.0.1", 0) as url:
        assert url.startswith("http://127.0.0.1:")
        assert not url.endswith(":0")
        assert await answers(url)
    assert not await answers(url)


async def test_a_taken_port_is_explained(home: TestHome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"cannot serve the page at 127.0.0.1 port {port}: .*another \[web\] port"):
            async with running_server(create_app(home.ports()), "127.0.0.1", port):
                pass


async def test_an_error_inside_stops_the_server_and_goes_on_up(home: TestHome) -> None:
    with pytest.raises(ZeroDivisionError):
        async with running_server(create_app(home.ports()), "127.0.0.1", 0) as url:
            raise ZeroDivisionError
    assert not await answers(url)


async def test_the_port_can_be_taken_again_at_once(home: TestHome) -> None:
    async with running_server(create_app(home.ports()), "127.0.0.1", 0) as url:
        port = int(url.rpartition(":")[2])
    async with running_server(create_app(home.ports()), "127.0.0.1", port) as again:
        assert again == url


async def test_a_cancelled_service_stops_cleanly(home: TestHome) -> None:
    ready = asyncio.Event()

    async def serve() -> None:
        async with running_server(create_app(home.ports()), "127.0.0.1", 0):
            ready.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(serve())
    await ready.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert home.watchers == []


@pytest.mark.parametrize(
    ("host", "start"),
    [("0.0.0.0", "http://127.0.0.1:"), ("localhost", "http://localhost:"), ("127.0.0.2", "http://127.0.0.2:")],
)
async def test_the_address_is_one_that_opens_on_this_machine(host: str, start: str) -> None:
    with listen(host, 0) as listener:
        assert url_of(listener, host).startswith(start)
