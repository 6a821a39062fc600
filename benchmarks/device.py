"""What really goes to a disk: a file system of its own on a loop device, whose written sectors the kernel counts.

`write_bytes` of a process is no good for this: newer kernels keep a file's pages in large pieces, and account the whole
piece when a byte of it changes, although only the changed blocks are written.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.outcome import PeerError
from benchmarks.servers import program

SECTOR_BYTES = 512
_SECTORS_WRITTEN = 6


@dataclass(frozen=True, slots=True)
class Device:
    """A mounted file system in `folder` on a block device of its own."""

    folder: Path
    name: str

    def written_bytes(self) -> int:
        """Return how many bytes were written to the device so far, the file system's own journal included."""
        return int(Path(f"/sys/block/{self.name}/stat").read_text().split()[_SECTORS_WRITTEN]) * SECTOR_BYTES


@contextmanager
def own_device(work: Path, size_bytes: int = 1 << 30) -> Iterator[Device]:
    """Mount a fresh ext4 on a file in `work` until the block ends. Raises PeerError where that is not allowed."""
    if os.geteuid() != 0:
        raise PeerError("counting what is written needs a file system of its own, and root to mount it")
    image, folder = work / "device.img", work / "device"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(size_bytes)
    # What ext4 leaves to be done after the first mount is done at once: it would be counted.
    _run(program("mkfs.ext4"), "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    _run(program("mount"), "-o", "loop", str(image), str(folder))
    try:
        source = _run(program("findmnt"), "-n", "-o", "SOURCE", str(folder)).strip()
        yield Device(folder, Path(source).name)
    finally:
        # Lazily: after an error a file may still be open, and nothing must be left mounted.
        _run(program("umount"), "--lazy", str(folder))


def _run(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"{arguments[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
