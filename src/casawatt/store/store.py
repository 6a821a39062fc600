"""The store: everything casawatt remembers, in one data folder."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from casawatt.model.columns import Columns
from casawatt.model.interval import Bucket, Interval
from casawatt.model.meter import Calibration
from casawatt.model.quarters import Quarters
from casawatt.model.reading import Record
from casawatt.store import check, days, seal
from casawatt.store.book import Book
from casawatt.store.database import Database
from casawatt.store.disk import Disk
from casawatt.store.figures import to_quarters
from casawatt.store.follow import Batch, follow
from casawatt.store.intake import Intake
from casawatt.store.journal import FILE_BYTES, WAITING_BYTES_MAX
from casawatt.store.lock import FolderLock
from casawatt.store.logfile import read_log
from casawatt.store.logs import Meta
from casawatt.store.query import Minutes, Query
from casawatt.store.rows import RegistryRows
from casawatt.store.runs import Runs
from casawatt.store.schema import DATABASE_NAME
from casawatt.store.seal import NO_RUN_STATES, Cut, RunStates, Snapshots
from casawatt.store.suspects import Suspects
from casawatt.store.tail import Tail
from casawatt.store.upgrade import bring_up_to_date

JOURNAL_NAME = "journal"
SEAL_RECORDS = 200_000
SEAL_LOG_BYTES = 16 << 20
SEAL_AFTER_S = 3600.0


class Store:
    """One home's readings and what is derived from them.

    `append`, `put_intervals`, `replace_intervals`, `begin_seal` and `finish_seal` belong to one thread, the event
    loop's; `flush`, `sync` and `commit_seal` may run in others meanwhile, and so may all questions.
    """

    def __init__(
        self, folder: Path, database: Database, intake: Intake, lock: FolderLock | None, zone: ZoneInfo
    ) -> None:
        """Put an opened store together; see `open`."""
        self.folder = folder
        self.zone = zone
        self.registry = RegistryRows(database)
        self.book = Book(database)
        self.suspects = Suspects(intake.tail, database)
        self.runs = Runs(intake.tail, database)
        self.sync_s = 10.0
        self.seal_records = SEAL_RECORDS
        self._database = database
        self._disk = Disk(database)
        self._intake = intake
        self._tail = intake.tail
        self._lock = lock
        self._meta = Meta(database)
        self._sealed_s = time.monotonic()
        self._query = Query(self._tail, intake.absorb, self._disk, zone, days=self._meta.get(days.ZONE_KEY) == zone.key)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        zone: ZoneInfo,
        sync_s: float = 10.0,
        read_only: bool = False,
        seal_records: int = SEAL_RECORDS,
        log_file_bytes: int = FILE_BYTES,
        waiting_bytes_max: int = WAITING_BYTES_MAX,
    ) -> Self:
        """Open the data folder, making a new one unless `read_only`.

        `zone` is the home's, by which local days are cut; it has a key. `sync_s` is kept for whoever calls `sync`.
        `seal_records` in the tail make `should_seal` true. A read-only store shows what was there when it was opened.
        Raises StoreBusyError when another process writes to the folder, StoreError when it cannot be used.
        """
        if read_only:
            bring_up_to_date(folder)
        else:
            (folder / JOURNAL_NAME).mkdir(parents=True, exist_ok=True)
        lock = None if read_only else FolderLock(folder)
        try:
            # The log is read before the database: what is sealed in between is then known twice and never missed.
            scans = read_log(folder / JOURNAL_NAME)
            database = Database(folder / DATABASE_NAME, read_only=read_only)
            disk = Disk(database)
            tail = Tail()
            tail.extend((batch for found in scans for batch in found.batches), disk.sealed_seqs())
            next_seq = max([disk.newest_seq(), *(found.last_seq for found in scans)]) + 1
            if read_only:
                intake = Intake(tail, None, next_seq)
            else:
                intake = Intake.writing(
                    tail,
                    folder / JOURNAL_NAME,
                    scans,
                    next_seq,
                    file_bytes=log_file_bytes,
                    waiting_bytes_max=waiting_bytes_max,
                )
                days.use_zone(database, zone)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        store = cls(folder, database, intake, lock, zone)
        store.sync_s = sync_s
        store.seal_records = seal_records
        return store

    @property
    def home_id(self) -> str:
        """The identity of this home, made when the folder was."""
        return self._meta.get("home_id") or ""

    def announce(self, url: str | None) -> None:
        """Say, for a second process that wants this folder, where this one can be reached."""
        if self._lock is not None:
            self._lock.announce(url)

    def append(self, meter_id: int, record: Record) -> int:
        """Take one record; returns its sequence number. It is kept for good once `written_seq` has reached that.

        Raises StoreFullError when the disk is full and so is the memory for what waits.
        """
        intake = self._intake
        if intake.closed:
            raise intake.refusal()
        arrived = intake.arrived
        arrived.append((meter_id, record))
        intake.seq = seq = intake.seq + 1
        if len(arrived) >= intake.batch_records:
            intake.absorb()
        return seq

    def flush(self) -> int:
        """Hand what was appended to the operating system; returns `written_seq`. A full disk shows as `trouble`."""
        return self._intake.flush()

    def sync(self) -> int:
        """Force what was flushed to the disk; returns `durable_seq`. Raises OSError when the disk fails."""
        return self._intake.sync()

    @property
    def appended_seq(self) -> int:
        """The sequence number of the newest record taken."""
        return self._intake.seq

    @property
    def written_seq(self) -> int:
        """Up to which sequence number a killed process loses nothing."""
        return self._intake.written_seq

    @property
    def durable_seq(self) -> int:
        """Up to which sequence number a power cut loses nothing."""
        return self._intake.durable_seq

    @property
    def trouble(self) -> str | None:
        """What keeps readings from reaching the disk, for a person; None when nothing does."""
        return self._intake.trouble

    @property
    def full(self) -> bool:
        """Whether readings are lost because neither the disk nor the memory behind it has room."""
        return self._lock is not None and self._intake.closed

    def columns(self, meter_id: int, start_ms: int, end_ms: int) -> Columns:
        """Return the records with `start_ms <= time_ms < end_ms`; later arrival wins channel by channel."""
        return self._query.columns(meter_id, start_ms, end_ms)

    def last_record(self, meter_id: int, before_ms: int | None = None) -> Record | None:
        """Return the meter's last record, or its last before `before_ms`; None when there is none."""
        return self._query.last_record(meter_id, before_ms)

    def first_time_ms(self, meter_id: int) -> int | None:
        """Return the time of the meter's first record (UTC ms), None when there is none."""
        return self._query.first_time_ms(meter_id)

    def put_intervals(self, meter_id: int, closed: Sequence[Interval], open_: Sequence[Interval]) -> None:
        """Take quarter-hours that were closed, and those that are open now. They reach the disk with the next seal."""
        tail = self._tail.meter(meter_id)
        if closed:
            with self._tail.lock:
                tail.layers[-1].overlay.put(closed)
        tail.open_intervals = open_

    def replace_intervals(self, meter_id: int, start_ms: int, end_ms: int, intervals: Sequence[Interval]) -> None:
        """Put `intervals` in the place of all that begin in the span (on the quarter grid); the next seal writes it."""
        with self._tail.lock:
            tail = self._tail.meter(meter_id)
            tail.layers[-1].overlay.replace(start_ms, end_ms, intervals)
            tail.open_intervals = [each for each in tail.open_intervals if not start_ms <= each.start_ms < end_ms]

    def intervals(self, meter_id: int, start_ms: int, end_ms: int) -> list[Interval]:
        """Return the quarter-hours that begin in the span, in ascending time, the open one included."""
        return self._query.intervals(meter_id, start_ms, end_ms)

    def quarters(self, meter_id: int, start_ms: int, end_ms: int) -> Quarters:
        """Return them as columns."""
        return to_quarters(self._query.quarters(meter_id, start_ms, end_ms))

    def energy(self, meter_id: int, start_ms: int, end_ms: int, calibrations: Sequence[Calibration]) -> Bucket:
        """Return the energy between any two instants. Raises ValueError when the end is not after the start."""
        return self._query.buckets(meter_id, (start_ms, end_ms), calibrations)[0]

    def buckets(self, meter_id: int, edges_ms: Sequence[int], calibrations: Sequence[Calibration]) -> list[Bucket]:
        """Return the energy between consecutive edges (UTC ms). Raises ValueError when they do not ascend."""
        return self._query.buckets(meter_id, edges_ms, calibrations)

    def by_minute(self, meter_id: int, start_ms: int, end_ms: int, calibrations: Sequence[Calibration]) -> Minutes:
        """Return the power of each minute that the span touches."""
        return self._query.by_minute(meter_id, start_ms, end_ms, calibrations)

    def should_seal(self) -> bool:
        """Say whether enough has come in, or enough time has gone by, that the tail should be sealed."""
        if self._intake.seq == 0 or not self.unsealed():
            return False
        waited_s = time.monotonic() - self._sealed_s
        many = sum(self.unsealed().values()) >= self.seal_records
        return many or waited_s >= SEAL_AFTER_S or self._intake.log_bytes >= SEAL_LOG_BYTES

    def unsealed(self) -> dict[int, int]:
        """Return how many readings are unsealed, for each meter that has readings or intervals to seal."""
        self._intake.absorb()
        with self._tail.lock:
            return self._tail.counts()

    def begin_seal(
        self, meter_id: int, state: bytes, snapshots: Snapshots = (), runs: RunStates = NO_RUN_STATES
    ) -> Cut:
        """Mark off what there is of a meter now, to be sealed together with the engine's `state` at this point."""
        self._intake.absorb()
        self._sealed_s = time.monotonic()
        touched_id = self.registry.dated.touched_id
        with self._tail.lock:
            layers = self._tail.cut(meter_id)
            return Cut(meter_id, self._intake.absorbed_seq, state, tuple(snapshots), layers, touched_id, runs)

    def commit_seal(self, cut: Cut) -> None:
        """Write a cut to the database, all or nothing.

        Raises StoreFullError or StoreError; nothing is lost then, and the meter's next cut holds it too.
        """
        seal.commit(self._database, self.zone, cut)

    def finish_seal(self, cut: Cut) -> None:
        """Forget a committed cut in memory, and give free what the log needs no longer."""
        with self._tail.lock:
            self._tail.drop(cut.meter_id, cut.layers)
            oldest_seq = self._tail.oldest_seq()
        self._intake.recycle(self._intake.absorbed_seq if oldest_seq is None else oldest_seq - 1)

    def engine_state(self, meter_id: int) -> bytes | None:
        """Return the engine's state that goes with what is sealed of a meter; None before its first seal."""
        return self._disk.engine_state(meter_id)

    def snapshot_before(self, meter_id: int, time_ms: int) -> tuple[int, bytes] | None:
        """Return the newest snapshot whose boundary is not after `time_ms`: (boundary in UTC ms, state)."""
        return self._disk.snapshot_before(meter_id, time_ms)

    def tail_records(self, meter_id: int | None = None) -> Iterator[tuple[int, int, Record]]:
        """Yield what is unsealed in order of arrival: (sequence number, meter id, record)."""
        self._intake.absorb()
        seq = 0
        while True:
            with self._tail.lock:
                found = self._tail.after(seq, 10_000)
            if not found:
                return
            yield from (item for item in found if meter_id is None or item[1] == meter_id)
            seq = found[-1][0]

    def follow(self, after_seq: int, limit: int) -> Batch:
        """Return about `limit` readings that arrived after `after_seq`, some maybe again, and the position after."""
        self._intake.absorb()
        return follow(self._tail, self._disk, after_seq, limit)

    def check(self, *, deep: bool = False) -> list[str]:
        """Return what is wrong with the files, for a person; empty when they are whole. `deep` decodes everything."""
        return check.findings(self.folder, self._database, self.zone, deep=deep)

    def close(self) -> None:
        """Write what is left to the log and give the folder up. What is unsealed stays in the log."""
        try:
            self._intake.close()
        finally:
            self._database.close()
            if self._lock is not None:
                self._lock.release()
