"""A meter's quarter-hours are a function of the set of its records."""

import random
from collections.abc import Iterable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine import pipeline
from casawatt.engine.merge import merged
from casawatt.engine.pipeline import START, MeterState, calibration_at
from casawatt.model.interval import INTERVAL_MS, How, Interval
from casawatt.model.meter import Calibration
from casawatt.model.reading import CHANNELS, Record
from tests.engine.streams import calibration_lists, streams

MINUTE_MS = 60_000
KW = 1_000_000
HOLD = Calibration(0, gap_limit_ms=MINUTE_MS)
TWO_PM_MS = 1_700_000_100_000 - 1_700_000_100_000 % INTERVAL_MS


def reloaded(state: MeterState) -> MeterState:
    again = pipeline.load(pipeline.dump(state))
    assert again is not None
    return again


class History:
    """One meter as a recorder keeps it: records by time, snapshots of the state, quarter-hours by their beginning."""

    def __init__(self, calibrations: Sequence[Calibration], snapshot_every: int) -> None:
        self.calibrations = calibrations
        self.snapshot_every = snapshot_every
        self.records: dict[int, Record] = {}
        self.snapshots: list[MeterState] = [START]
        self.state = START
        self.closed: dict[int, Interval] = {}

    def put(self, record: Record) -> None:
        known = self.records.get(record.time_ms)
        self.records[record.time_ms] = record if known is None else merged(known, record)
        newest = self.state.newest
        if newest is None or record.time_ms >= newest.time_ms:
            self._fold([record])
        else:
            self._rebuild(record.time_ms)

    def restart(self) -> None:
        self.state = reloaded(self.state)

    def _fold(self, records: Iterable[Record]) -> None:
        for record in records:
            calibration = calibration_at(self.calibrations, record.time_ms)
            self.state, closed = pipeline.step(self.state, record, calibration)
            self.closed.update({interval.start_ms: interval for interval in closed})
            if len(self.records) % self.snapshot_every == 0:
                self.snapshots.append(self.state)

    def _rebuild(self, time_ms: int) -> None:
        while (newest := self.snapshots[-1].newest) is not None and newest.time_ms >= time_ms:
            self.snapshots.pop()
        self.state = self.snapshots[-1]
        start_ms = pipeline.first_open_ms(self.state)
        self.closed = {} if start_ms is None else {key: self.closed[key] for key in self.closed if key < start_ms}
        done_ms = self.state.newest.time_ms if self.state.newest else -1
        self._fold(self.records[key] for key in sorted(self.records) if key > done_ms)

    def intervals(self) -> dict[int, Interval]:
        return reported([*self.closed.values(), *pipeline.open_intervals(self.state)])


def reported(intervals: Iterable[Interval]) -> dict[int, Interval]:
    """Quarter-hours by their beginning, the last of each; those of nothing take back an earlier one."""
    found = {interval.start_ms: interval for interval in intervals}
    return {start_ms: found[start_ms] for start_ms in sorted(found) if found[start_ms].how}


def in_one_piece(records: Sequence[Record], calibrations: Sequence[Calibration]) -> dict[int, Interval]:
    state, closed = pipeline.run(START, records, calibrations)
    return reported([*closed, *pipeline.open_intervals(state)])


def halves(record: Record, chosen: set[str]) -> list[Record]:
    """A record in two messages of the same time that say different channels."""
    return [
        msgspec.structs.replace(record, **{name: None for name in CHANNELS if name not in keep})
        for keep in (chosen, set(CHANNELS) - chosen)
    ]


@given(records=streams(), calibrations=calibration_lists(), every=st.integers(1, 7))
def test_restarts_change_nothing(records: list[Record], calibrations: list[Calibration], every: int) -> None:
    state = START
    closed: list[Interval] = []
    for place, record in enumerate(records):
        if place % every == 0:
            assert reloaded(state) == state
            state = reloaded(state)
        state, more = pipeline.step(state, record, calibration_at(calibrations, record.time_ms))
        closed.extend(more)
    assert reported([*closed, *pipeline.open_intervals(state)]) == in_one_piece(records, calibrations)


