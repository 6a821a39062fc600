"""What becomes of readings with bad clocks, bad values and repeats."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.clean import AHEAD_MAX_MS, START, Cleaned, CleanState, Verdict, step
from casawatt.model.meter import Cadence, Traits
from casawatt.model.reading import Reading, Record

NOW_MS = 1_700_000_000_000
TRAITS = Traits(Cadence.CHANGE, gap_limit_ms=60_000)
STRICT = Traits(Cadence.CHANGE, gap_limit_ms=60_000, time_grid_ms=1000, clock_tolerance_ms=10_000)


def reading(time_ms: int | None = NOW_MS, /, **values: float | None) -> Reading:
    said = {"source": "s", "address": "a", "received_ms": NOW_MS, "time_ms": time_ms, **values}
    return msgspec.convert(said, Reading)


def cleaned(one: Reading, traits: Traits = TRAITS, state: CleanState = START) -> Cleaned:
    return step(state, one, 7, traits)[1]


def test_values_become_whole_numbers_of_their_unit() -> None:
    whole = reading(
        power_w=1.2345,
        register_wh=10.5,
        voltage_v=229.9,
        current_a=0.0149,
        power_factor_ratio=0.98765,
        charge_as=3.25,
        boot_id=9,
    )
    assert cleaned(whole).record == Record(NOW_MS, 7, 1234, 10_500, 229_900, 15, 9876, 3250, 9)


@pytest.mark.parametrize("stamp_ms", [0, 5, 946_684_799_999, NOW_MS + AHEAD_MAX_MS + 1])
def test_a_clock_of_1970_or_of_next_year_is_not_believed(stamp_ms: int) -> None:
    result = cleaned(reading(stamp_ms, power_w=1))
    assert result.record is not None
    assert result.record.time_ms == NOW_MS
    assert result.clock_corrected


def test_old_readings_are_believed_where_the_source_may_be_behind() -> None:
    result = cleaned(reading(NOW_MS - 10**9, power_w=1))
    assert result.record is not None
    assert result.record.time_ms == NOW_MS - 10**9
    assert not result.clock_corrected


@pytest.mark.parametrize(("off_ms", "corrected"), [(-10_000, False), (-11_000, True), (10_000, False), (11_000, True)])
def test_a_stamp_off_by_more_than_the_tolerance_is_not_believed(off_ms: int, corrected: bool) -> None:
    result = cleaned(reading(NOW_MS + off_ms, power_w=1), STRICT)
    assert result.record is not None
    assert result.clock_corrected is corrected
    assert result.record.time_ms == (NOW_MS if corrected else NOW_MS + off_ms)


def test_a_device_without_a_clock_gets_the_time_of_arrival_and_nothing_is_corrected() -> None:
    result = cleaned(reading(None, power_w=1))
    assert result.record is not None
    assert result.record.time_ms == NOW_MS
    assert not result.clock_corrected


def test_times_snap_to_the_grid_of_the_source() -> None:
    times = [cleaned(reading(NOW_MS + off_ms, power_w=1), STRICT).record for off_ms in (-500, -501, 499, 500)]
    assert [record and record.time_ms - NOW_MS for record in times] == [0, -1000, 0, 1000]


@pytest.mark.parametrize(
    "channel", ["power_w", "register_wh", "voltage_v", "current_a", "power_factor_ratio", "charge_as"]
)
@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (math.nan, Verdict.NOT_FINITE),
        (math.inf, Verdict.NOT_FINITE),
        (-math.inf, Verdict.NOT_FINITE),
        (1e300, Verdict.OUT_OF_RANGE),
        (-1e300, Verdict.OUT_OF_RANGE),
    ],
)
def test_a_value_that_cannot_be_refuses_the_reading(channel: str, value: float, verdict: Verdict) -> None:
    assert cleaned(reading(**{channel: value})) == Cleaned(None, verdict, clock_corrected=False)


@pytest.mark.parametrize("channel", ["register_wh", "voltage_v", "charge_as", "boot_id"])
def test_what_only_counts_up_is_never_below_zero(channel: str) -> None:
    assert cleaned(reading(power_w=1, **{channel: -1})).verdict is Verdict.OUT_OF_RANGE


def test_a_reading_without_any_value_is_empty() -> None:
    assert cleaned(reading()).verdict is Verdict.EMPTY
    assert cleaned(reading(boot_id=3)).verdict is Verdict.EMPTY
    assert cleaned(reading(voltage_v=230)).verdict is Verdict.FRESH


def test_the_same_again_is_a_duplicate() -> None:
    state, first = step(START, reading(power_w=1), 7, TRAITS)
    after, second = step(state, reading(power_w=1), 7, TRAITS)
    assert (first.verdict, second.verdict) == (Verdict.FRESH, Verdict.DUPLICATE)
    assert second.record is None
    assert after == state


def test_a_part_of_what_was_said_already_is_a_duplicate() -> None:
    state, _ = step(START, reading(power_w=1, voltage_v=230), 7, TRAITS)
    assert step(state, reading(voltage_v=230), 7, TRAITS)[1].verdict is Verdict.DUPLICATE


def test_the_same_time_with_other_values_replaces_what_is_said_and_keeps_the_rest() -> None:
    state, _ = step(START, reading(power_w=1, voltage_v=230), 7, TRAITS)
    after, result = step(state, reading(power_w=2), 7, TRAITS)
    assert result.verdict is Verdict.FRESH
    assert result.record == after.newest == Record(NOW_MS, 7, power_mw=2000, voltage_mv=230_000)


def test_an_older_reading_is_late_and_leaves_the_newest_as_it_is() -> None:
    state, _ = step(START, reading(power_w=1), 7, TRAITS)
    after, result = step(state, reading(NOW_MS - 1, power_w=2), 7, TRAITS)
    assert result.verdict is Verdict.LATE
    assert result.record == Record(NOW_MS - 1, 7, power_mw=2000)
    assert after is state


_any_value = st.none() | st.floats() | st.floats(-500, 500)


@given(
    power_w=_any_value,
    register_wh=_any_value,
    voltage_v=_any_value,
    current_a=_any_value,
    power_factor_ratio=_any_value,
    charge_as=_any_value,
    time_ms=st.none() | st.integers(-(2**70), 2**70),
)
def test_whatever_a_device_says_is_recorded_near_its_arrival_or_refused(
    time_ms: int | None, **values: float | None
) -> None:
    result = cleaned(reading(time_ms, **values), STRICT)
    assert (result.record is not None) == (result.verdict is Verdict.FRESH)
    if result.record is not None:
        assert abs(result.record.time_ms - NOW_MS) <= 10_500


@pytest.mark.parametrize("received_ms", [NOW_MS + 600, NOW_MS + 999])
def test_a_time_of_arrival_is_never_recorded_in_the_future(received_ms: int) -> None:
    for stamp_ms in (None, 5):
        result = cleaned(reading(stamp_ms, power_w=1, received_ms=received_ms), STRICT)
        assert result.record is not None
        assert result.record.time_ms == NOW_MS
