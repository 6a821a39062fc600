"""The curve in numpy is the scalar engine over again."""

from collections.abc import Sequence
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine import energy, stretches
from casawatt.engine.calibrations import calibration_at
from casawatt.engine.curve import Curve, curve
from casawatt.model.columns import ABSENT, Columns
from casawatt.model.meter import Cadence, Calibration
from casawatt.model.reading import CHANNELS, Record
from tests.engine.streams import calibration_lists, streams

HOUR_MS = 3_600_000


def columns_of(records: Sequence[Record]) -> Columns:
    channels = {}
    for name in CHANNELS:
        values = [getattr(record, name) for record in records]
        if any(value is not None for value in values):
            channels[name] = np.array([ABSENT if value is None else value for value in values], np.int64)
    times = np.array([record.time_ms for record in records], np.int64)
    return Columns(times, np.array([record.device_id for record in records], np.int64), channels)


def spans_of(records: Sequence[Record], calibrations: Sequence[Calibration]) -> list[stretches.Span]:
    """The scalar engine's spans; what is still pending at the end stands by power's word."""
    state = energy.START
    spans: list[stretches.Span] = []
    for record in records:
        state, settled = energy.step(state, record, calibration_at(calibrations, record.time_ms))
        spans.extend(settled)
    return [*spans, *stretches.said_by_power(state.open)]


def scalar_at(spans: Sequence[stretches.Span], time_ms: int) -> tuple[Fraction, int]:
    """The exact energy (uJ) and measured time (ms) of spans before an instant."""
    energy_uj, measured_ms = Fraction(0), 0
    for span in spans:
        passed_ms = min(max(time_ms - span.start_ms, 0), span.end_ms - span.start_ms)
        energy_uj += Fraction(span.energy_uj * passed_ms, span.end_ms - span.start_ms)
        measured_ms += passed_ms if span.measured else 0
    return energy_uj, measured_ms


def at(whole: Curve, time_ms: int) -> tuple[int, int]:
    energy_uj, measured_ms = whole.at(np.array([time_ms], np.int64))
    return int(energy_uj[0]), int(measured_ms[0])


@given(records=streams(), calibrations=calibration_lists())
def test_the_curve_ends_where_the_scalar_engine_ends_to_the_microjoule(
    records: list[Record], calibrations: list[Calibration]
) -> None:
    whole = curve(columns_of(records), calibrations)
    spans = spans_of(records, calibrations)
    ends = (int(whole.energy_uj[-1]), int(whole.measured_ms[-1])) if len(whole.time_ms) else (0, 0)
    assert ends[0] == sum(span.energy_uj for span in spans)
    assert ends[1] == sum(span.end_ms - span.start_ms for span in spans if span.measured)


@given(records=st.one_of(streams(), streams(silent_registers=False)), calibrations=calibration_lists())
def test_the_curve_is_the_scalar_engine_at_every_record_at_which_nothing_is_open(
    records: list[Record], calibrations: list[Calibration]
) -> None:
    """Nothing is open unless a register is silent, or a value of it in doubt."""
    whole = curve(columns_of(records), calibrations)
    state, energy_uj, measured_ms = energy.START, 0, 0
    for record in records:
        state, spans = energy.step(state, record, calibration_at(calibrations, record.time_ms))
        energy_uj += sum(span.energy_uj for span in spans)
        measured_ms += sum(span.end_ms - span.start_ms for span in spans if span.measured)
        if state.time_ms == record.time_ms and not state.open:
            assert at(whole, record.time_ms) == (energy_uj, measured_ms)


@given(records=streams(), calibrations=calibration_lists())
def test_the_curve_is_the_scalar_engine_at_every_quarter_hour_within_microjoules(
    records: list[Record], calibrations: list[Calibration]
) -> None:
    whole = curve(columns_of(records), calibrations)
    spans = spans_of(records, calibrations)
    allowed_uj = 2 + len(spans) * (1 + scaled_up(records, calibrations, spans))
    for span in spans:
        energy_uj, measured_ms = at(whole, span.end_ms)
        expected_uj, expected_ms = scalar_at(spans, span.end_ms)
        assert measured_ms == expected_ms
        assert abs(energy_uj - expected_uj) <= allowed_uj