@given(
    records=streams(),
    calibrations=calibration_lists(),
    order=st.randoms(use_true_random=False),
    every=st.integers(1, 5),
)
def test_arrival_in_any_order_twice_and_in_parts_gives_the_same_as_the_sorted_set(
    records: list[Record], calibrations: list[Calibration], order: random.Random, every: int
) -> None:
    arriving = list(records)
    for record in records:
        arriving.extend(order.choice([[], [record], halves(record, {"power_mw", "boot_id", "charge_mas"})]))
    order.shuffle(arriving)
    history = History(calibrations, every)
    for place, record in enumerate(arriving):
        history.put(record)
        if place % every == 0:
            history.restart()
    assert history.intervals() == in_one_piece(records, calibrations)


@given(records=streams(), calibrations=calibration_lists(), order=st.randoms(use_true_random=False))
def test_a_newest_record_that_comes_in_parts_is_as_if_it_had_come_whole(
    records: list[Record], calibrations: list[Calibration], order: random.Random
) -> None:
    history = History(calibrations, 3)
    for record in records:
        parts = halves(record, {name for name in CHANNELS if order.random() < 0.5})
        order.shuffle(parts)
        for part in parts:
            history.put(part)
            history.put(part)
    assert history.intervals() == in_one_piece(records, calibrations)


@given(records=streams(), calibrations=calibration_lists())
def test_what_is_closed_is_never_closed_again_and_lies_before_what_is_open(
    records: list[Record], calibrations: list[Calibration]
) -> None:
    state, starts = START, [-INTERVAL_MS]
    for record in records:
        state, closed = pipeline.step(state, record, calibration_at(calibrations, record.time_ms))
        starts.extend(interval.start_ms for interval in closed)
        first_open_ms = pipeline.first_open_ms(state)
        if first_open_ms is None:  # all that came is ignored
            assert closed == pipeline.open_intervals(state) == ()
            continue
        assert starts[-1] < first_open_ms
        assert all(interval.start_ms >= first_open_ms for interval in pipeline.open_intervals(state))
    assert starts == sorted(set(starts))


@given(records=streams(), calibrations=calibration_lists())
def test_no_quarter_hour_is_measured_for_longer_than_it_lasts(
    records: list[Record], calibrations: list[Calibration]
) -> None:
    for interval in in_one_piece(records, calibrations).values():
        assert 0 <= interval.measured_ms <= INTERVAL_MS
        assert interval.start_ms % INTERVAL_MS == 0
        assert (interval.min_mw is None) == (interval.max_mw is None) == (interval.measured_ms == 0)


def test_a_quarter_hour_is_interpolated_at_its_edges() -> None:
    """Readings from 14:00:09 to 14:14:51, and others around them, make a whole quarter-hour."""
    times_ms = [TWO_PM_MS + second * 1000 for second in range(-9, 910, 18)]
    assert times_ms[1] == TWO_PM_MS + 9_000
    assert times_ms[-2] == TWO_PM_MS + 891_000
    _, closed = pipeline.run(START, [Record(time_ms, 1, KW) for time_ms in times_ms], [HOLD])
    assert closed[-1] == Interval(TWO_PM_MS, 250_000, INTERVAL_MS, KW, KW, How.HOLD)


