"""Time that passes only when a test says so, for sources that wait between two questions."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.fakes.clock import ManualClock

TIMEOUT_S = 20.0


class VirtualTime:
    """A clock, and a `wait` that lasts until that clock has been moved on far enough."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = 0
        self._changed = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait until so much virtual time has passed."""
        future = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._sleepers, (self.clock.time_ms + round(seconds * 1000), self._number, future))
        self._changed.set()
        try:
            await future
        finally:
            self._changed.set()

    def look_again(self, *_: object) -> None:
        """Have whoever is in `until` look at their condition again."""
        self._changed.set()

    @property
    def sleeping(self) -> int:
        """How many wait."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, looked at whenever somebody begins or stops to wait, and at `look_again`."""
        async with asyncio.timeout(TIMEOUT_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def advance(self, to_ms: int) -> None:
        """Move the clock to `to_ms`, waking whoever has waited until then, one by one.

        Each that is woken is waited for until it waits again: it has then done what it does in between.
        """
        while self._sleepers and (self._sleepers[0][0] <= to_ms or self._sleepers[0][2].done()):
            due_ms, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self.clock.time_ms = max(due_ms, self.clock.time_ms)
            before = self.sleeping
            future.set_result(None)
            await self.until(lambda: self.sleeping > before)  # noqa: B023 - awaited before the loop goes on
        self.clock.time_ms = max(to_ms, self.clock.time_ms)


class Player(Protocol):
    """A virtual device that takes part in a play."""

    def tick(self, time_ms: int) -> None:
        """Live on until then."""
        ...

    async def speak(self) -> None:
        """Say what there is to say, and wait until it has been heard."""
        ...


async def play(time: VirtualTime, players: Sequence[Player], to_ms: int, step_ms: int = 1000) -> None:
    """Let time pass second by second for devices and source alike."""
    for now_ms in range(time.clock.time_ms + step_ms, to_ms + 1, step_ms):
        for player in players:
            player.tick(now_ms)
        await time.advance(now_ms)
        for player in players:
            await player.speak()
