"""A consistent copy of a data folder in one file, and back again.

The file is an SQLite database: a copy of `casawatt.db`, and beside its tables one named `tail` with what was
in the log and not sealed yet.
"""

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.model.errors import StoreBusyError, StoreCorruptError, StoreError
from casawatt.store.batch import Batch, pack, unpack
from casawatt.store.database import Database
from casawatt.store.journal import Journal
from casawatt.store.lock import holder
from casawatt.store.logfile import read_log
from casawatt.store.schema import DATABASE_NAME, check_version
from casawatt.store.store import JOURNAL_NAME, Store

_SEAL = b"casawatt backup\n"
_CHUNK_BYTES = 1 << 20
_TAIL_TABLE = "CREATE TABLE tail (first_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, data BLOB NOT NULL)"


def backup(folder: Path, target: Path) -> None:
    """Copy a data folder into the new file `target`, also while another process writes to the folder.

    What was flushed before is in the copy. Raises StoreError when the folder holds no data or `target` exists
    already, OSError when it cannot be written.
    """
    if target.exists():
        message = f"{target} exists already; choose another name"
        raise StoreError(message)
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    try:
        # The log before the database: what is sealed in between is in both, and is left out of the tail below.
        batches = [batch for found in read_log(folder / JOURNAL_NAME) for batch in found.batches]
        with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            with closing(Database(folder / DATABASE_NAME, read_only=True)) as source:
                source.reader().backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            _write_tail(copy, batches)
        _put_seal(partial)
        _sync(partial)
        partial.rename(target)
        _sync(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def restore(file: Path, folder: Path, *, overwrite: bool = False) -> None:
    """Make a data folder of a backup, after the copy has passed the deep check.

    Raises StoreError when `folder` holds data and `overwrite` is not said, StoreBusyError when a service is using it,
    StoreCorruptError when the copy is damaged, and the folder is as it was then.
    """
    if not file.is_file():
        message = f"there is no backup {file}"
        raise StoreError(message)
    if (folder / DATABASE_NAME).exists() and not overwrite:
        message = f"{folder} holds data already; restoring would replace it"
        raise StoreError(message)
    using = holder(folder)
    if using is not None:
        message = f"{folder} is in use by process {using.pid}; stop it first"
        raise StoreBusyError(message)
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".restore-", dir=folder))
    try:
        _unpack(file, made)
        _put_in_place(made, folder)
    finally:
        shutil.rmtree(made)


def _digest(path: Path, size_bytes: int) -> bytes:
    """Return the SHA-256 of a file's first bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(min(size_bytes, _CHUNK_BYTES)):
            size_bytes -= len(chunk)
            digest.update(chunk)
    return digest.digest()


def _put_seal(path: Path) -> None:
    """Write behind a file what tells later whether any byte of it was changed or lost."""
    seal = _SEAL + _digest(path, path.stat().st_size)
    with path.open("ab") as file:
        file.write(seal)


def _take_seal(path: Path, file: Path) -> None:
    """Take the seal off a copy of `file`; raises StoreCorruptError when it does not fit what it stands behind."""
    size_bytes = path.stat().st_size - len(_SEAL) - hashlib.sha256().digest_size
    with path.open("rb+") as copy:
        copy.seek(max(size_bytes, 0))
        if size_bytes < 0 or copy.read() != _SEAL + _digest(path, size_bytes):
            message = f"{file} is no whole backup: it was cut short or changed after it was made"
            raise StoreCorruptError(message)
        copy.truncate(size_bytes)


def _write_tail(copy: sqlite3.Connection, batches: Iterable[Batch]) -> None:
    """Put what is not sealed in the copied database into its table `tail`."""
    sealed_seqs = dict(copy.execute("SELECT meter_id, sealed_seq FROM sealed").fetchall())
    lowest = min(sealed_seqs.values(), default=0)
    copy.execute("BEGIN")
    copy.execute(_TAIL_TABLE)
    for batch in batches:
        # A batch that a meter is only partly sealed up to is kept whole: reading it leaves out the sealed.
        if batch.last_seq > lowest or set(batch.meter_id.tolist()) - sealed_seqs.keys():
            copy.execute("INSERT INTO tail VALUES (?, ?, ?)", (batch.first_seq, len(batch), pack(batch)))
    copy.execute("COMMIT")


def _unpack(file: Path, made: Path) -> None:
    """Make a whole data folder of a backup and check it."""
    (made / JOURNAL_NAME).mkdir()
    path = made / DATABASE_NAME
    shutil.copyfile(file, path)
    _take_seal(path, file)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            check_version(copy, file)
            rows = copy.execute("SELECT first_seq, count, data FROM tail ORDER BY first_seq").fetchall()
            batches = [unpack(*row) for row in rows]
            zone = copy.execute("SELECT value FROM meta WHERE key = 'days_zone'").fetchone()[0]
            copy.execute("DROP TABLE tail")
    except (sqlite3.DatabaseError, ValueError) as error:
        message = f"{file} is no whole backup: {error}"
        raise StoreCorruptError(message) from error
    journal = Journal(made / JOURNAL_NAME, [], batches[0].first_seq if batches else 1)
    for batch in batches:
        journal.put(batch)
    journal.close()
    if journal.trouble is not None:
        message = f"cannot restore to {made.parent}: {journal.trouble}"
        raise StoreError(message)
    with closing(Store.open(made, zone=ZoneInfo(zone))) as store:
        found = store.check(deep=True)
    if found:
        message = f"{file} is damaged: {'; '.join(found[:5])}"
        raise StoreCorruptError(message)


def _put_in_place(made: Path, folder: Path) -> None:
    """Move a checked data folder's files to where they belong; the database last, as it makes the folder one."""
    for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / JOURNAL_NAME, ignore_errors=True)
    (made / JOURNAL_NAME).rename(folder / JOURNAL_NAME)
    _sync(made / DATABASE_NAME)
    (made / DATABASE_NAME).rename(folder / DATABASE_NAME)
    _sync(folder)


def _sync(path: Path) -> None:
    """Force a file or a folder's names to the disk."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
