"""Connections to `casawatt.db`: one that writes, and one that reads for each thread."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casawatt.model.errors import StoreCorruptError, StoreError, StoreFullError
from casawatt.store.schema import VERSION, check_version, migrate

BUSY_S = 30.0
PAGE_BYTES = 2048
"""Of a new file. Segments have pages of their own, the last half empty: larger waste more, smaller are many."""

_NO_ROOM = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
"""How SQLite says that a quota or the largest size of a file is reached, or that there is no room for its index."""


class Database:
    """The SQLite file. Reading never waits for writing (WAL); every commit is on the disk when it returns."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        """Open the file, bringing it to the newest format unless `read_only`.

        Raises StoreError when it is missing (read only) or of a newer format, StoreCorruptError when it
        is not a database.
        """
        self.path = path
        self.read_only = read_only
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._write_lock = threading.RLock()
        self._writing_thread: int | None = None
        if read_only and not path.exists():
            message = f"there is no {path}: nothing was recorded here yet"
            raise StoreError(message)
        try:
            self._writer = self._connect()
            try:
                self._prepare()
            except BaseException:
                self._writer.close()
                raise
        except sqlite3.DatabaseError as error:
            raise _translated(error, path) from error

    def _prepare(self) -> None:
        if self.read_only:
            if check_version(self._writer, self.path) == 0:
                message = f"{self.path} is empty"
                raise StoreError(message)
            # One state of the file for as long as it is open: what was read from the log before belongs to it.
            self._writer.execute("PRAGMA query_only = ON")
            self._writer.execute("BEGIN")
            self._writer.execute("SELECT COUNT(*) FROM meta").fetchone()
            return
        check_version(self._writer, self.path)
        self._writer.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.execute("PRAGMA foreign_keys = ON")
        migrate(self._writer, self.path)

    def _connect(self) -> sqlite3.Connection:
        if self.read_only:
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        return sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)

    @property
    def is_current(self) -> bool:
        """Whether the file is of the newest format; one that is only read may be of an older one."""
        return check_version(self._writer, self.path) == VERSION

    def reader(self) -> sqlite3.Connection:
        """Return this thread's connection for reading; it sees what was committed (read only: when it was opened).

        Inside `write` it sees what is being written.
        """
        if self.read_only or self._writing_thread == threading.get_ident():
            return self._writer
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._readers.append(connection)
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield the writing connection inside a transaction; commits at the end, rolls back on an error.

        A transaction inside another one is part of it: all of it is written or nothing.
        Raises StoreFullError when the disk is full, StoreError when SQLite refuses otherwise.
        """
        with self._write_lock:
            if self._writing_thread is not None:  # this thread: no other has the lock
                yield self._writer
                return
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._writing_thread = threading.get_ident()
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
            except sqlite3.IntegrityError:
                raise
            except sqlite3.DatabaseError as error:
                raise _translated(error, self.path) from error
            finally:
                self._writing_thread = None

    def close(self) -> None:
        """Close every connection."""
        for connection in [*self._readers, self._writer]:
            connection.close()
        self._readers.clear()


def _translated(error: sqlite3.DatabaseError, path: Path) -> StoreError:
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code == sqlite3.SQLITE_FULL or extended in _NO_ROOM:
        return StoreFullError(f"{path}: the disk is full")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorruptError(f"{path}: {error}")
    return StoreError(f"{path}: {error}")
