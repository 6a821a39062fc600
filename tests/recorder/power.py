"""A disk that can lose its power: what of a data folder would be left if it were cut right now.

The log's files are modelled call by call. What was forced to the disk is there; of what was only written, any sectors
of 512 bytes may be; of names that were changed since the folder was last forced, the first few may be. The database
is copied at each commit, which forces it; inside a commit any sectors of what it writes may be there.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from casawatt.store.database import Database

SECTOR = 512
DATABASE_FILES = ("casawatt.db", "casawatt.db-wal")


@dataclass(slots=True)
class File:
    """A file's bytes on the disk, and what was written and not forced since."""

    synced: bytes = b""
    written: list[tuple[int, bytes]] = field(default_factory=list)

    def now(self) -> bytes:
        """Return the bytes as the system would give them."""
        found = bytearray(self.synced)
        for offset, data in self.written:
            found += bytes(max(0, offset + len(data) - len(found)))
            found[offset : offset + len(data)] = data
        return bytes(found)

    def left(self, chance: random.Random) -> bytes:
        """Return the bytes that may be left after a power cut."""
        return torn(self.synced, self.now(), chance)


def torn(before: bytes, after: bytes, chance: random.Random) -> bytes:
    """Return a file of which only some sectors were written when the power went."""
    share = chance.choice((0.0, 0.3, 0.7, 1.0))
    found = bytearray(before) + bytes(max(0, len(after) - len(before)))
    for start in range(0, len(after), SECTOR):
        if chance.random() < share:
            found[start : start + SECTOR] = after[start : start + SECTOR]
    end = chance.choice((len(before), len(after)))
    return bytes(found[:end])


class PowerDisk:
    """Watches the writes to a data folder from now on; `on_change` is called at every moment worth a power cut."""

    def __init__(self, folder: Path, chance: random.Random, on_change: Callable[[], None]) -> None:
        self._folder = folder
        self._journal = folder / "journal"
        self._chance = chance
        self._on_change = on_change
        self._names: dict[str, File] = {
            path.name: File(path.read_bytes()) for path in self._journal.iterdir() if path.is_file()
        }
        self._synced_names = dict(self._names)
        self._renamed: list[Callable[[dict[str, File]], object]] = []
        self._by_inode = {(self._journal / name).stat().st_ino: file for name, file in self._names.items()}
        self._database = self._database_now()
        self._committing = False

    def leave(self, folder: Path) -> None:
        """Make `folder` what would be left of the data folder if the power went now."""
        (folder / "journal").mkdir(parents=True)
        names = dict(self._synced_names)
        for change in self._renamed[: self._chance.randint(0, len(self._renamed))]:
            change(names)
        for name, file in names.items():
            (folder / "journal" / name).write_bytes(file.left(self._chance))
        for name, data in self._database_left().items():
            (folder / name).write_bytes(data)

    def _database_now(self) -> dict[str, bytes]:
        return {name: (self._folder / name).read_bytes() for name in DATABASE_FILES if (self._folder / name).exists()}

    def _database_left(self) -> dict[str, bytes]:
        """Inside a commit the log of the database comes first; when it is forced, the database itself may follow."""
        if not self._committing:
            return self._database
        now, (main, wal) = self._database_now(), DATABASE_FILES
        if self._chance.random() < 0.5:
            return {main: self._database[main], wal: torn(self._database.get(wal, b""), now[wal], self._chance)}
        return {main: torn(self._database[main], now[main], self._chance), wal: now[wal]}

    @contextmanager
    def commit(self, write: Callable[[], Any]) -> Iterator[Any]:
        """Stand around a transaction of the database."""
        outermost = not self._committing
        with write() as connection:
            yield connection
        if outermost:
            self._committing = True
            self._on_change()
            self._committing = False
            self._database = self._database_now()
            self._on_change()

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Stand before the system's calls."""
        real_open, real_write, real_sync, real_data_sync = os.open, os.pwrite, os.fsync, os.fdatasync

        def opened(path: Any, flags: int, *mode: int) -> int:
            known = not self._mine(path) or Path(path).exists()
            file = real_open(path, flags, *mode)
            if not known:
                self._by_inode[os.fstat(file).st_ino] = made = File()
                self._change(lambda names: names.update({Path(path).name: made}))
            return file

        def pwrite(file: int, data: Any, offset: int) -> int:
            count = real_write(file, data, offset)
            if (found := self._by_inode.get(os.fstat(file).st_ino)) is not None:
                found.written.append((offset, bytes(data[:count])))
                self._on_change()
            return count

        def synced(file: int, sync: Callable[[int], None]) -> None:
            inode = os.fstat(file).st_ino
            if inode == self._journal.stat().st_ino:
                self._synced_names, self._renamed = dict(self._names), []
            if (found := self._by_inode.get(inode)) is not None:
                self._on_change()
                found.synced, found.written = found.now(), []
            sync(file)

        patch.setattr(os, "open", opened)
        patch.setattr(os, "pwrite", pwrite)
        patch.setattr(os, "fdatasync", lambda file: synced(file, real_data_sync))
        patch.setattr(os, "fsync", lambda file: synced(file, real_sync))
        self._watch_names(patch)
        write, disk = Database.write, self
        patch.setattr(
            Database,
            "write",
            lambda of: disk.commit(lambda: write(of)) if of.path.parent == disk._folder else write(of),
        )

    def _watch_names(self, patch: pytest.MonkeyPatch) -> None:
        real_rename, real_unlink = os.rename, os.unlink

        def rename(old: Any, new: Any, **options: Any) -> None:
            real_rename(old, new, **options)
            if self._mine(new):
                self._change(lambda names: names.update({Path(new).name: names.pop(Path(old).name)}))

        def unlink(path: Any, **options: Any) -> None:
            real_unlink(path, **options)
            if self._mine(path):
                self._change(lambda names: names.pop(Path(path).name))

        patch.setattr(os, "rename", rename)
        patch.setattr(os, "unlink", unlink)

    def _mine(self, path: Any) -> bool:
        return isinstance(path, str | Path) and Path(path).parent == self._journal

    def _change(self, change: Callable[[dict[str, File]], object]) -> None:
        change(self._names)
        self._renamed.append(change)
        self._on_change()
