"""A process that records until it is killed: `python -m tests.recorder.killed_recorder`.

Where, and from which reading of the stream on, is a line of its input: so it can be started before it is needed.
Registry, recorder and keeper run as in the service, only faster: while readings are put in, what is new is flushed,
synced, settled and sealed in threads. Each line says how many readings of the stream were handed to the operating
system.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casawatt.model.event import Event
from casawatt.recorder import keeper
from casawatt.recorder.keeper import Keeper
from tests.recorder.hard_stream import adopt_all, reading
from tests.recorder.homes import TestHome, home_in

AHEAD_MAX = 400
"""So many readings may be put in beyond those that were confirmed."""

SETTINGS = {"log_file_bytes": 32_768, "seal_records": 2500}


@contextmanager
def hasty() -> Iterator[None]:
    """Let keepers do in milliseconds what takes them seconds and minutes."""
    periods = {"FLUSH_S": 0.002, "SETTLE_S": 0.01, "SEAL_CHECK_S": 0.02, "SEAL_RETRY_S": 0.02}
    before = {name: getattr(keeper, name) for name in periods}
    for name, period_s in periods.items():
        setattr(keeper, name, period_s)
    try:
        yield
    finally:
        for name, period_s in before.items():
            setattr(keeper, name, period_s)


async def record(home: TestHome, first: int) -> None:
    """Put the stream in from the reading `first` on, and confirm."""
    waiting: deque[tuple[int, int]] = deque()
    confirmed = number = first
    newest_seq = 0
    while True:
        while number < confirmed + AHEAD_MAX:
            for _ in range(20):
                newest_seq = max(newest_seq, home.recorder.put(reading(number)))
                number += 1
            waiting.append((newest_seq, number))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        if waiting and waiting[0][0] <= home.store.written_seq:
            while waiting and waiting[0][0] <= home.store.written_seq:
                _, confirmed = waiting.popleft()
            sys.stdout.write(f"{confirmed}\n")
            sys.stdout.flush()


async def work(home: TestHome, first: int) -> None:
    """Record, and keep house beside it; write events down meanwhile as the service does."""
    happened: asyncio.Queue[Event] = asyncio.Queue()

    async def write_events() -> None:
        while True:
            await asyncio.to_thread(home.store.book.events.append, await happened.get())

    keeping = Keeper(home.store, home.recorder, sync_s=0.005, on_event=happened.put_nowait)
    async with asyncio.TaskGroup() as group:
        group.create_task(keeping.run())
        group.create_task(write_events())
        group.create_task(record(home, first))


def main() -> None:
    """Record for ever."""
    first, _, folder = sys.stdin.readline().strip().partition(" ")
    with home_in(Path(folder), **SETTINGS) as home, hasty():
        adopt_all(home)
        asyncio.run(work(home, int(first)))


if __name__ == "__main__":
    main()
