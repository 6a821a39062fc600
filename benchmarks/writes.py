"""How many bytes are written to the device for each reading of ten meters at 1 Hz, seals included."""

import ctypes
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.device import Device, own_device
from benchmarks.homes import SOURCE, BenchHome, open_home, seal
from benchmarks.outcome import Context, Section, at_most, files_bytes
from benchmarks.peers import SQLITE_INSERT, mac_of, sqlite_rows, v1_rows
from benchmarks.readings import START_MS
from casawatt.model.reading import Reading
from casawatt.recorder.keeper import FLUSH_S

METERS = 10
ADDRESSES = [mac_of(number) for number in range(METERS)]
DAY_S = 86_400
SEAL_S = 3600
HANDED_OVER = round(1 / FLUSH_S)
"""So many times a second; the meters are spread over it."""

WRITEBACK_S = 30
"""Linux itself writes what has been waiting longer than this; what is added to the same page later is written again."""

COMMIT_S = 5
"""So often ext4 commits its journal when a file's time of change is another, and each write of the log changes that."""

_SYNC_FILE_RANGE_WRITE = 2


@dataclass(frozen=True, slots=True)
class Driven:
    """What a driven home wrote: bytes in all, and of these by seals; for how many readings."""

    readings: int
    written: int
    sealing: int
    made: int
    """How large the log's files are, which are filled with zeros once and then used again and again."""


def run(context: Context) -> Section:
    """Measure; each run is a process of its own, so that the kernel's account is of nothing else."""
    section = Section("writes", "Written to the device, ten meters at 1 Hz")
    seconds = context.sized(DAY_S, 240)
    section.notes.append(
        f"{seconds / 3600:.1f} h of readings, a quarter of that for sync_s = 60, pressed together: hand-overs (four a "
        "second), syncs and seals (each hour) fall between the same readings as in real time, only sooner. What the "
        f"kernel does by itself is asked for at the same places: writing what is older than {WRITEBACK_S} s, and the "
        f"file system's commit every {COMMIT_S} s. Counted in sectors by the block layer, on an ext4 of its own."
    )
    with section.optional("written bytes"):
        for sync_s, limit, share in ((10, 250, 1), (60, 60, 4)):
            found = _driven(context, sync_s, seconds // share)
            seals, files = found.sealing / found.readings, found.made / found.readings
            note = f"{seals:.0f} by seals and checkpoints, {files:.0f} once to make the log's files"
            each = found.written / found.readings
            section.add(f"casawatt, sync_s = {sync_s}", each, "bytes/reading", at_most(limit), note=note)
        rows = list(v1_rows(context.data, context.sized(2000, 50)))
        with context.folder() as folder, own_device(folder) as device:
            for name, wal in (("SQLite, a row a commit", False), ("SQLite, a row a commit, write-ahead log", True)):
                with closing(sqlite_rows(device.folder / f"{wal}.db", wal=wal)) as connection:
                    before = device.written_bytes()
                    for row in rows:
                        connection.execute(SQLITE_INSERT, row)
                    section.add(name, (device.written_bytes() - before) / len(rows), "bytes/reading")
    return section


def _driven(context: Context, sync_s: int, seconds: int) -> Driven:
    """Drive a home whose meters are there already, so that making them is not counted."""
    traces = context.data.traces
    powers_mw = [traces[number % len(traces)].mw(number * 977, seconds) for number in range(METERS)]
    with context.folder() as folder, own_device(folder) as device:
        path = device.folder / "home"
        with open_home(path, ADDRESSES, sync_s=sync_s) as home:
            return drive(home, powers_mw, sync_s, seconds, device)


def drive(home: BenchHome, powers_mw: list[list[int]], sync_s: int, seconds: int, device: Device) -> Driven:
    """Let ten devices say a reading each second, and do what the service does, when it does it."""
    put, store = home.recorder.put, home.store
    tick = os.open(device.folder / "tick", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    sealing = 0
    begun = device.written_bytes()
    for second in range(seconds):
        time_ms = START_MS + second * 1000
        for number, address in enumerate(ADDRESSES):
            power_w = powers_mw[number][second] / 1000
            put(Reading(source=SOURCE, address=address, received_ms=time_ms, time_ms=time_ms, power_w=power_w))
            if (number + 1) * HANDED_OVER // METERS > number * HANDED_OVER // METERS:
                store.flush()
        if second % sync_s == sync_s - 1:
            store.sync()
        if second % COMMIT_S == COMMIT_S - 1:
            os.utime(tick)
            os.fsync(tick)
        if second % WRITEBACK_S == WRITEBACK_S - 1:
            write_back(home.store.folder / "journal")
        if second % SEAL_S == SEAL_S - 1 or second == seconds - 1:
            before = device.written_bytes()
            seal(home)
            sealing += device.written_bytes() - before
    os.close(tick)
    return Driven(
        seconds * METERS, device.written_bytes() - begun, sealing, files_bytes([home.store.folder / "journal"])
    )


def write_back(folder: Path) -> None:
    """Let the kernel begin to write what it holds of the files in a folder, as it would by itself in time."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    for path in folder.glob("*.log"):
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            libc.sync_file_range(file, 0, 0, _SYNC_FILE_RANGE_WRITE)
        finally:
            os.close(file)