def scaled_up(records: list[Record], calibrations: list[Calibration], spans: list[stretches.Span]) -> int:
    """Return how many times a register may scale up the microjoule to which what power says is rounded."""
    silent = [msgspec.structs.replace(record, register_mwh=None, charge_mas=None) for record in records]
    said_uj = np.diff(curve(columns_of(silent), calibrations).energy_uj)
    smallest_uj = min([int(each) for each in said_uj if each > 0], default=1)
    return max([abs(span.energy_uj) for span in spans], default=0) // smallest_uj


def test_a_curve_is_cut_anywhere_in_proportion_to_time() -> None:
    calibration = Calibration(0, gap_limit_ms=HOUR_MS)
    records = [Record(0, 1, 1_000_000), Record(HOUR_MS, 1, 3_000_000), Record(2 * HOUR_MS, 1, 0)]
    whole = curve(columns_of(records), [calibration])
    assert at(whole, HOUR_MS // 4) == (250_000 * HOUR_MS, HOUR_MS // 4)
    assert at(whole, HOUR_MS + HOUR_MS // 2) == (2_500_000 * HOUR_MS, HOUR_MS + HOUR_MS // 2)
    assert at(whole, -5) == (0, 0)
    assert at(whole, 9 * HOUR_MS) == (4_000_000 * HOUR_MS, 2 * HOUR_MS)


def test_a_line_between_polled_readings_is_shared_in_proportion_to_time_as_the_quarters_are() -> None:
    calibration = Calibration(0, cadence=Cadence.POLLED, gap_limit_ms=HOUR_MS)
    whole = curve(columns_of([Record(0, 1, 0), Record(HOUR_MS, 1, 2_000_000)]), [calibration])
    assert at(whole, HOUR_MS // 4) == (250_000 * HOUR_MS, HOUR_MS // 4)


def test_no_record_and_one_record_have_a_flat_curve() -> None:
    calibration = Calibration(0)
    assert at(curve(columns_of([]), [calibration]), 5) == (0, 0)
    assert at(curve(columns_of([Record(5, 1, 1000)]), [calibration]), 9) == (0, 0)


def test_a_register_across_a_year_of_silence_is_cut_exactly() -> None:
    year_ms = 365 * 24 * HOUR_MS
    records = [Record(0, 1, register_mwh=0), Record(year_ms, 1, register_mwh=7_000_000_001)]
    whole = curve(columns_of(records), [Calibration(0)])
    instant_ms = year_ms // 3 + 1
    assert at(whole, instant_ms) == (7_000_000_001 * HOUR_MS * instant_ms // year_ms, 0)


def test_more_energy_than_64_bits_hold_becomes_a_float() -> None:
    records = [Record(step * HOUR_MS, 1, register_mwh=step % 2 * 10**12) for step in range(9)]
    whole = curve(columns_of(records), [Calibration(0, limit_mw=None)])
    assert whole.energy_uj.dtype == np.float64
    assert whole.energy_uj[-1] == 4 * 10**12 * 3_600_000


@pytest.mark.parametrize("step_mwh", [1, 10_000, 1_000_000], ids=["1 mWh", "10 Wh", "1 kWh"])
@pytest.mark.parametrize("limit_mw", [50_000_000, 5_000_000])
def test_hours_at_one_reading_a_second_with_an_outlier_now_and_then_are_the_same_both_ways(
    step_mwh: int, limit_mw: int
) -> None:
    said_mw = [(2_000_000, 4_500_000, 40_000)[second // 700 % 3] for second in range(20_000)]
    used_uws = np.cumsum(said_mw)
    shown = (10**9 + used_uws // 3600 // step_mwh * step_mwh).tolist()
    for second, outlier in ((600, 0), (3_000, 2**40), (3_001, 2**40), (7_000, 0), (7_001, 0)):
        shown[second] = outlier
    shown[11_000:] = [value - 400_000 for value in shown[11_000:]]
    shown[15_000:] = [value - shown[15_000] + 500 for value in shown[15_000:]]
    records = [Record(second * 1000, 1, said_mw[second], shown[second]) for second in range(20_000)]
    calibrations = [Calibration(0, limit_mw=limit_mw)]
    spans = spans_of(records, calibrations)
    whole = curve(columns_of(records), calibrations)
    assert int(whole.energy_uj[-1]) == sum(span.energy_uj for span in spans)
    true_uj = int(used_uws[-1]) * 1000
    assert abs(int(whole.energy_uj[-1]) - true_uj) < 3 * step_mwh * 3_600_000 + true_uj // 500
