"""Keeps long-running work going: what fails is reported and started again after a growing pause."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from casawatt.model.errors import CasawattError
from casawatt.model.event import Event
from casawatt.model.event_data import SourceFailed
from casawatt.model.event_types import event_of
from casawatt.model.ports import Clock

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
WELL_AFTER_S = 60.0
"""Work that ran so long before it failed starts again with the first pause."""


State = Literal["running", "restarting", "ended"]


@dataclass(slots=True)
class Status:
    """How a piece of work fares. `state` is `running`, `restarting` or `ended`; `since_ms` when that began."""

    name: str
    state: State
    since_ms: int
    failures: int = 0
    last_error: str | None = None


class Supervisor:
    """Runs pieces of work side by side; one that fails disturbs no other."""

    def __init__(self, clock: Clock, on_event: Callable[[Event], None], on_change: Callable[[], None]) -> None:
        self.statuses: list[Status] = []
        self._clock = clock
        self._on_event = on_event
        self._on_change = on_change

    def is_running(self, name: str) -> bool:
        """Return whether the piece of work of that name is running now."""
        return any(status.name == name and status.state == "running" for status in self.statuses)

    async def run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` until it returns; when it raises, report and start it again."""
        status = Status(name, "running", self._clock.now_ms())
        self.statuses.append(status)
        pause_s = FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            self._set(status, "running")
            started_s = loop.time()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever a source does wrong must stop here
                if loop.time() - started_s > WELL_AFTER_S:
                    pause_s = FIRST_PAUSE_S
                self._failed(status, error, pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                self._set(status, "ended")
                log.info("%s has ended", name)
                return

    def _failed(self, status: Status, error: Exception, pause_s: float) -> None:
        status.failures += 1
        expected = isinstance(error, (OSError, TimeoutError, CasawattError))
        kind = type(error).__name__
        status.last_error = (str(error) or kind) if expected else f"{kind}: {error}"
        self._set(status, "restarting")
        log.error("%s failed, starting again in %g s: %s", status.name, pause_s, status.last_error)
        log.log(logging.DEBUG if expected else logging.ERROR, "how %s failed", status.name, exc_info=error)
        now_ms = self._clock.now_ms()
        data = SourceFailed(status.last_error, status.failures)
        self._on_event(event_of(data, now_ms, status.name, now_ms))

    def _set(self, status: Status, state: State) -> None:
        if status.state != state:
            status.state = state
            status.since_ms = self._clock.now_ms()
        self._on_change()
