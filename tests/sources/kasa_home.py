"""A real home whose Kasa source runs in virtual time: a day in seconds, through real sockets."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from casawatt.recorder.inbox import SourceInbox
from casawatt.recorder.keeper import Keeper
from casawatt.sources.kasa import Config, run
from tests.recorder.homes import home_in
from tests.virtual_plugs.kasa import Plug

Happening = tuple[int, Callable[[], Any]]
"""A time (UTC ms) and what happens then; it may be awaited."""

TIMEOUT_S = 60.0


class KasaHome:
    """A data folder and the plugs in the home; `serve` runs casawatt for a while, `pass_time` lets it be off.

    `polls` are time and true energy of the first plug at each pause of the source.
    """

    def __init__(self, folder: Path, start_ms: int, *plugs: Plug, happenings: tuple[Happening, ...] = ()) -> None:
        self.folder = folder
        self.time_ms = start_ms
        self.plugs = plugs
        self.polls: list[tuple[int, float]] = []
        self.refused: dict[str, int] = {}
        self._happenings = sorted(happenings, key=lambda each: each[0])

    async def pass_time(self, to_ms: int) -> None:
        """Let time pass for the plugs, and what happens meanwhile happen."""
        while self._happenings and self._happenings[0][0] <= to_ms:
            at_ms, happen = self._happenings.pop(0)
            self._advance(at_ms)
            waiting = happen()
            if waiting is not None:
                await waiting
        self._advance(to_ms)

    def _advance(self, to_ms: int) -> None:
        self.time_ms = max(self.time_ms, to_ms)
        for plug in self.plugs:
            plug.advance(self.time_ms)

    async def serve(self, config: Config, to_ms: int, *addresses: str) -> dict[str, float]:
        """Run casawatt until `to_ms`; returns each device's energy so far, in Wh."""
        with home_in(self.folder) as home:
            home.clock.time_ms = self.time_ms
            for address in addresses:
                slug = slug_of(address)
                if slug not in [meter.slug for meter in home.registry.meters()]:
                    home.adopt(slug, "kasa", address)
            done = asyncio.Event()

            async def wait(seconds: float) -> None:
                self.polls.append((self.time_ms, self.plugs[0].true_wh))
                await self.pass_time(self.time_ms + round(seconds * 1000))
                home.clock.time_ms = self.time_ms
                if self.time_ms >= to_ms:
                    done.set()
                    await asyncio.Event().wait()

            keeper = Keeper(home.store, home.recorder, sync_s=10, on_event=lambda _: None)
            source = asyncio.create_task(run(config, SourceInbox("kasa", home.recorder, keeper), wait))
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.wait([source, asyncio.create_task(done.wait())], return_when=asyncio.FIRST_COMPLETED)
            source.cancel()
            await asyncio.gather(source, return_exceptions=True)
            for refusal, count in home.recorder.refusals.counts.items():
                self.refused[refusal.cause] = self.refused.get(refusal.cause, 0) + count
            energies = {address: home.energy_wh(slug_of(address)) for address in addresses}
            home.seal()
            return energies


def slug_of(address: str) -> str:
    """Return a meter's name for a device."""
    return address.replace(":", "").replace("/", "-")
