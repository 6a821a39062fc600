"""From records to spans of energy: power, gaps, and registers that have the last word."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from casawatt.engine import energy, stretches
from casawatt.engine.calibrations import calibration_at
from casawatt.engine.stretches import OPEN_STRETCHES_MAX, PATIENCE_MS, Span
from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.meter import Cadence, Calibration
from casawatt.model.reading import Record
from tests.engine.streams import calibration_lists, streams

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
KW = 1_000_000
KWH_UJ = 3_600_000 * 1_000_000
WH_UJ = KWH_UJ // 1000
HOLD = Calibration(0, gap_limit_ms=MINUTE_MS)


def spans_of(*records: Record, calibration: Calibration = HOLD) -> list[Span]:
    state = energy.START
    spans: list[Span] = []
    for record in records:
        state, settled = energy.step(state, record, calibration)
        spans.extend(settled)
    return spans


def total_uj(spans: Sequence[Span]) -> int:
    return sum(span.energy_uj for span in spans)


def measured_ms(spans: Sequence[Span]) -> int:
    return sum(span.end_ms - span.start_ms for span in spans if span.measured)


def at_minutes(cadence: Cadence) -> int:
    """The textbook curve: kW 0, 10, 30, 5, 0 at minute 0, 20, 30, 40, 50."""
    calibration = Calibration(0, cadence=cadence, gap_limit_ms=HOUR_MS)
    curve = [(0, 0), (20, 10), (30, 30), (40, 5), (50, 0)]
    return total_uj(
        spans_of(*[Record(minute * MINUTE_MS, 1, kw * KW) for minute, kw in curve], calibration=calibration)
    )


def test_power_is_held_from_each_reading_to_the_next_when_the_device_speaks_on_change() -> None:
    assert at_minutes(Cadence.CHANGE) == 75 * KWH_UJ // 10


def test_power_moves_in_a_straight_line_when_the_device_is_polled() -> None:
    assert at_minutes(Cadence.POLLED) == 25 * KWH_UJ // 3


def test_a_gap_is_reported_as_uncovered_not_bridged() -> None:
    first = [Record(minute * MINUTE_MS, 1, KW) for minute in range(61)]
    second = [Record((120 + minute) * MINUTE_MS, 1, 2 * KW) for minute in range(61)]
    spans = spans_of(*first, *second)
    assert total_uj(spans) == 3 * KWH_UJ
    assert measured_ms(spans) == 2 * HOUR_MS


def test_extremes_are_the_power_held_and_both_ends_of_a_line() -> None:
    records = (Record(0, 1, 5), Record(1000, 1, 9))
    assert spans_of(*records) == [Span(0, 1000, 5000, True, 5, 5, energy.HOLD)]
    polled = Calibration(0, cadence=Cadence.POLLED)
    assert spans_of(*records, calibration=polled) == [Span(0, 1000, 7000, True, 5, 9, energy.TRAPEZOID)]


def test_current_is_worth_one_ampere_times_230_volts_times_the_calibrated_power_factor() -> None:
    calibration = Calibration(0, power_factor_e4=5000)
    spans = spans_of(Record(0, 1, current_ma=1000), Record(MINUTE_MS, 1, current_ma=0), calibration=calibration)
    assert total_uj(spans) == 115_000 * MINUTE_MS


def test_a_later_power_factor_does_not_change_the_past() -> None:
    calibrations = [Calibration(0), Calibration(20_000, power_factor_e4=1000)]
    state, found = energy.START, []
    for time_ms in (0, 10_000, 20_000, 30_000):
        state, spans = energy.step(state, Record(time_ms, 1, current_ma=1000), calibration_at(calibrations, time_ms))
        found += [span.min_mw for span in spans]
    assert found == [230_000, 230_000, 23_000]


def test_export_is_negative_energy() -> None:
    assert total_uj(spans_of(Record(0, 1, -500), Record(1000, 1, 0))) == -500_000


def test_power_that_is_not_said_is_what_was_said_last_until_the_gap_limit() -> None:
    silent = [Record(second * 1000, 1, voltage_mv=230_000) for second in (20, 40, 60, 80, 100)]
    spans = spans_of(Record(0, 1, KW), *silent)
    assert measured_ms(spans) == 80_000
    assert total_uj(spans) == KW * 80_000


def test_a_register_is_preferred_to_power() -> None:
    spans = spans_of(Record(0, 1, KW, 1000), Record(10_000, 1, KW, 1002))
    assert spans == [Span(0, 10_000, 2 * MICROJOULES_PER_MWH, True, KW, KW, stretches.REGISTER)]


def test_a_register_across_a_gap_is_spread_and_not_measured() -> None:
    spans = spans_of(Record(0, 1, KW, 1000), Record(HOUR_MS, 1, KW, 3000))
    assert spans == [Span(0, HOUR_MS, 2 * WH_UJ, False, None, None, stretches.SPREAD)]


def test_a_register_alone_gives_its_mean_as_power() -> None:
    spans = spans_of(Record(0, 1, register_mwh=0), Record(36_000, 1, register_mwh=1000))
    assert spans == [Span(0, 36_000, WH_UJ, True, 100_000, 100_000, stretches.REGISTER)]


def test_a_register_that_speaks_seldom_scales_what_power_said_and_counts_nothing_twice() -> None:
    spans = spans_of(
        Record(0, 1, 100_000, 0),
        Record(10_000, 1, 300_000),
        Record(20_000, 1, 100_000, register_mwh=2_000),
    )
    assert [(span.end_ms, span.energy_uj) for span in spans] == [(10_000, WH_UJ // 2), (20_000, 3 * WH_UJ // 2)]


def test_before_the_register_speaks_nothing_is_settled() -> None:
    state, _ = energy.step(energy.START, Record(0, 1, KW, 0), HOLD)
    state, spans = energy.step(state, Record(10_000, 1, KW), HOLD)
    assert spans == ()
    assert stretches.said_by_power(state.open) == (Span(0, 10_000, KW * 10_000, True, KW, KW, energy.HOLD),)


def test_each_quarter_hour_gets_its_share_by_power_of_what_a_register_counted() -> None:
    quarter_ms = 15 * MINUTE_MS
    calibration = Calibration(0, gap_limit_ms=quarter_ms)
    spans = spans_of(
        Record(0, 1, KW, 0),
        Record(quarter_ms, 1, 3 * KW),
        Record(2 * quarter_ms, 1, 0, register_mwh=800_000),
        calibration=calibration,
    )
    assert [span.energy_uj for span in spans] == [200 * WH_UJ, 600 * WH_UJ]


def test_power_keeps_its_word_and_the_gap_gets_the_rest_of_what_a_register_counted() -> None:
    spans = spans_of(
        Record(0, 1, 360_000, 0),
        Record(10_000, 1, 360_000),
        Record(HOUR_MS, 1, 360_000),
        Record(HOUR_MS + 10_000, 1, 360_000, register_mwh=102_000),
    )
    assert [(span.energy_uj, span.measured) for span in spans] == [
        (WH_UJ, True),
        (100 * WH_UJ, False),
        (WH_UJ, True),
    ]


def test_power_that_said_too_much_is_scaled_down_and_the_gap_gets_nothing() -> None:
    spans = spans_of(
        Record(0, 1, 360_000, 0),
        Record(10_000, 1, 360_000),
        Record(HOUR_MS, 1, 360_000),
        Record(HOUR_MS + 10_000, 1, 360_000, register_mwh=1_000),
    )
    assert [span.energy_uj for span in spans] == [WH_UJ // 2, 0, WH_UJ // 2]


def test_export_gets_nothing_of_what_a_register_counted() -> None:
    spans = spans_of(
        Record(0, 1, -KW, 0), Record(10_000, 1, KW), Record(70_000, 1, voltage_mv=1), Record(80_000, 1, 0, 500)
    )
    assert total_uj(spans) == WH_UJ // 2
    assert min(span.energy_uj for span in spans) >= 0


def test_another_device_is_a_new_baseline_and_power_fills_what_lies_between() -> None:
    spans = spans_of(Record(0, 1, KW, 5_000_000), Record(10_000, 2, KW, 9_000_000), Record(20_000, 2, KW, 9_002_000))
    assert [(span.energy_uj, span.how) for span in spans] == [
        (KW * 10_000, energy.HOLD),
        (2 * WH_UJ, stretches.REGISTER),
    ]


def test_another_device_after_a_gap_leaves_the_gap_open() -> None:
    assert spans_of(Record(0, 1, KW, 5_000_000), Record(HOUR_MS, 2, KW, 9_000_000)) == []


def test_when_the_device_is_replaced_what_was_pending_stands_by_power() -> None:
    spans = spans_of(Record(0, 1, KW, 0), Record(10_000, 1, KW), Record(20_000, 2, KW))
    assert total_uj(spans) == KW * 20_000
    assert {span.how for span in spans} == {energy.HOLD}


def test_a_restarted_charge_register_counts_all_that_it_shows() -> None:
    spans = spans_of(Record(0, 1, charge_mas=900_000, boot_id=1), Record(30_000, 1, charge_mas=10_000, boot_id=2))
    assert total_uj(spans) == 10_000 * 230_000


def test_a_register_silent_for_too_long_is_given_up_and_begins_anew() -> None:
    silent = [Record(time_ms, 1, KW) for time_ms in range(MINUTE_MS, PATIENCE_MS + 2 * MINUTE_MS, MINUTE_MS)]
    late = Record(PATIENCE_MS + 2 * MINUTE_MS, 1, KW, 10**9)
    spans = spans_of(Record(0, 1, KW, 0), *silent, late)
    assert total_uj(spans) == KW * (PATIENCE_MS + 2 * MINUTE_MS)


def test_a_register_silent_for_less_has_the_last_word() -> None:
    silent = [Record(time_ms, 1, KW) for time_ms in range(MINUTE_MS, PATIENCE_MS + MINUTE_MS, MINUTE_MS)]
    spans = spans_of(Record(0, 1, KW, 0), *silent, Record(PATIENCE_MS + MINUTE_MS, 1, KW, 10**6))
    assert total_uj(spans) == KWH_UJ


def test_a_register_silent_behind_many_gaps_is_given_up() -> None:
    times_ms = [step * HOUR_MS + extra_ms for step in range(OPEN_STRETCHES_MAX + 2) for extra_ms in (0, 10_000)]
    spans = spans_of(Record(-10_000, 1, KW, 0), *[Record(time_ms, 1, KW) for time_ms in times_ms])
    assert {span.how for span in spans} == {energy.HOLD}
    assert measured_ms(spans) == 10_000 * (OPEN_STRETCHES_MAX + 3)


@given(records=streams(), calibrations=calibration_lists())
def test_spans_are_in_order_and_never_overlap(records: list[Record], calibrations: list[Calibration]) -> None:
    state = energy.START
    spans: list[Span] = []
    for record in records:
        state, settled = energy.step(state, record, calibration_at(calibrations, record.time_ms))
        spans.extend(settled)
    for before, after in pairwise(spans):
        assert before.start_ms < before.end_ms <= after.start_ms < after.end_ms


@example(steps=[(1, None, False, 16_958), (1, None, False, 16_959)])
@given(
    steps=st.lists(
        st.tuples(
            st.one_of(st.integers(1, 60_000), st.sampled_from([60_001, 7_200_000])),
            st.none() | st.integers(-KW, 3 * KW),
            st.booleans(),
            st.integers(0, 20_000),
        ),
        min_size=2,
        max_size=OPEN_STRETCHES_MAX,
    )
)
def test_the_sum_is_exactly_what_the_register_counted_however_seldom_it_spoke(
    steps: list[tuple[int, int | None, bool, int]],
) -> None:
    """Not a microjoule more or less, and nothing negative, whatever power said in between."""
    time_ms, shown_mwh = 0, 0
    records = [Record(0, 1, KW, 0)]
    for step_ms, power_mw, speaks, growth_mwh in steps:
        time_ms, shown_mwh = time_ms + step_ms, shown_mwh + growth_mwh
        records.append(Record(time_ms, 1, power_mw, shown_mwh if speaks else None))
    records.append(Record(time_ms + 1000, 1, 0, shown_mwh))
    # Without a limit: what is too much for the time is another rule's, and is set aside.
    spans = spans_of(*records, calibration=Calibration(0, gap_limit_ms=MINUTE_MS, limit_mw=None))
    assert total_uj(spans) == shown_mwh * MICROJOULES_PER_MWH
    assert min(span.energy_uj for span in spans) >= 0
    assert spans[0].start_ms == 0
    assert spans[-1].end_ms == time_ms + 1000
