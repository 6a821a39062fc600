from casawatt.model.reading import Record
from casawatt.store.store import Store
from tests.store.conftest import START_MS, powers, seal


def follow_all(store: Store, position: int, limit: int) -> tuple[list[tuple[int, Record]], int]:
    """Return everything that a follower gets from a position on, and where it ends."""
    got: list[tuple[int, Record]] = []
    while True:
        batch = store.follow(position, limit)
        assert batch.position > position or not batch.readings
        got += batch.readings
        position = batch.position
        if not batch.more:
            return got, position


def test_a_follower_of_the_tail_gets_each_reading_once_in_order(store: Store) -> None:
    arrived = [(1 + n % 2, Record(START_MS + n, 1, power_mw=n)) for n in range(100)]
    for meter_id, record in arrived:
        store.append(meter_id, record)
    assert follow_all(store, 0, 7) == (arrived, 100)
    assert follow_all(store, 100, 7) == ([], 100)
    assert follow_all(store, 95, 7)[0] == arrived[95:]


def test_a_meter_sealed_ahead_of_another_does_not_let_the_others_readings_be_passed(store: Store) -> None:
    for number in range(50):
        store.append(2, Record(START_MS + number, 1, power_mw=number))
    for number in range(50):
        store.append(1, Record(START_MS + number, 1, power_mw=number))
    seal(store, 1)
    batch = store.follow(0, 10)
    assert batch.position == 10
    assert {meter_id for meter_id, _ in batch.readings} == {2}
    got, position = follow_all(store, 0, 10)
    assert len(got) == 100
    assert position == 100


def test_a_late_reading_sealed_into_an_old_segment_reaches_a_follower(store: Store) -> None:
    for record in powers(START_MS, 100):
        store.append(1, record)
    seal(store, 1)
    _, position = follow_all(store, 0, 1000)
    late = Record(START_MS - 5, 1, power_mw=77)
    store.append(1, Record(START_MS + 10**9, 1, power_mw=1))
    store.append(1, late)
    seal(store, 1)
    got, end = follow_all(store, position, 1000)
    assert (1, late) in got
    assert end == 102


def test_more_segments_than_one_batch_takes_all_come(store: Store) -> None:
    for day in range(30):
        store.append(1, Record(START_MS + day * 86_400_000, 1, power_mw=day))
    seal(store, 1)
    store.append(1, Record(START_MS + 10**10, 1, power_mw=99))
    got, position = follow_all(store, 0, 1)
    assert sorted(record.power_mw or 0 for _, record in got) == [*range(30), 99]
    assert position == 31
