"""A file that an older casawatt wrote keeps everything."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from casawatt.model.errors import StoreBusyError
from casawatt.model.meter import Binding, Cadence, Calibration, Device
from casawatt.store.backup import backup, restore
from casawatt.store.lock import FolderLock
from casawatt.store.store import Store
from tests.store.conftest import ROME
from tests.store.first_format import SCHEMA

OLD, NEW, WRONG = Device(1, "kasa", "a"), Device(2, "kasa", "b"), Device(3, "kasa", "c")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder of the first format: a meter whose plug was replaced, after one that was bound by mistake."""
    with closing(sqlite3.connect(tmp_path / "casawatt.db")) as connection:
        connection.executescript(SCHEMA)
        connection.executescript("""
            INSERT INTO meta VALUES ('home_id', 'home-1'), ('days_zone', 'Europe/Rome');
            INSERT INTO meters VALUES (1, 'washer', 'Washer', NULL, NULL), (2, 'fridge', 'Fridge', 'fridge', NULL);
            INSERT INTO devices VALUES (1, 'kasa', 'a'), (2, 'kasa', 'b'), (3, 'kasa', 'c');
            INSERT INTO bindings VALUES (1, 1, 1, 0, 5000, NULL), (2, 1, 3, 6000, NULL, 5000),
                (3, 1, 2, 5000, NULL, NULL);
            INSERT INTO calibrations VALUES (1, 1, 0, 230000, 10000, 'change', 60000, NULL),
                (2, 1, 4000, 229000, 9000, 'polled', 30000, 5000), (3, 1, 5000, 228000, 9500, 'polled', 30000, NULL);
            INSERT INTO events VALUES (1, 'e1', 'casawatt.meter.silent', 7, 'washer', '{}');
            INSERT INTO followers VALUES ('mqtt', 9);
            PRAGMA user_version = 1;
        """)
    return tmp_path


def check(store: Store) -> None:
    """Look at everything that was in the old file."""
    rows = store.registry
    assert store.home_id == "home-1"
    assert [meter.slug for meter in rows.meters()] == ["washer", "fridge"]
    assert rows.devices() == [OLD, NEW, WRONG]
    assert rows.dated.bindings() == [Binding(1, 1, OLD, 0, 5000, 0), Binding(3, 1, NEW, 5000, None, 5000)]
    assert rows.dated.calibrations(1) == rows.dated.own_calibrations(1)
    assert rows.dated.calibrations(1) == [
        Calibration(0, 230_000, 10_000, Cadence.CHANGE, 60_000, limit_mw=None),
        Calibration(5000, 228_000, 9_500, Cadence.POLLED, 30_000, limit_mw=None),
    ]
    assert rows.dated.calibrations(2) == []
    assert [event.event_id for _, event in store.book.events.list()] == ["e1"]
    assert store.book.followers.positions() == {"mqtt": 9}
    assert store.check(deep=True) == []


def test_a_file_of_the_first_format_keeps_everything_and_believes_what_it_believed(folder: Path) -> None:
    for _ in range(2):
        with closing(Store.open(folder, zone=ROME)) as store:
            check(store)


def test_a_command_that_only_reads_brings_an_old_file_up_to_date_first(folder: Path) -> None:
    with closing(Store.open(folder, zone=ROME, read_only=True)) as store:
        check(store)


def test_an_old_file_that_a_service_of_that_time_still_uses_is_left_alone(folder: Path) -> None:
    before = (folder / "casawatt.db").read_bytes()
    lock = FolderLock(folder)
    with pytest.raises(StoreBusyError):
        Store.open(folder, zone=ROME, read_only=True)
    lock.release()
    assert (folder / "casawatt.db").read_bytes() == before


def test_a_backup_of_an_old_file_can_be_restored(folder: Path, tmp_path: Path) -> None:
    copy, restored = tmp_path / "copy.casawatt", tmp_path / "restored"
    backup(folder, copy)
    restore(copy, restored)
    with closing(Store.open(restored, zone=ROME)) as store:
        check(store)
