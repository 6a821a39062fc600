"""One writer for a data folder at a time."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from casawatt.model.errors import StoreBusyError

LOCK_NAME = "casawatt.lock"


class LockHolder(msgspec.Struct, frozen=True):
    """Who holds the lock: process id and the address of its pages (None before it serves any)."""

    pid: int
    url: str | None = None


class FolderLock:
    """An exclusive lock on a data folder, held until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises StoreBusyError, naming the holder, when another process has it."""
        self.path = folder / LOCK_NAME
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise StoreBusyError(_busy_message(folder)) from None
        self.announce(None)

    def announce(self, url: str | None) -> None:
        """Say for others to read where this process can be reached."""
        holder = msgspec.json.encode(LockHolder(os.getpid(), url))
        with suppress(OSError):  # a full disk: the lock holds, only others cannot read whose it is
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, holder, 0)

    def release(self) -> None:
        """Give the lock up; the file stays, empty, because removing it would race with the next holder."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def holder(folder: Path) -> LockHolder | None:
    """Return who holds the folder's lock, or None when nobody does."""
    path = folder / LOCK_NAME
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(path)
    else:
        return None
    finally:
        os.close(file)


def _read_holder(path: Path) -> LockHolder | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=LockHolder)
    except (OSError, msgspec.DecodeError):
        return None


def _busy_message(folder: Path) -> str:
    found = _read_holder(folder / LOCK_NAME)
    if found is None:
        return f"{folder} is in use by another casawatt"
    where = f" at {found.url}" if found.url else ""
    return f"{folder} is in use by another casawatt: process {found.pid}{where}"
