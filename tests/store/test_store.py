import os
import subprocess
import sys
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from casawatt.engine.localtime import bucket_edges
from casawatt.model.columns import ABSENT
from casawatt.model.errors import StoreBusyError, StoreError
from casawatt.model.interval import INTERVAL_MS, Bucket, How, Interval
from casawatt.model.meter import Cadence, Calibration
from casawatt.model.reading import Record
from casawatt.store.store import Store
from tests.store.conftest import CALIBRATIONS, ROME, START_MS, everything, open_store, powers, seal

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def quarters(first_ms: int, count: int, energy_mwh: int = 250_000) -> list[Interval]:
    """Return quarter-hours of 1 kW, unless another energy is said."""
    return [
        Interval(first_ms + number * INTERVAL_MS, energy_mwh, INTERVAL_MS, 900_000, 1_100_000, How.HOLD)
        for number in range(count)
    ]


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path, store: Store) -> None:
    store.append(1, powers(START_MS, 1)[0])
    store.flush()
    with pytest.raises(StoreBusyError, match="process"):
        open_store(tmp_path)
    reader = open_store(tmp_path, read_only=True)
    assert everything(reader, 1) == powers(START_MS, 1)
    with pytest.raises(StoreError, match="reading only"):
        reader.append(1, powers(START_MS, 1)[0])
    reader.close()


def test_a_folder_without_data_is_not_opened_for_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no"):
        open_store(tmp_path / "nothing", read_only=True)


def test_an_absent_channel_never_erases_a_sealed_one(store: Store) -> None:
    store.append(1, Record(START_MS, 1, power_mw=5, voltage_mv=230_000))
    seal(store, 1)
    store.append(1, Record(START_MS, 1, power_mw=6))
    seal(store, 1)
    assert everything(store, 1) == [Record(START_MS, 1, power_mw=6, voltage_mv=230_000)]


def test_late_readings_during_a_commit_are_not_lost(store: Store) -> None:
    store.append(1, powers(START_MS, 1)[0])
    cut = store.begin_seal(1, b"one")
    store.append(1, Record(START_MS - 5, 1, power_mw=1))
    store.append(1, Record(START_MS, 1, power_mw=7))
    store.commit_seal(cut)
    store.append(1, Record(START_MS - 6, 1, power_mw=2))
    store.finish_seal(cut)
    expected = [(START_MS - 6, 2), (START_MS - 5, 1), (START_MS, 7)]
    assert [(record.time_ms, record.power_mw) for record in everything(store, 1)] == expected
    seal(store, 1)
    assert [(record.time_ms, record.power_mw) for record in everything(store, 1)] == expected
    assert store.check(deep=True) == []


def test_readings_appended_in_one_thread_while_others_flush_seal_and_ask_all_arrive(store: Store) -> None:
    stop = threading.Event()
    problems: list[BaseException] = []

    def ask() -> None:
        try:
            seen = 0
            while not stop.is_set():
                store.flush()
                store.sync()
                columns = store.columns(1, 0, 2**62)
                assert len(columns) >= seen
                assert (np.diff(columns.time_ms) > 0).all()
                seen = len(columns)
        except BaseException as error:  # noqa: BLE001 (whatever it is, the test fails)
            problems.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    records = powers(START_MS, 20_000)
    for number, record in enumerate(records):
        assert store.append(1, record) == number + 1
        if number % 5000 == 4000:
            cut = store.begin_seal(1, b"state")
            sealing = threading.Thread(target=store.commit_seal, args=(cut,))
            sealing.start()
            sealing.join()
            store.finish_seal(cut)
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert everything(store, 1) == records


def test_a_reader_sees_all_readings_while_a_writer_seals(tmp_path: Path, store: Store) -> None:
    records = powers(START_MS, 3000)
    for record in records:
        store.append(1, record)
    store.flush()
    readers = [open_store(tmp_path, read_only=True)]
    cut = store.begin_seal(1, b"state")
    readers.append(open_store(tmp_path, read_only=True))
    store.commit_seal(cut)
    readers.append(open_store(tmp_path, read_only=True))
    store.finish_seal(cut)
    readers.append(open_store(tmp_path, read_only=True))
    for reader in readers:
        assert everything(reader, 1) == records
        assert reader.check(deep=True) == []
        reader.close()


