"""Spans of time as sets: `start_ms <= t < end_ms`, joined where they touch."""

from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same time in ascending spans that neither touch nor overlap; empty ones are left out."""
    joined: list[Span] = []
    for start_ms, end_ms in sorted(span for span in spans if span[0] < span[1]):
        if joined and start_ms <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_ms)
        else:
            joined.append((start_ms, end_ms))
    return tuple(joined)


def without(spans: tuple[Span, ...], taken: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return what is left of spans where `taken` is not; both are as `union` returns them."""
    left: list[Span] = []
    for start_ms, end_ms in spans:
        begin_ms = start_ms
        for from_ms, to_ms in taken:
            if to_ms <= begin_ms or from_ms >= end_ms:
                continue
            if from_ms > begin_ms:
                left.append((begin_ms, from_ms))
            begin_ms = to_ms
        if begin_ms < end_ms:
            left.append((begin_ms, end_ms))
    return tuple(left)


def covers(spans: tuple[Span, ...], time_ms: int) -> bool:
    """Say whether an instant lies in spans as `union` returns them."""
    place = bisect_right(spans, time_ms, key=lambda span: span[0]) - 1
    return place >= 0 and time_ms < spans[place][1]
