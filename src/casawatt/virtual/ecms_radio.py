"""Puts virtual ECMS nodes on a real network: datagrams leave by a socket, in real time or faster; some get lost."""

import asyncio
import random
from typing import Self

from casawatt.model.ports import Clock
from casawatt.transports.udp import Address, Batch, UdpEndpoint
from casawatt.virtual.ecms_node import Node


class Radio:
    """One node's connection to its collector at `target` (IP address and port).

    Use it as a context manager inside a running event loop. Of what is sent and of what comes back, the
    share `loss_ratio` (0 to 1) disappears, the same ones for the same `seed`. `host` is the address of this end.
    """

    def __init__(
        self,
        node: Node,
        target: Address,
        clock: Clock,
        *,
        loss_ratio: float = 0.0,
        seed: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.node = node
        self.sent = 0
        """Datagrams that really left."""
        self.heard = 0
        """Datagrams that really arrived from the collector."""
        self._target = target
        self._clock = clock
        self._loss_ratio = loss_ratio
        self._random = random.Random(seed)  # noqa: S311 - repeatable, and guards nothing
        self._endpoint = UdpEndpoint(host, 0, self._hear)

    def __enter__(self) -> Self:
        """Start listening for acks."""
        self._endpoint.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the socket."""
        self._endpoint.__exit__()

    def tick(self) -> None:
        """Let the node live on until the clock's time now, and send what it sends."""
        self._send(self.node.tick(self._clock.now_ms()))

    async def run(self, speed: float = 1.0) -> None:
        """Tick whenever the node has something to do, until cancelled. `speed` is how fast the clock runs."""
        while True:
            await asyncio.sleep(max(0, self.node.next_ms - self._clock.now_ms()) / 1000 / speed)
            self.tick()

    def _hear(self, batch: Batch) -> None:
        for data, _ in batch:
            if self._random.random() >= self._loss_ratio:
                self.heard += 1
                self._send(self.node.hear(data, self._clock.now_ms()))

    def _send(self, datagrams: list[bytes]) -> None:
        for data in datagrams:
            if self._random.random() >= self._loss_ratio and self._endpoint.send(data, self._target):
                self.sent += 1


async def run_nodes(nodes: list[Node], target: Address, clock: Clock, *, speed: float = 1.0) -> None:
    """Run several nodes, each behind a socket of its own, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for node in nodes:
            group.create_task(_run_node(node, target, clock, speed))


async def _run_node(node: Node, target: Address, clock: Clock, speed: float) -> None:
    with Radio(node, target, clock) as radio:
        await radio.run(speed)
