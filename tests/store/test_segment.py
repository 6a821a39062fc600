from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.merge import merged
from casawatt.model.columns import ABSENT, Columns
from casawatt.model.errors import StoreCorruptError
from casawatt.model.reading import CHANNELS, Record
from casawatt.store.merging import merge
from casawatt.store.segment import decode, encode
from tests.store.conftest import START_MS

VALUES = st.one_of(
    st.none(), st.integers(-(2**63) + 1, 2**63 - 1), st.integers(0, 3000).map(lambda watts: watts * 1000)
)
RECORDS = st.builds(Record, st.integers(0, 50), st.integers(1, 3), *[VALUES] * len(CHANNELS))


def columns_of(records: list[Record]) -> Columns:
    """Return records of ascending time as columns."""
    channels = {}
    for name in CHANNELS:
        values = [getattr(record, name) for record in records]
        if any(value is not None for value in values):
            channels[name] = np.array([ABSENT if value is None else value for value in values], np.int64)
    times = np.array([record.time_ms for record in records], np.int64)
    return Columns(times, np.array([record.device_id for record in records], np.int64), channels)


def by_time(records: list[Record]) -> dict[int, Record]:
    """Return records in ascending time, later ones laid over earlier ones of the same time."""
    found: dict[int, Record] = {}
    for record in records:
        before = found.get(record.time_ms)
        found[record.time_ms] = record if before is None else merged(before, record)
    return dict(sorted(found.items()))


@given(st.lists(RECORDS, min_size=1, max_size=40))
def test_what_is_packed_comes_back(records: list[Record]) -> None:
    kept = list(by_time(records).values())
    assert list(decode(encode(columns_of(kept))).records()) == kept


def test_values_as_far_apart_as_can_be_come_back() -> None:
    lowest, highest = -(2**63) + 1, 2**63 - 1
    kept = [Record(second, 1, power_mw) for second, power_mw in enumerate((lowest, lowest, highest))]
    assert list(decode(encode(columns_of(kept))).records()) == kept


@given(st.lists(RECORDS, max_size=30), st.lists(RECORDS, max_size=30))
def test_the_later_arrival_wins_channel_by_channel(old: list[Record], new: list[Record]) -> None:
    both = merge(columns_of(list(by_time(old).values())), columns_of(list(by_time(new).values())))
    assert list(both.records()) == list(by_time([*old, *new]).values())


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    blob = bytearray(encode(columns_of([Record(START_MS + n * n, 1, power_mw=n * 7919 % 5000) for n in range(500)])))
    blob[place % len(blob)] ^= change
    with pytest.raises(StoreCorruptError):
        decode(bytes(blob))


def test_what_never_changes_costs_nothing() -> None:
    records = [Record(START_MS + n * 1000, 1, power_mw=60_000, voltage_mv=230_000, boot_id=7) for n in range(21_600)]
    assert len(encode(columns_of(records))) < 100


def test_an_evenly_growing_time_is_a_line_and_a_gap_costs_little() -> None:
    even = [Record(START_MS + n * 1000, 1, power_mw=1) for n in range(21_600)]
    gap = [*even[:9000], *even[9600:]]
    assert len(encode(columns_of(gap))) < 1000


@pytest.mark.parametrize("every", [1, 2, 60])
def test_a_rare_channel_takes_room_only_where_it_is(every: int) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    records = [
        Record(
            int((start + timedelta(seconds=n)).timestamp() * 1000),
            1,
            power_mw=5000,
            register_mwh=n * 100_000 if n % every == 0 else None,
        )
        for n in range(6000)
    ]
    blob = encode(columns_of(records))
    assert list(decode(blob).records()) == records
    assert len(blob) < 300
