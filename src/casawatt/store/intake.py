"""Where what was appended goes: into the log and into the tail, in the same batches."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from casawatt.model.errors import StoreError, StoreFullError
from casawatt.model.reading import Record
from casawatt.store.batch import gather
from casawatt.store.journal import BATCH_RECORDS_MAX, Journal
from casawatt.store.logfile import LogScan
from casawatt.store.tail import Tail

log = logging.getLogger(__name__)


class Intake:
    """Takes records one by one in `arrived`, and in batches to the log and the tail.

    One thread appends to `arrived` and counts `seq`; any thread may absorb what is there. `closed` says that
    nothing more can be taken.
    """

    __slots__ = ("_journal", "_lock", "absorbed_seq", "arrived", "batch_records", "closed", "seq", "tail")

    def __init__(self, tail: Tail, journal: Journal | None, next_seq: int) -> None:
        """Fill `tail` and `journal`; without a journal nothing can be taken."""
        self.tail = tail
        self.arrived: list[tuple[int, Record]] = []
        self.seq = self.absorbed_seq = next_seq - 1
        self.closed = journal is None
        self.batch_records = BATCH_RECORDS_MAX if journal is None else journal.batch_records
        self._journal = journal
        self._lock = threading.RLock()

    @classmethod
    def writing(
        cls,
        tail: Tail,
        folder: Path,
        scans: Sequence[LogScan],
        next_seq: int,
        *,
        file_bytes: int,
        waiting_bytes_max: int,
    ) -> Self:
        """Go on with the log in `folder`, of which `scans` were read."""
        journal = Journal(folder, scans, next_seq, file_bytes=file_bytes, waiting_bytes_max=waiting_bytes_max)
        return cls(tail, journal, next_seq)

    @property
    def writable(self) -> bool:
        """Whether there is a log to write."""
        return self._journal is not None

    def absorb(self) -> None:
        """Bring what has arrived into the tail and before the log."""
        if not self.arrived:
            return
        with self._lock:
            # Taken from the front and never by exchanging the list: another thread may be adding to it right now.
            while batch := self.arrived[: self.batch_records]:
                self._take(batch)
                del self.arrived[: len(batch)]

    def _take(self, arrived: list[tuple[int, Record]]) -> None:
        """Take a batch; a record that no column can hold is left out alone, and said in the log for people."""
        try:
            batch = gather(self.absorbed_seq + 1, arrived)
        except (OverflowError, TypeError, ValueError) as error:
            if len(arrived) > 1:
                middle = len(arrived) // 2
                self._take(arrived[:middle])
                self._take(arrived[middle:])
                return
            log.error("a record cannot be kept, %s: %r", error, arrived[0])  # noqa: TRY400 (the record says it all)
            self.absorbed_seq += 1
            return
        with self.tail.lock:
            self.tail.take(batch)
            self.absorbed_seq = batch.last_seq
        if self._journal is not None:
            self._journal.put(batch)
            self.closed = self._journal.full

    def flush(self) -> int:
        """Hand everything that has arrived to the operating system; returns up to which number it has it."""
        if self._journal is None:
            return self.absorbed_seq
        self.absorb()
        written_seq = self._journal.flush()
        self.closed = self._journal.full
        return written_seq

    def sync(self) -> int:
        """Force what was flushed to the disk; returns up to which number."""
        return self.absorbed_seq if self._journal is None else self._journal.sync()

    @property
    def written_seq(self) -> int:
        """Up to which number the operating system has everything."""
        return self.absorbed_seq if self._journal is None else self._journal.written_seq

    @property
    def durable_seq(self) -> int:
        """Up to which number the disk has everything."""
        return self.absorbed_seq if self._journal is None else self._journal.durable_seq

    @property
    def trouble(self) -> str | None:
        """What keeps the log from being written."""
        return None if self._journal is None else self._journal.trouble

    @property
    def log_bytes(self) -> int:
        """How large the log is that cannot be given free yet."""
        return 0 if self._journal is None else self._journal.log_bytes

    def recycle(self, sealed_seq: int) -> None:
        """Give free the part of the log that holds nothing later than `sealed_seq`."""
        if self._journal is not None:
            self._journal.recycle(sealed_seq)

    def close(self) -> None:
        """Write what is left and take nothing more."""
        self.absorb()
        self.closed = True
        if self._journal is not None:
            self._journal.close()

    def refusal(self) -> StoreError:
        """Return why nothing can be taken."""
        if not self.writable:
            return StoreError("this store was opened for reading only")
        return StoreFullError(f"this reading is not kept: {self.trouble}")
