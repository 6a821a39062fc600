import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from casawatt.model.errors import StoreFullError
from casawatt.model.reading import Record
from casawatt.store.batch import Batch, gather
from casawatt.store.journal import Journal
from casawatt.store.logfile import FIRST_BLOCK, read_log
from tests.store.conftest import START_MS, everything, open_store, powers, seal


def batch(first_seq: int, count: int = 3, power_mw: int = 5) -> Batch:
    return gather(first_seq, [(1, record) for record in powers(START_MS + first_seq, count, power_mw=power_mw)])


def written(folder: Path) -> list[tuple[int, list[int]]]:
    """Return the first sequence number and the powers of each block that can be read."""
    scans = read_log(folder)
    return [(block.first_seq, block.channels["power_mw"].tolist()) for found in scans for block in found.batches]


def journal_of(folder: Path, **settings: int) -> Journal:
    scans = read_log(folder)
    next_seq = max((found.last_seq for found in scans), default=0) + 1
    return Journal(folder, scans, next_seq, **{"file_bytes": 4096, **settings})


def test_what_was_flushed_is_read_back(tmp_path: Path) -> None:
    journal = journal_of(tmp_path)
    journal.put(batch(1))
    journal.put(batch(4, power_mw=6))
    assert journal.flush() == 6
    assert journal.sync() == journal.durable_seq == 6
    assert written(tmp_path) == [(1, [5, 5, 5]), (4, [6, 6, 6])]


def test_every_kind_of_value_survives_packing() -> None:
    records = [
        Record(START_MS, 1, power_mw=-5, register_mwh=2**40, boot_id=2**62),
        Record(START_MS - 7, 65_535, voltage_mv=2**31, current_ma=-(2**31), power_factor_e4=9_000, charge_mas=0),
        Record(0, 0),
    ]
    whole = gather(1, [(meter_id, record) for meter_id, record in enumerate(records)])
    assert whole.meter_id.tolist() == [0, 1, 2]
    assert whole.channels["voltage_mv"].tolist()[1] == 2**31


