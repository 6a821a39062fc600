"""The curve in numpy is the scalar engine over again."""

from collections.abc import Sequence
from fractions import Fraction

import msgspec
import numpy as np
from hypothesis import given

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


@given(records=streams(silent_registers=False), calibrations=calibration_lists())
def test_without_silent_registers_the_curve_is_the_scalar_engine_at_every_record(
    records: list[Record], calibrations: list[Calibration]
) -> None:
    """But inside a span that the scalar engine joined of several, where a value was set aside."""
    whole = curve(columns_of(records), calibrations)
    spans = spans_of(records, calibrations)
    for place, time_ms in enumerate(whole.time_ms.tolist()):
        if any(span.start_ms < time_ms < span.end_ms for span in spans):
            continue
        energy_uj, measured_ms = scalar_at(spans, time_ms)
        assert int(whole.energy_uj[place]) == energy_uj
        assert int(whole.measured_ms[place]) == measured_ms


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
    whole = curve(columns_of(records), [Calibration(0)])
    assert whole.energy_uj.dtype == np.float64
    assert whole.energy_uj[-1] == 4 * 10**12 * 3_600_000