def test_a_record_that_no_column_can_hold_harms_no_other(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.append(1, Record(START_MS, 1, power_mw=1))
    store.append(1, Record(START_MS + 1, 1, power_mw=2**80))
    store.append(1, Record(START_MS + 2, 1, power_mw=3))
    assert [record.power_mw for record in everything(store, 1)] == [1, 3]
    assert "cannot be kept" in caplog.text
    assert store.flush() == 3


def test_the_open_interval_is_part_of_every_answer_but_not_sealed(tmp_path: Path, store: Store) -> None:
    store.put_intervals(1, quarters(START_MS, 1), [Interval(START_MS + INTERVAL_MS, 7, 1000, 1, 2, 1)])
    assert [interval.energy_mwh for interval in store.intervals(1, START_MS, START_MS + DAY_MS)] == [250_000, 7]
    assert store.energy(1, START_MS, START_MS + DAY_MS, CALIBRATIONS).energy_mwh == 250_007
    seal(store, 1)
    reader = open_store(tmp_path, read_only=True)
    assert len(reader.intervals(1, START_MS, START_MS + DAY_MS)) == 1
    reader.close()


def test_local_days_of_23_and_25_hours_are_whole(store: Store) -> None:
    for first, hours in (("2024-03-31", 23), ("2024-10-27", 25)):
        start_ms = int(np.datetime64(first, "ms").astype(np.int64)) - (HOUR_MS if hours == 23 else 2 * HOUR_MS)
        store.put_intervals(1, quarters(start_ms - DAY_MS, 96 * 3), ())
        seal(store, 1)
        edges = bucket_edges(ROME, start_ms - HOUR_MS, start_ms + 30 * HOUR_MS, "day")
        bucket = store.buckets(1, edges, CALIBRATIONS)[1]
        assert bucket.end_ms - bucket.start_ms == hours * HOUR_MS
        assert bucket.energy_mwh == hours * 1_000_000
        assert bucket.coverage_ratio == 1


def test_days_follow_a_changed_zone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_intervals(1, quarters(START_MS, 96 * 40), ())
    seal(store, 1)
    store.close()
    tokyo = ZoneInfo("Asia/Tokyo")
    reader = Store.open(tmp_path, zone=tokyo, read_only=True)
    edges = bucket_edges(tokyo, START_MS + 5 * DAY_MS, START_MS + 20 * DAY_MS, "day")
    assert [bucket.energy_mwh for bucket in reader.buckets(1, edges[1:-1], CALIBRATIONS)] == [24_000_000] * 14
    reader.close()
    store = Store.open(tmp_path, zone=tokyo)
    assert [bucket.energy_mwh for bucket in store.buckets(1, edges[1:-1], CALIBRATIONS)] == [24_000_000] * 14
    assert store.check(deep=True) == []
    store.close()


def test_parts_of_a_quarter_follow_the_shape_of_its_readings_and_sum_to_it(store: Store) -> None:
    middle_ms = START_MS + INTERVAL_MS // 3
    store.append(1, Record(START_MS, 1, power_mw=3_000_000))
    for time_ms in range(START_MS + 10_000, START_MS + INTERVAL_MS + 10_000, 10_000):
        store.append(1, Record(time_ms, 1, power_mw=3_000_000 if time_ms < middle_ms else 0))
    store.put_intervals(1, [Interval(START_MS, 249_999, INTERVAL_MS, 0, 3_000_000, How.REGISTER)], ())
    seal(store, 1)
    edges = [START_MS, START_MS + 150_001, middle_ms, START_MS + INTERVAL_MS]
    first, second, rest = store.buckets(1, edges, CALIBRATIONS)
    assert first.energy_mwh == 125_000
    assert second.energy_mwh == 124_999
    assert (rest.energy_mwh, rest.max_mw, rest.measured_ms) == (0, 0, 600_000)
    assert store.energy(1, START_MS + 150_001, START_MS + DAY_MS, CALIBRATIONS).energy_mwh == 124_999


def test_a_quarter_without_readings_is_shared_out_by_time(store: Store) -> None:
    store.put_intervals(1, [Interval(START_MS, 90, 90_000, 5, 5, How.HOLD)], ())
    assert store.energy(1, START_MS, START_MS + INTERVAL_MS // 3, CALIBRATIONS) == Bucket(
        START_MS, START_MS + INTERVAL_MS // 3, 30, 30_000, 5, 5, How.HOLD
    )


def test_edges_that_do_not_ascend_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="ascend"):
        store.energy(1, START_MS, START_MS, CALIBRATIONS)


def test_minutes_hold_the_power_of_the_reading_before_them(store: Store) -> None:
    for offset_s, power_mw in ((-30, 1000), (30, 3000), (60, 5000), (90, 5000)):
        store.append(1, Record(START_MS + offset_s * 1000, 1, power_mw=power_mw))
    minutes = store.by_minute(1, START_MS, START_MS + 180_000, CALIBRATIONS)
    assert minutes.time_ms.tolist() == [START_MS, START_MS + 60_000, START_MS + 120_000]
    assert minutes.power_mw.tolist() == [2000, 5000, ABSENT]
    assert minutes.min_mw.tolist() == [1000, 5000, ABSENT]
    assert minutes.max_mw.tolist() == [3000, 5000, ABSENT]
    assert minutes.measured_ms.tolist() == [60_000, 30_000, 0]


