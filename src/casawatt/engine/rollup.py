"""From spans of energy to clock quarter-hours in UTC."""

from itertools import pairwise

import msgspec

from casawatt.engine.stretches import Span, rounded_mwh
from casawatt.model.interval import INTERVAL_MS, POWER_MW_MAX, Interval


class Quarter(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The quarter-hour that is being filled, exact to the microjoule; `start_ms` is -1 before the first span."""

    start_ms: int
    energy_uj: int
    measured_ms: int
    min_mw: int | None
    max_mw: int | None
    how: int


START = Quarter(-1, 0, 0, None, None, 0)


def step(quarter: Quarter, spans: tuple[Span, ...], settled_ms: int) -> tuple[Quarter, tuple[Interval, ...]]:
    """Return the open quarter-hour after spans in order of time, and those that are closed by it.

    A span across the end of a quarter-hour is split there, its energy shared in proportion to time, to the microjoule.
    `settled_ms`: everything before it has been said, so a quarter-hour that ends by then is closed.
    A quarter-hour in which nothing was measured and nothing used is not reported.
    """
    start_ms, energy_uj, measured_ms = quarter.start_ms, quarter.energy_uj, quarter.measured_ms
    min_mw, max_mw, how = quarter.min_mw, quarter.max_mw, quarter.how
    closed: list[Interval] = []
    for span in spans:
        parts = (span,) if span.end_ms - start_ms <= INTERVAL_MS and span.start_ms >= start_ms else split(span)
        for part in parts:
            part_start_ms = part.start_ms
            if not start_ms <= part_start_ms < start_ms + INTERVAL_MS or start_ms < 0:
                if measured_ms or energy_uj:
                    closed.append(_closed(start_ms, energy_uj, measured_ms, min_mw, max_mw, how))
                start_ms = part_start_ms - part_start_ms % INTERVAL_MS
                energy_uj, measured_ms, min_mw, max_mw, how = 0, 0, None, None, 0
            energy_uj += part.energy_uj
            if part.measured:
                measured_ms += part.end_ms - part_start_ms
            if part.min_mw is not None and (min_mw is None or part.min_mw < min_mw):
                min_mw = part.min_mw
            if part.max_mw is not None and (max_mw is None or part.max_mw > max_mw):
                max_mw = part.max_mw
            how |= part.how
    if settled_ms >= start_ms + INTERVAL_MS and start_ms >= 0:
        if measured_ms or energy_uj:
            closed.append(_closed(start_ms, energy_uj, measured_ms, min_mw, max_mw, how))
        return START, tuple(closed)
    return Quarter(start_ms, energy_uj, measured_ms, min_mw, max_mw, how), tuple(closed)


def _closed(
    start_ms: int, energy_uj: int, measured_ms: int, min_mw: int | None, max_mw: int | None, how: int
) -> Interval:
    """Return a quarter-hour as an interval."""
    return Interval(start_ms, rounded_mwh(energy_uj), measured_ms, _within(min_mw), _within(max_mw), how)


def _within(power_mw: int | None) -> int | None:
    """Return a power, or the most that an interval holds."""
    return None if power_mw is None else max(-POWER_MW_MAX, min(power_mw, POWER_MW_MAX))


def split(span: Span) -> list[Span]:
    """Return a span cut at the quarter-hours, energy in proportion to time; the parts' sum is the whole."""
    start_ms, end_ms, energy_uj = span.start_ms, span.end_ms, span.energy_uj
    length_ms = end_ms - start_ms
    first_edge_ms = (start_ms // INTERVAL_MS + 1) * INTERVAL_MS
    parts = []
    done_uj = 0
    for part_start_ms, part_end_ms in pairwise((start_ms, *range(first_edge_ms, end_ms, INTERVAL_MS), end_ms)):
        until_uj = energy_uj * (part_end_ms - start_ms) // length_ms
        part_uj = until_uj - done_uj
        parts.append(Span(part_start_ms, part_end_ms, part_uj, span.measured, span.min_mw, span.max_mw, span.how))
        done_uj = until_uj
    return parts
