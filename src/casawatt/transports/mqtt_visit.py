"""A short visit to an MQTT broker: beside whoever is connected to it for good, and leaving nothing there."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from casawatt.config_sections import BrokerConfig
from casawatt.transports.mqtt import Broker

Outcome = TypeVar("Outcome")


async def visit(name: str, options: BrokerConfig, work: Callable[[Broker], Awaitable[Outcome]]) -> Outcome:
    """Return what `work` returns, which is given a connection of its own to the broker `[broker.<name>]`.

    It has an identity of its own and no session that outlives it: what waits there for us is not touched.
    Raises what `work` raises; ConnectionError or ConfigError, which say why, when there is no connection to be had.
    """
    client_id = f"{options.client_id or 'casawatt'}-look-{secrets.token_hex(4)}"
    broker = Broker(name, msgspec.structs.replace(options, session_expiry_s=0, client_id=client_id), "", listeners=1)
    connected = asyncio.create_task(broker.run())
    working = asyncio.ensure_future(work(broker))
    try:
        await asyncio.wait({connected, working}, return_when=asyncio.FIRST_COMPLETED)
        if connected.done() and not working.done():
            connected.result()
        return await working
    finally:
        for task in (connected, working):
            task.cancel()
        await asyncio.wait({connected, working})
