"""Energy figures of quarter-hours and days as arrays, and how they are packed into rows."""

import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from casawatt.model.columns import ABSENT, Int64Array
from casawatt.model.interval import INTERVAL_MS, POWER_MW_MAX, Bucket, Interval
from casawatt.model.quarters import Quarters

Figures: TypeAlias = NDArray[np.void]
"""Array of FIGURE: spans of one meter's time that do not overlap, in ascending time."""

FIGURE = np.dtype(
    [(name, np.int64) for name in ("start_ms", "end_ms", "energy_mwh", "measured_ms", "min_mw", "max_mw", "how")]
)
NO_MIN = 2**63 - 1
NO_MAX = -(2**63)
"""Stand for None in `min_mw` and `max_mw`, so that the lowest and highest come out right."""

QUARTER_ROW = np.dtype(
    [
        ("quarter", "<u4"),
        ("how", "u1"),
        ("measured_ms", "<u4"),
        ("energy_mwh", "<i8"),
        ("min_mw", "<i4"),
        ("max_mw", "<i4"),
    ]
)
DAY_ROW = np.dtype(
    [
        ("start_ms", "<i8"),
        ("length_ms", "<u4"),
        ("how", "u1"),
        ("measured_ms", "<u4"),
        ("energy_mwh", "<i8"),
        ("min_mw", "<i4"),
        ("max_mw", "<i4"),
    ]
)
_NONE = -(2**31)

NO_FIGURES: Figures = np.empty(0, FIGURE)


def from_intervals(intervals: Iterable[Interval]) -> Figures:
    """Return quarter-hours as figures, in the order given."""
    rows = [
        (
            interval.start_ms,
            interval.start_ms + INTERVAL_MS,
            interval.energy_mwh,
            interval.measured_ms,
            NO_MIN if interval.min_mw is None else interval.min_mw,
            NO_MAX if interval.max_mw is None else interval.max_mw,
            interval.how,
        )
        for interval in intervals
    ]
    return np.array(rows, FIGURE) if rows else NO_FIGURES


def to_intervals(figures: Figures) -> list[Interval]:
    """Return figures as quarter-hours."""
    return [
        Interval(start_ms, energy, measured, None if low == NO_MIN else low, None if high == NO_MAX else high, how)
        for start_ms, _, energy, measured, low, high, how in figures.tolist()
    ]


def to_quarters(figures: Figures) -> Quarters:
    """Return figures of quarter-hours as columns of their own."""
    high = figures["max_mw"]
    columns = figures["start_ms"], figures["energy_mwh"], figures["measured_ms"], np.where(high == NO_MAX, ABSENT, high)
    return Quarters(*(np.ascontiguousarray(column) for column in columns))


def pack_quarters(figures: Figures) -> bytes:
    """Return quarter-hours as the bytes of a row."""
    row = np.empty(len(figures), QUARTER_ROW)
    row["quarter"] = figures["start_ms"] // INTERVAL_MS
    return zlib.compress(_pack_common(row, figures), 9)


def unpack_quarters(rows: Iterable[bytes]) -> Figures:
    """Return the quarter-hours of rows, one behind the other. Raises ValueError when the bytes are no rows."""
    try:
        row = np.frombuffer(b"".join([zlib.decompress(data) for data in rows]), QUARTER_ROW)
    except zlib.error as error:
        message = f"a row of quarter-hours is damaged: {error}"
        raise ValueError(message) from error
    figures = _unpack_common(row)
    figures["start_ms"] = row["quarter"]
    figures["start_ms"] *= INTERVAL_MS
    figures["end_ms"] = figures["start_ms"] + INTERVAL_MS
    return figures


def pack_days(figures: Figures) -> bytes:
    """Return days, or months, as the bytes of a row."""
    row = np.empty(len(figures), DAY_ROW)
    row["start_ms"] = figures["start_ms"]
    row["length_ms"] = figures["end_ms"] - figures["start_ms"]
    return _pack_common(row, figures)


def unpack_days(data: bytes) -> Figures:
    """Return the days or months of one row or of several joined. Raises ValueError when the bytes are no rows."""
    row = np.frombuffer(data, DAY_ROW)
    figures = _unpack_common(row)
    figures["start_ms"] = row["start_ms"]
    figures["end_ms"] = row["start_ms"] + row["length_ms"]
    return figures


def _pack_common(row: Figures, figures: Figures) -> bytes:
    for name in ("how", "measured_ms", "energy_mwh"):
        row[name] = figures[name]
    for name, nothing in (("min_mw", NO_MIN), ("max_mw", NO_MAX)):
        # Beyond 2 MW the extremes are cut off rather than refused; energy never is.
        row[name] = np.where(figures[name] == nothing, _NONE, np.clip(figures[name], -POWER_MW_MAX, POWER_MW_MAX))
    return row.tobytes()


def _unpack_common(row: Figures) -> Figures:
    figures = np.empty(len(row), FIGURE)
    for name in ("how", "measured_ms", "energy_mwh", "min_mw", "max_mw"):
        figures[name] = row[name]
    for name, nothing in (("min_mw", NO_MIN), ("max_mw", NO_MAX)):
        column = figures[name]
        column[column == _NONE] = nothing
    return figures


def joined(pieces: Sequence[Figures]) -> Figures:
    """Return figures one behind the other."""
    pieces = [piece for piece in pieces if len(piece)]
    if len(pieces) == 1:
        return pieces[0]
    # As plain numbers, since joining arrays of fields compares their types anew each time.
    plain = [np.ascontiguousarray(piece).view(np.int64) for piece in pieces]
    return np.concatenate(plain).view(FIGURE) if plain else NO_FIGURES


def total(figures: Figures, group_of: Int64Array) -> Figures:
    """Return the sum of each group of figures; `group_of` ascends. A sum spans from its first to its last figure."""
    first = np.flatnonzero(np.concatenate(([True], group_of[1:] != group_of[:-1])))
    sums = np.empty(len(first), FIGURE)
    sums["start_ms"] = figures["start_ms"][first]
    sums["end_ms"] = figures["end_ms"][np.append(first[1:], len(figures)) - 1]
    for name, reduce in (
        ("energy_mwh", np.add),
        ("measured_ms", np.add),
        ("min_mw", np.minimum),
        ("max_mw", np.maximum),
        ("how", np.bitwise_or),
    ):
        sums[name] = reduce.reduceat(np.ascontiguousarray(figures[name]), first)
    return sums


def to_buckets(figures: Figures, edges_ms: Sequence[int]) -> list[Bucket]:
    """Return one bucket for each pair of consecutive edges; no figure reaches across an edge or the outer ones."""
    buckets = [Bucket(start_ms, end_ms) for start_ms, end_ms in pairwise(edges_ms)]
    if not len(figures):
        return buckets
    if len(buckets) == 1:
        group_of, numbers = np.zeros(len(figures), np.int64), [0]
    else:
        figures = figures[np.argsort(figures["start_ms"], kind="stable")]
        group_of = np.searchsorted(np.asarray(edges_ms), figures["start_ms"], side="right") - 1
        numbers = np.unique(group_of).tolist()
    for number, (_, _, energy, measured, low, high, how) in zip(
        numbers, total(figures, group_of).tolist(), strict=True
    ):
        buckets[number] = Bucket(
            edges_ms[number],
            edges_ms[number + 1],
            energy,
            measured,
            None if low == NO_MIN else low,
            None if high == NO_MAX else high,
            how,
        )
    return buckets
