from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt.model.errors import RegistryError, StoreBusyError, StoreError, UnknownMeterError
from casawatt.model.event import Event
from casawatt.store.database import Database
from casawatt.store.lock import FolderLock, holder
from casawatt.store.logs import EventLog, Followers, Meta
from casawatt.store.rows import RegistryRows


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "casawatt.db", read_only=False)
    yield database
    database.close()


@pytest.fixture
def rows(database: Database) -> RegistryRows:
    return RegistryRows(database)


def test_a_file_of_a_newer_format_is_refused_with_its_number(tmp_path: Path, database: Database) -> None:
    with database.write() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="format 99"):
        Database(tmp_path / "casawatt.db", read_only=False)


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "casawatt.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"casawatt\.db"):
        Database(tmp_path / "casawatt.db", read_only=False)


def test_the_home_keeps_its_identity_when_opened_again(tmp_path: Path, database: Database) -> None:
    home_id = Meta(database).get("home_id")
    again = Database(tmp_path / "casawatt.db", read_only=True)
    assert Meta(again).get("home_id") == home_id
    again.close()


def test_a_slug_names_one_meter_only(rows: RegistryRows) -> None:
    meter = rows.add_meter("mains", "Mains")
    assert rows.meters() == [meter]
    with pytest.raises(RegistryError, match="already"):
        rows.add_meter("mains", "Other")
    with pytest.raises(RegistryError, match="Big Fridge"):
        rows.add_meter("Big Fridge", "Fridge")


def test_a_meter_gets_new_names_and_keeps_its_number(rows: RegistryRows) -> None:
    meter = rows.add_meter("mains", "Mains")
    changed = rows.update_meter(meter.meter_id, slug="grid", name="Grid", appliance="mains", parent=None)
    assert rows.meters() == [changed]
    assert changed.meter_id == meter.meter_id
    with pytest.raises(UnknownMeterError):
        rows.update_meter(77, slug="x", name="X", appliance=None, parent=None)


def test_a_device_is_added_once(rows: RegistryRows) -> None:
    device = rows.device("ecms_udp", "5c:cf:7f:01:02:03")
    assert rows.device("ecms_udp", "5c:cf:7f:01:02:03") == device
    assert rows.devices() == [device]


def test_an_event_found_again_is_written_once(database: Database) -> None:
    log = EventLog(database)
    event = Event("meter.silent/washer/1000", "casawatt.meter.silent", 1000, "washer", {"after_s": 60})
    assert log.append(event) == 1
    assert log.append(event) is None
    second = Event("meter.back/washer/2000", "casawatt.meter.back", 2000, "washer")
    log.append(second)
    assert [entry for _, entry in log.list()] == [event, second]
    assert log.list(after_seq=1) == [(log.list()[1][0], second)]


def test_a_follower_starts_at_zero_and_keeps_its_position(database: Database) -> None:
    followers = Followers(database)
    assert followers.position("mqtt") == 0
    followers.set("mqtt", 5)
    followers.set("mqtt", 9)
    assert followers.positions() == {"mqtt": 9}


def test_a_second_writer_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.announce("http://127.0.0.1:8480")
    with pytest.raises(StoreBusyError, match=r"process \d+ at http://127\.0\.0\.1:8480"):
        FolderLock(tmp_path)
    found = holder(tmp_path)
    assert found is not None
    assert found.url == "http://127.0.0.1:8480"
    lock.release()
    assert holder(tmp_path) is None
    FolderLock(tmp_path).release()
