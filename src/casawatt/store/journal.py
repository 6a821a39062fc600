"""The log of the tail: what has arrived and is not sealed yet, safe against a killed process and a power cut."""

import errno
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from casawatt.store.batch import RECORD_BYTES_MAX, Batch, pack
from casawatt.store.logfile import BLOCK_HEAD, FIRST_BLOCK, LogScan, begin, block, create, log_name, write_all

FILE_BYTES = 4 << 20
WAITING_BYTES_MAX = 64 << 20
BATCH_RECORDS_MAX = 4096
SPARES_MAX = 2
_SPARE_SUFFIX = ".spare"
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class Journal:
    """Appends batches to numbered files. `put` is for one thread; `flush` and `sync` may run in others."""

    def __init__(
        self,
        folder: Path,
        scans: Sequence[LogScan],
        next_seq: int,
        *,
        file_bytes: int = FILE_BYTES,
        waiting_bytes_max: int = WAITING_BYTES_MAX,
    ) -> None:
        """Go on behind what `read_log` found; the next batch has at least the sequence number `next_seq`.

        Raises OSError when the folder cannot be written. `file_bytes` is at least 1 KiB.
        """
        self.folder = folder
        self.file_bytes = file_bytes
        self.batch_records = min(
            BATCH_RECORDS_MAX, (file_bytes - FIRST_BLOCK - BLOCK_HEAD.size - 2) // RECORD_BYTES_MAX
        )
        self.waiting_bytes_max = waiting_bytes_max
        self.waiting_bytes = 0
        self.written_seq = self.durable_seq = next_seq - 1
        self._lock = threading.RLock()
        self._waiting: deque[tuple[int, int, bytes]] = deque()
        self._waiting_records = 0
        self._write_trouble: tuple[str, float] | None = None
        self._sync_trouble: tuple[str, float] | None = None
        self._unsynced: list[tuple[int, bytes]] = []
        self._spares = sorted(folder.glob(f"*{_SPARE_SUFFIX}"))
        self._past: deque[tuple[Path, int]] = deque()
        self._file: int | None = None
        self._generation = max((found.generation for found in scans), default=0)
        self._resume(scans)

    def _resume(self, scans: Sequence[LogScan]) -> None:
        """Open the last file to go on behind its last whole block; the others wait to be recycled."""
        usable = [found for found in scans if found.finding is None]
        last = usable[-1] if usable and usable[-1].generation == self._generation else None
        self._past.extend((found.path, found.last_seq) for found in usable if found is not last)
        if last is None:
            return
        self._path, self._end, self._chain = last.path, last.end, last.chain
        self._limit = last.path.stat().st_size
        self._last_seq = last.last_seq
        self._file = os.open(last.path, os.O_RDWR | os.O_CLOEXEC)
        os.fdatasync(self._file)

    @property
    def trouble(self) -> str | None:
        """What keeps the log from being written, for a person; None when nothing does."""
        trouble = self._write_trouble or self._sync_trouble
        if trouble is None:
            return None
        cause, since_s = trouble
        since = datetime.fromtimestamp(since_s, UTC).isoformat(timespec="seconds")
        return f"{cause} since {since}, {self._waiting_records} readings waiting in memory"

    @property
    def full(self) -> bool:
        """Whether the memory for what cannot be written is used up."""
        return self.waiting_bytes >= self.waiting_bytes_max

    @property
    def log_bytes(self) -> int:
        """How many bytes the log's files hold that cannot be given free yet."""
        return len(self._past) * self.file_bytes + (self._end if self._file is not None else 0)

    def put(self, batch: Batch) -> None:
        """Take a batch of at most `batch_records` readings for the next flush."""
        payload = pack(batch)
        with self._lock:
            self._waiting.append((batch.first_seq, len(batch), payload))
            self.waiting_bytes += len(payload)
            self._waiting_records += len(batch)

    def flush(self) -> int:
        """Hand what waits to the operating system; returns up to which sequence number it now has everything.

        What could not be written is `trouble`, and waits for the next flush.
        Raises OSError as well when it is for anything else than a full disk.
        """
        with self._lock:
            try:
                while self._waiting:
                    self._write_some()
            except OSError as error:
                self._write_trouble = self._write_trouble or (_cause(error), time.time())
                if error.errno not in _NO_ROOM:
                    raise
            else:
                self._write_trouble = None
            return self.written_seq

    def _write_some(self) -> None:
        """Write as many waiting batches as fit the file, with one call; a new file when none does."""
        file = self._file
        if file is None or not self._fits(self._end, self._waiting[0][2]):
            file = self._next_file()
        end, chain = self._end, self._chain
        blocks: list[bytes] = []
        for first_seq, count, payload in self._waiting:
            if not self._fits(end, payload):
                break
            data, chain = block(self._generation, first_seq, count, payload, chain)
            blocks.append(data)
            end += len(data)
        data = b"".join(blocks)
        write_all(file, data, self._end)
        self._unsynced.append((self._end, data))
        self._end, self._chain = end, chain
        for _ in blocks:
            first_seq, count, payload = self._waiting.popleft()
            self.waiting_bytes -= len(payload)
            self._waiting_records -= count
            self.written_seq = self._last_seq = first_seq + count - 1

    def _fits(self, end: int, payload: bytes) -> bool:
        return end + BLOCK_HEAD.size + len(payload) <= self._limit

    def _next_file(self) -> int:
        """Begin the next file. The one before is forced to the disk first: only the last file can ever be torn."""
        if self._file is not None:
            self._force(self._file, self._unsynced)
            self.durable_seq = max(self.durable_seq, self.written_seq)
        generation = self._generation + 1
        path = self.folder / log_name(generation)
        spare = self._spares[-1] if self._spares else self.folder / f"{generation:012d}{_SPARE_SUFFIX}"
        if self._spares:
            _sync_folder(self.folder)  # or a power cut may show the new head under the old name
        if not spare.exists() or spare.stat().st_size != self.file_bytes:
            create(spare, self.file_bytes)
        file = os.open(spare, os.O_RDWR | os.O_CLOEXEC)
        try:
            chain = begin(file, generation)
            spare.rename(path)
            _sync_folder(self.folder)
        except OSError:
            os.close(file)
            raise
        if self._spares:
            self._spares.pop()
        if self._file is not None:
            os.close(self._file)
            self._past.append((self._path, self._last_seq))
        self._file, self._path, self._generation = file, path, generation
        self._end, self._chain, self._limit, self._last_seq = FIRST_BLOCK, chain, self.file_bytes, 0
        self._unsynced = []
        return file

    def sync(self) -> int:
        """Force what was flushed to the disk; returns up to which sequence number a power cut loses nothing.

        Appending and flushing go on meanwhile. Raises OSError when the disk fails.
        """
        with self._lock:
            written_seq = self.written_seq
            if written_seq == self.durable_seq or self._file is None:
                return self.durable_seq
            file = os.dup(self._file)
            unsynced = self._unsynced
            blocks = unsynced.copy()
        try:
            self._force(file, blocks)
        finally:
            os.close(file)
        with self._lock:
            del unsynced[: len(blocks)]
            self.durable_seq = max(self.durable_seq, written_seq)
            return self.durable_seq

    def _force(self, file: int, unsynced: list[tuple[int, bytes]]) -> None:
        """Force a file to the disk, of which these blocks (offset, bytes) may not be there yet.

        After a failure they are written again first: the system may have dropped them and report success from then on.
        """
        try:
            if self._sync_trouble is not None:
                for offset, data in unsynced:
                    write_all(file, data, offset)
            os.fdatasync(file)
        except OSError as error:
            self._sync_trouble = self._sync_trouble or (_cause(error), time.time())
            raise
        self._sync_trouble = None

    def recycle(self, sealed_seq: int) -> None:
        """Give free the files that hold nothing later than `sealed_seq`; a few are kept to be written anew."""
        with self._lock:
            while self._past and self._past[0][1] <= sealed_seq:
                path, _ = self._past.popleft()
                if len(self._spares) < SPARES_MAX:
                    self._spares.append(path.rename(path.with_suffix(_SPARE_SUFFIX)))
                else:
                    path.unlink()

    def close(self) -> None:
        """Flush, force to the disk and close the files."""
        self.flush()
        self.sync()
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None


def _cause(error: OSError) -> str:
    """Return in words why the disk does not take what it should."""
    return "disk full" if error.errno in _NO_ROOM else f"the disk fails ({error.strerror})"


def _sync_folder(folder: Path) -> None:
    """Force a folder's list of names to the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
