"""Spans become quarter-hours, split at the edges."""

from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine import rollup, stretches
from casawatt.engine.energy import HOLD
from casawatt.engine.stretches import REGISTER, SPREAD, Span
from casawatt.model.interval import INTERVAL_MS, MICROJOULES_PER_MWH, Interval

HOUR_MS = 4 * INTERVAL_MS
KW = 1_000_000


def held(start_ms: int, end_ms: int, power_mw: int) -> Span:
    return Span(start_ms, end_ms, power_mw * (end_ms - start_ms), True, power_mw, power_mw, HOLD)


def intervals_of(*spans: Span) -> list[Interval]:
    return list(rollup.step(rollup.START, spans, 2**60)[1])


def test_a_span_over_several_quarter_hours_is_shared_in_proportion() -> None:
    intervals = intervals_of(held(INTERVAL_MS // 2, 3 * INTERVAL_MS, KW))
    assert [(each.start_ms, each.energy_mwh, each.measured_ms) for each in intervals] == [
        (0, 125_000, INTERVAL_MS // 2),
        (INTERVAL_MS, 250_000, INTERVAL_MS),
        (2 * INTERVAL_MS, 250_000, INTERVAL_MS),
    ]


def test_a_quarter_hour_is_closed_when_all_before_its_end_is_said() -> None:
    quarter, closed = rollup.step(rollup.START, (held(0, INTERVAL_MS - 1, KW),), INTERVAL_MS - 1)
    assert closed == ()
    quarter, closed = rollup.step(quarter, (held(INTERVAL_MS - 1, INTERVAL_MS, KW),), INTERVAL_MS)
    assert closed == (Interval(0, 250_000, INTERVAL_MS, KW, KW, HOLD),)
    assert quarter == rollup.START


def test_extremes_and_ways_of_several_spans_are_put_together() -> None:
    register = Span(1000, 2000, 5 * MICROJOULES_PER_MWH, True, 7, 9, REGISTER)
    assert intervals_of(held(0, 1000, 8), register)[0] == Interval(0, 5, 2000, 7, 9, HOLD | REGISTER)


def test_a_register_spread_over_a_gap_is_energy_without_measured_time() -> None:
    intervals = intervals_of(Span(0, HOUR_MS, 4 * MICROJOULES_PER_MWH, False, None, None, SPREAD))
    assert intervals == [Interval(start, 1, 0, None, None, SPREAD) for start in range(0, HOUR_MS, INTERVAL_MS)]


def test_a_quarter_hour_in_which_nothing_was_measured_or_used_is_not_reported() -> None:
    assert intervals_of(Span(0, HOUR_MS, 0, False, None, None, SPREAD)) == []
    assert intervals_of(held(0, 1000, 0)) == [Interval(0, 0, 1000, 0, 0, HOLD)]


def test_energy_is_rounded_once_half_away_from_zero() -> None:
    half = MICROJOULES_PER_MWH // 2
    assert [stretches.rounded_mwh(energy_uj) for energy_uj in (half, half - 1, -half, 1 - half)] == [1, 0, -1, 0]
    many = [Span(start, start + 1, half // 1000, True, 0, 0, HOLD) for start in range(1000)]
    assert intervals_of(*many)[0].energy_mwh == 1


@given(start_ms=st.integers(0, 10**9), length_ms=st.integers(1, 10**8), energy_uj=st.integers(-(10**15), 10**15))
def test_the_parts_of_a_span_make_up_the_whole(start_ms: int, length_ms: int, energy_uj: int) -> None:
    parts = rollup.split(Span(start_ms, start_ms + length_ms, energy_uj, True, 1, 2, HOLD))
    assert sum(part.energy_uj for part in parts) == energy_uj
    assert sum(part.end_ms - part.start_ms for part in parts) == length_ms
    assert len({part.start_ms // INTERVAL_MS for part in parts}) == len(parts)
    assert all((part.end_ms - 1) // INTERVAL_MS == part.start_ms // INTERVAL_MS for part in parts)