def test_a_write_torn_at_any_byte_loses_only_the_last_block(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    journal = journal_of(log)
    journal.put(batch(1))
    journal.flush()
    begin = journal._end
    journal.put(batch(4, power_mw=7))
    journal.flush()
    end = journal._end
    whole = (log / "000000000001.log").read_bytes()
    for torn_at in range(begin, end):
        torn = whole[:torn_at] + bytes(len(whole) - torn_at)
        (log / "000000000001.log").write_bytes(torn)
        expected = [(1, [5, 5, 5])] + ([(4, [7, 7, 7])] if torn == whole else [])
        assert written(log) == expected, torn_at
        again = tmp_path / "again"
        shutil.copytree(log, again)
        resumed = journal_of(again)
        resumed.put(batch(4, power_mw=8))
        resumed.close()
        assert written(again)[-1] == ((4, [8, 8, 8]) if torn != whole else (4, [7, 7, 7])) or torn == whole
        shutil.rmtree(again)


def test_a_flipped_bit_ends_the_reading_there(tmp_path: Path) -> None:
    journal = journal_of(tmp_path)
    for number in range(5):
        journal.put(batch(1 + 3 * number))
    journal.close()
    path = tmp_path / "000000000001.log"
    data = bytearray(path.read_bytes())
    block_length = (journal._end - FIRST_BLOCK) // 5
    data[FIRST_BLOCK + 2 * block_length + 40] ^= 1
    path.write_bytes(data)
    assert [first_seq for first_seq, _ in written(tmp_path)] == [1, 4]


def test_a_block_from_beyond_a_torn_one_is_never_read_after_it_is_written_over(tmp_path: Path) -> None:
    journal = journal_of(tmp_path)
    for first_seq in (1, 4, 7):
        journal.put(batch(first_seq))
    journal.close()
    path = tmp_path / "000000000001.log"
    length = (journal._end - FIRST_BLOCK) // 3
    data = bytearray(path.read_bytes())
    data[FIRST_BLOCK + length + 5] ^= 1
    path.write_bytes(data)
    resumed = journal_of(tmp_path)
    resumed.put(batch(4, power_mw=9))
    resumed.close()
    assert written(tmp_path) == [(1, [5, 5, 5]), (4, [9, 9, 9])]


def test_a_recycled_file_shows_nothing_of_its_former_life(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, file_bytes=1024)
    seq = 1
    while len(list(tmp_path.glob("*.log"))) < 4:
        journal.put(batch(seq))
        journal.flush()
        seq += 3
    journal.recycle(seq)
    assert len(list(tmp_path.glob("*.spare"))) == 2
    assert len(list(tmp_path.glob("*.log"))) == 1
    generation = journal._generation
    while journal._generation == generation:
        journal.put(batch(seq, power_mw=9))
        journal.flush()
        seq += 3
    journal.close()
    assert len(list(tmp_path.glob("*.spare"))) == 1
    newest = read_log(tmp_path)[-1]
    assert [block.first_seq for block in newest.batches] == [seq - 3]


def test_a_damaged_head_is_reported_and_the_file_never_written(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.append(1, powers(START_MS, 1)[0])
    store.close()
    path = tmp_path / "journal" / "000000000001.log"
    path.write_bytes(b"?" + path.read_bytes()[1:])
    store = open_store(tmp_path)
    assert "damaged" in store.check()[0]
    store.append(1, powers(START_MS + 5, 1)[0])
    store.close()
    assert path.read_bytes()[:1] == b"?"
    store = open_store(tmp_path)
    assert len(everything(store, 1)) == 1
    store.close()


class FullDisk:
    """Stands before os.pwrite: takes `room` bytes more and no further."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        self.write = os.pwrite
        monkeypatch.setattr("casawatt.store.logfile.os.pwrite", self.pwrite)

    def pwrite(self, file: int, data: bytes, offset: int) -> int:
        if self.room is None:
            return self.write(file, data, offset)
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self.write(file, bytes(data)[: self.room], offset)
        self.room -= taken
        return taken


@pytest.mark.parametrize("room", [0, 1, 30, 100])
def test_a_full_disk_keeps_readings_waiting_and_goes_on_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    disk = FullDisk(monkeypatch)
    store = open_store(tmp_path)
    records = powers(START_MS, 300)
    store.append(1, records[0])
    assert store.flush() == 1
    disk.room = room
    for record in records[1:200]:
        store.append(1, record)
    assert store.flush() == 1
    trouble = str(store.trouble)
    assert trouble.startswith("disk full since")
    assert trouble.endswith("199 readings waiting in memory")
    assert everything(store, 1) == records[:200]
    disk.room = None
    for record in records[200:]:
        store.append(1, record)
    assert store.flush() == 300
    assert store.trouble is None
    store.close()
    store = open_store(tmp_path)
    assert everything(store, 1) == records
    store.close()


def test_a_reading_beyond_the_bounded_memory_is_refused_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    store = open_store(tmp_path, waiting_bytes_max=2000)
    disk.room = 0
    records = powers(START_MS, 400)
    kept = 0
    with pytest.raises(StoreFullError, match="disk full since"):  # noqa: PT012 (which append fails is the point)
        for record in records:
            store.append(1, record)
            kept += 1
            store.flush()
    assert 50 < kept < 200
    disk.room = None
    store.flush()
    store.append(1, records[kept])
    store.close()
    store = open_store(tmp_path)
    assert everything(store, 1) == records[: kept + 1]
    store.close()


def test_a_new_log_file_that_finds_no_room_waits_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)
    store = open_store(tmp_path)
    disk.room = 5000
    store.append(1, powers(START_MS, 1)[0])
    assert store.flush() == 0
    assert store.trouble is not None
    assert not list((tmp_path / "journal").iterdir())
    disk.room = None
    assert store.flush() == 1
    store.close()


LIMITED = """
import resource, sys
from pathlib import Path
from tests.store.conftest import START_MS, open_store, powers
store = open_store(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
for record in powers(START_MS, 1000):
    store.append(1, record)
print(store.flush(), store.trouble is not None)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(store.flush(), store.trouble)
store.close()
"""


def test_a_real_limit_on_file_size_is_survived(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert result.stdout.splitlines() == ["0 True", "1000 None"]
    store = open_store(tmp_path)
    assert everything(store, 1) == powers(START_MS, 1000)
    store.close()


def test_the_log_is_given_free_when_all_meters_are_sealed_past_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for number in range(3000):
        store.append(1 + number % 2, Record(START_MS + number * 1000, 1, power_mw=number))
    store.flush()
    files = len(list((tmp_path / "journal").glob("*.log")))
    seal(store, 1)
    assert len(list((tmp_path / "journal").glob("*.log"))) == files
    seal(store, 2)
    assert len(list((tmp_path / "journal").glob("*.log"))) == 1
    store.close()
