"""The store against a dictionary: whatever is done to it, every record and every interval is as put in."""

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from casawatt.engine.merge import merged
from casawatt.model.interval import INTERVAL_MS, Bucket, Interval
from casawatt.model.reading import Record
from casawatt.store.seal import Cut
from casawatt.store.store import Store
from tests.store.conftest import CALIBRATIONS, START_MS, everything, open_store

HOUR_MS = 3_600_000
METERS = st.integers(1, 3)
TIMES = st.one_of(
    st.integers(0, 40).map(lambda step: START_MS + step * 1000),
    st.integers(0, 30).map(lambda step: START_MS + step * HOUR_MS - 500),
)
VALUES = st.one_of(st.none(), st.integers(-(2**31), 2**33), st.integers(0, 3000).map(lambda watts: watts * 1000))
RECORDS = st.builds(Record, TIMES, st.integers(1, 3), VALUES, VALUES, VALUES, VALUES, VALUES, VALUES, VALUES)
QUARTERS = st.integers(0, 40).map(lambda place: START_MS + place * INTERVAL_MS)
POWERS = st.one_of(st.none(), st.integers(-5_000_000, 5_000_000))
INTERVALS = st.builds(
    Interval, QUARTERS, st.integers(-(2**40), 2**40), st.integers(0, INTERVAL_MS), POWERS, POWERS, st.integers(0, 15)
)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="casawatt-"))
        self.store: Store = open_store(self.folder)
        self.records: dict[int, dict[int, Record]] = {1: {}, 2: {}, 3: {}}
        self.intervals: dict[int, dict[int, Interval]] = {1: {}, 2: {}, 3: {}}
        self.sealed: dict[int, dict[int, Interval]] = {1: {}, 2: {}, 3: {}}
        self.states: dict[int, bytes] = {}
        self.cuts: dict[int, tuple[Cut, dict[int, Interval]]] = {}
        self.position = 0
        self.followed: dict[int, dict[int, Record]] = {1: {}, 2: {}, 3: {}}

    @rule(meter_id=METERS, records=st.lists(RECORDS, min_size=1, max_size=20))
    def append(self, meter_id: int, records: list[Record]) -> None:
        mine = self.records[meter_id]
        for record in records:
            self.store.append(meter_id, record)
            before = mine.get(record.time_ms)
            mine[record.time_ms] = record if before is None else merged(before, record)

    @rule(meter_id=METERS, first=st.integers(0, 2000), count=st.integers(1, 600), power_mw=st.integers(0, 3_000_000))
    def append_many_in_order(self, meter_id: int, first: int, count: int, power_mw: int) -> None:
        times = [START_MS + (first + number) * 7000 for number in range(count)]
        self.append(meter_id, [Record(time_ms, 1, power_mw=power_mw) for time_ms in times])

    @rule(meter_id=METERS, intervals=st.lists(INTERVALS, min_size=1, max_size=8))
    def put_intervals(self, meter_id: int, intervals: list[Interval]) -> None:
        self.store.put_intervals(meter_id, intervals, ())
        self.intervals[meter_id].update({interval.start_ms: interval for interval in intervals})

    @rule(meter_id=METERS, span=st.tuples(QUARTERS, QUARTERS), intervals=st.lists(INTERVALS, max_size=8))
    def replace_intervals(self, meter_id: int, span: tuple[int, int], intervals: list[Interval]) -> None:
        start_ms, end_ms = min(span), max(span)
        inside = [interval for interval in intervals if start_ms <= interval.start_ms < end_ms]
        self.store.replace_intervals(meter_id, start_ms, end_ms, inside)
        kept = {at: old for at, old in self.intervals[meter_id].items() if not start_ms <= at < end_ms}
        self.intervals[meter_id] = kept | {interval.start_ms: interval for interval in inside}

    @rule()
    def flush(self) -> None:
        self.store.flush()

    @rule()
    def sync(self) -> None:
        self.store.sync()

    @rule(meter_id=METERS, state=st.binary(max_size=4))
    def begin_seal(self, meter_id: int, state: bytes) -> None:
        cut = self.store.begin_seal(meter_id, state, [(START_MS, state)])
        self.cuts[meter_id] = cut, dict(self.intervals[meter_id])

    @rule(meter_id=METERS)
    def commit_seal(self, meter_id: int) -> None:
        if meter_id in self.cuts:
            cut, intervals = self.cuts[meter_id]
            self.store.commit_seal(cut)
            self.sealed[meter_id], self.states[meter_id] = intervals, cut.state

    @rule(meter_id=METERS)
    def finish_seal(self, meter_id: int) -> None:
        if meter_id in self.cuts:
            self.commit_seal(meter_id)
            self.store.finish_seal(self.cuts.pop(meter_id)[0])

    @rule(limit=st.integers(1, 50))
    def follow(self, limit: int) -> None:
        batch = self.store.follow(self.position, limit)
        assert batch.position > self.position or not batch.readings
        self.position = batch.position
        for meter_id, record in batch.readings:
            before = self.followed[meter_id].get(record.time_ms)
            self.followed[meter_id][record.time_ms] = record if before is None else merged(before, record)

    @rule()
    def crash_and_open_again(self) -> None:
        """What was flushed survives. The lock falls with the process, here by hand."""
        self.store.flush()
        self.store._database.close()
        self.store._lock.release()  # type: ignore[union-attr]
        self.store = open_store(self.folder)
        self.cuts.clear()
        self.intervals = {meter_id: dict(sealed) for meter_id, sealed in self.sealed.items()}

    @rule()
    def close_and_open_again(self) -> None:
        self.store.close()
        self.store = open_store(self.folder)
        self.cuts.clear()
        self.intervals = {meter_id: dict(sealed) for meter_id, sealed in self.sealed.items()}

    @invariant()
    def every_record_is_as_put_in(self) -> None:
        for meter_id, records in self.records.items():
            assert everything(self.store, meter_id) == [records[time_ms] for time_ms in sorted(records)]
            last = self.store.last_record(meter_id)
            assert last == (records[max(records)] if records else None)
            assert self.store.first_time_ms(meter_id) == (min(records) if records else None)

    @invariant()
    def every_interval_is_as_put_in(self) -> None:
        for meter_id, intervals in self.intervals.items():
            expected = [intervals[start_ms] for start_ms in sorted(intervals)]
            assert self.store.intervals(meter_id, START_MS, START_MS + 100 * INTERVAL_MS) == expected

    @invariant()
    def every_bucket_is_the_sum_of_its_intervals(self) -> None:
        edges = [START_MS - 25 * HOUR_MS, START_MS - HOUR_MS, START_MS + 3 * HOUR_MS, START_MS + 23 * HOUR_MS]
        for meter_id, intervals in self.intervals.items():
            expected = [Bucket(*pair) for pair in pairwise(edges)]
            for interval in intervals.values():
                for place, bucket in enumerate(expected):
                    if bucket.start_ms <= interval.start_ms < bucket.end_ms:
                        expected[place] = bucket.plus(interval)
            assert self.store.buckets(meter_id, edges, CALIBRATIONS) == expected

    @invariant()
    def the_engine_state_is_the_one_sealed(self) -> None:
        for meter_id in self.records:
            assert self.store.engine_state(meter_id) == self.states.get(meter_id)

    def teardown(self) -> None:
        while (batch := self.store.follow(self.position, 1000)).readings:
            for meter_id, record in batch.readings:
                before = self.followed[meter_id].get(record.time_ms)
                self.followed[meter_id][record.time_ms] = record if before is None else merged(before, record)
            self.position = batch.position
        for meter_id, records in self.records.items():
            assert self.followed[meter_id].keys() == records.keys()
        assert self.store.check(deep=True) == []
        self.store.close()
        shutil.rmtree(self.folder)


TestStoreAgainstADictionary = StoreMachine.TestCase
TestStoreAgainstADictionary.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