def test_a_gap_makes_no_quarter_hours_and_shortens_those_at_its_ends() -> None:
    first = [Record(TWO_PM_MS + minute * MINUTE_MS, 1, KW) for minute in range(11)]
    second = [Record(TWO_PM_MS + minute * MINUTE_MS, 1, KW) for minute in range(50, 61)]
    _, closed = pipeline.run(START, [*first, *second], [HOLD])
    assert [(each.start_ms - TWO_PM_MS, each.measured_ms // MINUTE_MS) for each in closed] == [
        (0, 10),
        (3 * INTERVAL_MS, 10),
    ]


def test_the_open_quarter_hour_is_seen_before_it_closes() -> None:
    state, closed = pipeline.run(START, [Record(TWO_PM_MS, 1, KW), Record(TWO_PM_MS + MINUTE_MS, 1, KW)], [HOLD])
    assert closed == []
    assert pipeline.open_intervals(state) == (Interval(TWO_PM_MS, 16_667, MINUTE_MS, KW, KW, How.HOLD),)


def test_quarter_hours_wait_for_a_register_that_has_not_spoken() -> None:
    silent = [Record(TWO_PM_MS + minute * MINUTE_MS, 1, KW) for minute in range(1, 31)]
    state, closed = pipeline.run(START, [Record(TWO_PM_MS, 1, KW, 0), *silent], [HOLD])
    assert closed == []
    assert [interval.energy_mwh for interval in pipeline.open_intervals(state)] == [250_000, 250_000]
    assert pipeline.first_open_ms(state) == TWO_PM_MS
    state, closed = pipeline.run(state, [Record(silent[-1].time_ms + 1, 1, KW, 100_000)], [HOLD])
    assert [interval.energy_mwh for interval in closed] == [50_000, 50_000]
    assert pipeline.first_open_ms(state) == TWO_PM_MS + 2 * INTERVAL_MS


def test_a_correction_of_the_newest_record_takes_its_place() -> None:
    state, _ = pipeline.run(START, [Record(TWO_PM_MS, 1, KW)], [HOLD])
    state, _ = pipeline.step(state, Record(TWO_PM_MS, 1, 2 * KW), HOLD)
    state, _ = pipeline.step(state, Record(TWO_PM_MS + MINUTE_MS, 1, 0), HOLD)
    assert pipeline.open_intervals(state)[0].max_mw == 2 * KW


def test_a_quarter_hour_that_a_correction_leaves_empty_is_taken_back() -> None:
    hour_ms = 4 * INTERVAL_MS
    state, _ = pipeline.run(START, [Record(TWO_PM_MS, 1, register_mwh=0)], [HOLD])
    state, closed = pipeline.step(state, Record(TWO_PM_MS + hour_ms, 1, register_mwh=4), HOLD)
    assert [interval.energy_mwh for interval in closed] == [1, 1, 1, 1]
    state, closed = pipeline.step(state, Record(TWO_PM_MS + hour_ms, 1, register_mwh=0), HOLD)
    assert [(each.start_ms, each.how) for each in closed] == [(TWO_PM_MS + step * INTERVAL_MS, 0) for step in range(4)]


def test_an_older_record_is_refused() -> None:
    state, _ = pipeline.run(START, [Record(TWO_PM_MS, 1, KW)], [HOLD])
    with pytest.raises(ValueError, match="came after"):
        pipeline.step(state, Record(TWO_PM_MS - 1, 1, KW), HOLD)


def test_a_meter_without_records_has_nothing_open() -> None:
    assert pipeline.open_intervals(START) == ()
    assert pipeline.first_open_ms(START) is None
    assert reloaded(START) == START


def test_each_calibration_applies_from_its_date_on() -> None:
    calibrations = [Calibration(100), Calibration(200, power_factor_e4=5000), Calibration(200, power_factor_e4=6000)]
    found = [calibration_at(calibrations, time_ms).power_factor_e4 for time_ms in (50, 100, 199, 200, 900)]
    assert found == [10_000, 10_000, 10_000, 6000, 6000]


@pytest.mark.parametrize("saved", [b"", b"\x00", pipeline.dump(START)[1:], bytes([pipeline.VERSION]), b"\xff" * 20])
def test_what_this_version_did_not_dump_is_no_state(saved: bytes) -> None:
    assert pipeline.load(saved) is None
