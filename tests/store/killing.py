"""Kills the writer at a random moment, and looks at what is left."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from casawatt.model.interval import INTERVAL_MS
from tests.store.conftest import START_MS, everything, open_store
from tests.store.killed_writer import METERS, READINGS_PER_QUARTER, quarter, reading, recover


def write_and_kill(folder: Path, chance: random.Random) -> int:
    """Let the writer go on in `folder` and kill it; returns how many readings of each meter it had confirmed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "tests.store.killed_writer", str(folder)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert writer.stdout is not None
    confirmed = 0
    # After so many lines it is killed at once, wherever it is by then: mostly in a write, a sync or a commit.
    for _ in range(chance.randint(1, 60)):
        confirmed = int(writer.stdout.readline() or confirmed)
    for _ in range(chance.randint(0, 20_000)):
        pass
    writer.send_signal(signal.SIGKILL)
    last_words = [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    writer.stdout.close()
    if writer.wait() != -signal.SIGKILL:
        message = f"the writer ended by itself with {writer.returncode}"
        raise RuntimeError(message)
    return max([confirmed, *last_words])


def problems(folder: Path, confirmed: int) -> list[str]:
    """Return what is wrong with a folder whose writer had confirmed so many readings of each meter."""
    store = open_store(folder)
    found = store.check(deep=True)
    recover(store)
    for meter_id in METERS:
        records = everything(store, meter_id)
        if len(records) < confirmed:
            found.append(f"meter {meter_id}: {confirmed} readings were confirmed, {len(records)} are there")
        if records != [reading(number) for number in range(len(records))]:
            found.append(f"meter {meter_id}: the readings are not those that were written")
        closed = [quarter(number) for number in range(len(records) // READINGS_PER_QUARTER)]
        if store.intervals(meter_id, START_MS, START_MS + 10**6 * INTERVAL_MS) != closed:
            found.append(f"meter {meter_id}: the quarter-hours are not those that its readings make")
    store.close()
    return found
