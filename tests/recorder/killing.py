"""Kills a recording process again and again, and looks at what is left."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casawatt.engine.localtime import day_edges
from casawatt.recorder.verify import differences
from tests.recorder.hard_stream import METERS, Promised, adopt_all, reading, time_ms
from tests.recorder.homes import FAR_MS, START_MS, TestHome, home_in
from tests.recorder.killed_recorder import AHEAD_MAX, SETTINGS

RESENT_MAX = 900
"""After a kill the devices send up to so many readings of the stream again."""


@contextmanager
def recorders() -> Iterator[Iterator[subprocess.Popen[str]]]:
    """Yield recording processes that wait for their orders; each is started while the one before is still at work."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "tests.recorder.killed_recorder"]
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
        )
        started.append(process)
        return process

    def one_after_the_other() -> Iterator[subprocess.Popen[str]]:
        ready = start()
        while True:
            current, ready = ready, start()
            yield current

    try:
        yield one_after_the_other()
    finally:
        for process in started:
            process.kill()
            process.communicate()


def record_and_kill(recorder: subprocess.Popen[str], folder: Path, promised: Promised, chance: random.Random) -> None:
    """Let a recorder go on in `folder`, kill it at a random moment, and note what it had confirmed until then."""
    assert recorder.stdin is not None
    assert recorder.stdout is not None
    recorder.stdin.write(f"{max(0, promised.count - chance.randint(0, RESENT_MAX))} {folder}\n")
    # After so many lines it is killed at once, wherever it is by then: in a write, a sync, a commit or a rebuild.
    lines = [recorder.stdout.readline() for _ in range(chance.randint(0, 10))]
    for _ in range(chance.randint(0, 200_000)):
        pass
    recorder.send_signal(signal.SIGKILL)
    lines += recorder.stdout.read().splitlines(keepends=True)
    if recorder.wait() != -signal.SIGKILL:
        message = f"the recorder ended by itself with {recorder.returncode}"
        raise RuntimeError(message)
    promised.confirm(max((int(line) for line in lines if line.endswith("\n")), default=0))


def findings(folder: Path, promised: Promised) -> list[str]:
    """Return what is wrong in a folder of which so much was promised."""
    with home_in(folder, **SETTINGS) as home:
        found = home.store.check(deep=True)
        for meter, (slug, _) in enumerate(METERS):
            if not any(known.slug == slug for known in home.registry.meters()):
                assert promised.count == 0
                continue
            meter_id = home.registry.meter(slug).meter_id
            found += promised.broken(meter, list(home.store.columns(meter_id, -FAR_MS, FAR_MS).records()))
            line = home.recorder.line(meter_id)
            assert line is not None
            found += differences(line, home.store)
    return found


def totals_that_differ(folder: Path, other: Path, promised: Promised) -> list[str]:
    """Return each interval and day total that is not what the same stream gives without kills, in the folder `other`.

    The stream goes on a little in both, past everything that the killed recorder may have put in unconfirmed.
    """
    end = promised.count + AHEAD_MAX + 1000
    with home_in(folder, **SETTINGS) as killed, home_in(other) as whole:
        for home, first in ((killed, max(0, promised.count - RESENT_MAX)), (whole, 0)):
            adopt_all(home)
            for number in range(first, end):
                home.recorder.put(reading(number))
            home.recorder.settle()
        found = [f"{slug}: {what}" for slug, _ in METERS for what in compared(killed, whole, slug, end)]
        for home in (killed, whole):
            home.seal()
        return found + [f"{slug}, sealed: {what}" for slug, _ in METERS for what in compared(killed, whole, slug, end)]


def compared(killed: TestHome, whole: TestHome, slug: str, end: int) -> list[str]:
    """Return in words which records, intervals, days and readings set aside of a meter differ in two homes."""
    found = []
    edges_ms = day_edges(killed.store.zone, START_MS, time_ms(end // len(METERS) + 1))
    one, other = (
        (
            list(home.store.columns(meter.meter_id, -FAR_MS, FAR_MS).records()),
            home.store.intervals(meter.meter_id, -FAR_MS, FAR_MS),
            home.store.buckets(meter.meter_id, edges_ms, home.registry.calibrations(meter)),
            home.store.suspects.between(meter.meter_id, -FAR_MS, FAR_MS),
        )
        for home, meter in ((home, home.registry.meter(slug)) for home in (killed, whole))
    )
    for name, mine, theirs in zip(("records", "intervals", "days", "readings set aside"), one, other, strict=True):
        if not theirs:
            found.append(f"there are no {name}")
        if mine != theirs:
            found.append(f"the {name} differ from a run without kills")
    return found
