"""A publisher of prices: a real HTTP server on loopback that checks what it is asked."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Publisher:
    """What it answers to each question, and what it was asked."""

    answer: Callable[[dict[str, str]], tuple[int, bytes]]
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a question; each parameter of it may be there once."""
        assert request.method == "GET"
        assert "Cookie" not in request.headers
        assert len(set(request.query)) == len(request.query)
        question = dict(request.query)
        self.asked.append(question)
        status, body = self.answer(question)
        return web.Response(status=status, body=body)


@asynccontextmanager
async def publishing(answer: Callable[[dict[str, str]], tuple[int, bytes]]) -> AsyncIterator[Publisher]:
    """Run a publisher while the block runs."""
    publisher = Publisher(answer)
    app = web.Application()
    app.router.add_get("/prices", publisher.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        publisher.url = f"http://{host}:{port}/prices"
        yield publisher
    finally:
        await runner.cleanup()
