import sqlite3
import threading
from pathlib import Path

import pytest

from casawatt.model.errors import StoreCorruptError, StoreError
from casawatt.model.reading import Record
from casawatt.store.backup import backup, restore
from casawatt.store.store import Store
from tests.store.conftest import START_MS, everything, open_store, powers, seal


def filled(folder: Path) -> Store:
    """Return a store with sealed and unsealed readings of two meters."""
    store = open_store(folder)
    for number in range(2000):
        store.append(1 + number % 2, Record(START_MS + number * 1000, 1, power_mw=number))
    seal(store, 1)
    for number in range(2000, 2500):
        store.append(1 + number % 2, Record(START_MS + number * 1000, 1, power_mw=number))
    store.flush()
    return store


def test_a_backup_made_while_the_service_runs_restores_every_reading(tmp_path: Path) -> None:
    store = filled(tmp_path / "data")
    backup(tmp_path / "data", tmp_path / "home.casawatt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "home.casawatt"]
    restore(tmp_path / "home.casawatt", tmp_path / "again")
    again = open_store(tmp_path / "again")
    assert again.home_id == store.home_id
    for meter_id in (1, 2):
        assert everything(again, meter_id) == everything(store, meter_id)
    assert list(again.tail_records()) == list(store.tail_records())
    assert again.append(1, powers(START_MS - 1, 1)[0]) == 2501
    again.close()
    store.close()


def test_a_backup_taken_in_the_middle_of_writing_and_sealing_is_a_moment_of_each_meter(tmp_path: Path) -> None:
    store = filled(tmp_path / "data")
    done = threading.Event()
    problems: list[BaseException] = []

    def copy() -> None:
        try:
            for number in range(5):
                backup(tmp_path / "data", tmp_path / f"{number}.casawatt")
        except BaseException as error:  # noqa: BLE001 (whatever it is, the test fails)
            problems.append(error)
        done.set()

    thread = threading.Thread(target=copy)
    thread.start()
    number = 2500
    while not done.is_set():
        for _ in range(200):
            store.append(1 + number % 2, Record(START_MS + number * 1000, 1, power_mw=number))
            number += 1
        store.flush()
        seal(store, 1 + number // 200 % 2)
    thread.join()
    assert problems == []
    for copied in range(5):
        restore(tmp_path / f"{copied}.casawatt", tmp_path / f"again{copied}")
        again = open_store(tmp_path / f"again{copied}", read_only=True)
        for meter_id in (1, 2):
            records = everything(again, meter_id)
            assert len(records) >= 1250
            assert records == everything(store, meter_id)[: len(records)]
        again.close()
    store.close()


def test_restoring_over_data_is_refused_unless_said(tmp_path: Path) -> None:
    filled(tmp_path / "data").close()
    backup(tmp_path / "data", tmp_path / "home.casawatt")
    with pytest.raises(StoreError, match="holds data already"):
        restore(tmp_path / "home.casawatt", tmp_path / "data")
    restore(tmp_path / "home.casawatt", tmp_path / "data", overwrite=True)
    store = open_store(tmp_path / "data")
    assert len(everything(store, 1)) + len(everything(store, 2)) == 2500
    with pytest.raises(StoreError, match="in use by process"):
        restore(tmp_path / "home.casawatt", tmp_path / "data", overwrite=True)
    with pytest.raises(StoreError, match="exists already"):
        backup(tmp_path / "data", tmp_path / "home.casawatt")
    store.close()


def test_a_damaged_backup_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    filled(tmp_path / "data").close()
    backup(tmp_path / "data", tmp_path / "home.casawatt")
    connection = sqlite3.connect(tmp_path / "home.casawatt")
    connection.execute("UPDATE segments SET data = CAST(substr(data, 1, length(data) - 9) || zeroblob(9) AS BLOB)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreCorruptError, match="checksum"):
        restore(tmp_path / "home.casawatt", tmp_path / "data", overwrite=True)
    (tmp_path / "home.casawatt").write_bytes(b"nothing of the kind" * 500)
    with pytest.raises(StoreCorruptError, match="no whole backup"):
        restore(tmp_path / "home.casawatt", tmp_path / "data", overwrite=True)
    store = open_store(tmp_path / "data")
    assert len(everything(store, 1)) == 1250
    store.close()