def test_minutes_are_the_same_sealed_half_sealed_and_unsealed(store: Store) -> None:
    records = [Record(START_MS + n * 1700, 1, power_mw=n * n % 3_000_000) for n in range(30_000)]
    span = START_MS + 6 * HOUR_MS - 90_000, START_MS + 7 * HOUR_MS
    polled = [Calibration(0, cadence=Cadence.POLLED)]
    for record in records:
        store.append(1, record)
    unsealed = store.by_minute(1, *span, polled)
    assert unsealed.max_mw.max() > unsealed.power_mw.max()
    seal(store, 1)
    sealed = store.by_minute(1, *span, polled)
    for record in records[::7]:
        store.append(1, record)
    half = store.by_minute(1, *span, polled)
    for other in (sealed, half):
        for name in ("time_ms", "power_mw", "min_mw", "max_mw", "measured_ms"):
            assert (getattr(other, name) == getattr(unsealed, name)).all(), name


def test_snapshots_are_found_by_their_boundary_and_a_later_one_takes_the_place_of_an_earlier(store: Store) -> None:
    for snapshots in ([(1000, b"old"), (2000, b"b")], [(1000, b"new"), (3000, b"c")]):
        cut = store.begin_seal(1, b"state", snapshots)
        store.commit_seal(cut)
        store.finish_seal(cut)
    assert store.snapshot_before(1, 999) is None
    assert store.snapshot_before(1, 1500) == (1000, b"new")
    assert store.snapshot_before(1, 2999) == (2000, b"b")
    assert store.snapshot_before(1, 5000) == (3000, b"c")
    assert store.engine_state(1) == b"state"


def test_unsealed_readings_come_back_in_order_of_arrival(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    arrived = [(1 + n % 3, Record(START_MS + (n * 7919) % 1000, 1, power_mw=n)) for n in range(900)]
    for meter_id, record in arrived:
        store.append(meter_id, record)
    seal(store, 2)
    store.close()
    store = open_store(tmp_path)
    found = list(store.tail_records())
    assert [(meter_id, record) for _, meter_id, record in found] == [item for item in arrived if item[0] != 2]
    assert [seq for seq, _, _ in found] == [n + 1 for n in range(900) if n % 3 != 1]
    assert {meter_id for _, meter_id, _ in store.tail_records(3)} == {3}
    store.close()


def test_should_seal_says_when_enough_readings_came_in(tmp_path: Path) -> None:
    store = open_store(tmp_path, seal_records=10)
    assert not store.should_seal()
    for record in powers(START_MS, 10):
        store.append(1, record)
    assert store.should_seal()
    seal(store, 1)
    assert not store.should_seal()
    store.close()


def test_damage_in_the_database_is_found(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for record in powers(START_MS, 100):
        store.append(1, record)
    store.put_intervals(1, quarters(START_MS, 8), ())
    seal(store, 1)
    with store._database.write() as connection:
        connection.execute("UPDATE segments SET count = 7")
        connection.execute("UPDATE days SET data = zeroblob(33)")
        connection.execute("UPDATE months SET data = zeroblob(33)")
        connection.execute("UPDATE intervals SET start_ms = start_ms + 86400000")
        connection.execute("UPDATE sealed SET sealed_seq = 3")
    found = "\n".join(store.check(deep=True))
    for words in ("does not hold what its row says", "sum of its intervals", "sum of its days", "counts as sealed"):
        assert words in found
    assert "outside their day" in found
    with store._database.write() as connection:
        connection.execute("UPDATE segments SET data = zeroblob(40)")
    assert "checksum" in "\n".join(store.check())
    store.close()


LIMITED = """
import contextlib, resource, sys
from pathlib import Path
from casawatt.model.errors import StoreFullError
from tests.store.conftest import START_MS, open_store, powers, seal
store = open_store(Path(sys.argv[1]))
for record in powers(START_MS, 1000):
    store.append(1, record)
store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
for work in (lambda: seal(store, 1), lambda: store.registry.add_meter("fridge", "Fridge")):
    try:
        work()
    except StoreFullError as error:
        print("full", len(list(store.columns(1, 0, 2**62).records())))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
seal(store, 1)
print(store.unsealed(), store.check(deep=True), store.registry.add_meter("fridge", "Fridge").slug)
store.close()
"""


def test_a_seal_that_finds_no_room_loses_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert result.stderr == ""
    assert result.stdout.splitlines() == ["full 1000", "full 1000", "{} [] fridge"]
    store = open_store(tmp_path)
    assert everything(store, 1) == powers(START_MS, 1000)
    store.close()
