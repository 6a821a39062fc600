"""The same consumption with some of it at other hours: nothing is added to it, and nothing lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from casawatt.engine.pricing import UnitPrices
from casawatt.model.columns import Int64Array
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters

Span = tuple[int, int]
"""From when to when, UTC ms."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A consumption with parts of it moved, and how much of these there was to move (mWh)."""

    quarters: Quarters
    moved_mwh: int


def moved(whole: Quarters, parts: Sequence[tuple[Quarters, int]]) -> Moved:
    """Return a consumption with the energy of parts of it so many ms later each, or earlier if negative.

    Of each quarter-hour no more is taken away than there is in it, so none becomes negative; just as much is added to
    the one that is so much later, so the sum is the same. The parts move one after the other. Raises ValueError unless
    they move by whole quarter-hours.
    """
    for _, shift_ms in parts:
        if shift_ms % INTERVAL_MS:
            message = f"{shift_ms} ms is not a whole number of quarter-hours"
            raise ValueError(message)
    ends_ms = [part.start_ms + shift_ms for part, shift_ms in parts]
    start_ms = np.unique(np.concatenate([whole.start_ms, *ends_ms]))
    energy_mwh, measured_ms, max_mw = (np.zeros(len(start_ms), np.int64) for _ in range(3))
    kept = np.searchsorted(start_ms, whole.start_ms)
    energy_mwh[kept], measured_ms[kept], max_mw[kept] = whole.energy_mwh, whole.measured_ms, whole.max_mw
    used = np.zeros(len(start_ms), np.bool_)
    used[kept] = True
    moved_mwh = 0
    for (part, _), to_ms in zip(parts, ends_ms, strict=True):
        taken_mwh, places = _taken(start_ms, energy_mwh, part)
        to = np.searchsorted(start_ms, to_ms[taken_mwh > 0])
        places, taken_mwh = places[taken_mwh > 0], taken_mwh[taken_mwh > 0]
        energy_mwh[places] -= taken_mwh
        energy_mwh[to] += taken_mwh
        used[to] = True
        changed = np.concatenate([places, to])
        max_mw[changed] = energy_mwh[changed] * (3_600_000 // INTERVAL_MS)
        moved_mwh += int(taken_mwh.sum())
    return Moved(Quarters(start_ms[used], energy_mwh[used], measured_ms[used], max_mw[used]), moved_mwh)


def _taken(start_ms: Int64Array, energy_mwh: Int64Array, part: Quarters) -> tuple[Int64Array, Int64Array]:
    """Return how much of each quarter-hour of a part there is to take (mWh), and its place among all."""
    places = np.minimum(np.searchsorted(start_ms, part.start_ms), max(len(start_ms) - 1, 0))
    if not len(start_ms):
        return np.zeros(len(part), np.int64), places
    there = np.where(start_ms[places] == part.start_ms, np.maximum(energy_mwh[places], 0), 0)
    return np.minimum(np.maximum(part.energy_mwh, 0), there), places


def cheapest_shift(
    part: Quarters, run: Span, prices: UnitPrices, within_ms: int, bounds: Span, taken: Sequence[Span] = ()
) -> int | None:
    """Return by how much (ms) a run is moved to where its energy costs least; None when it cannot be anywhere.

    `part` is the energy of the run's quarter-hours. It begins at most `within_ms` earlier or later, lies within
    `bounds` and not on a span that is `taken`, and every quarter-hour there has a price. Of several that cost the same
    it is the one nearest to where it was, the later one of two.
    """
    first_ms, last_ms = run[0] - run[0] % INTERVAL_MS, -(-run[1] // INTERVAL_MS) * INTERVAL_MS
    steps = within_ms // INTERVAL_MS
    shifts_ms = np.arange(-steps, steps + 1, dtype=np.int64) * INTERVAL_MS
    begins_ms, ends_ms = first_ms + shifts_ms, last_ms + shifts_ms
    free = (begins_ms >= bounds[0]) & (ends_ms <= bounds[1])
    for busy_start_ms, busy_end_ms in taken:
        free &= (ends_ms <= busy_start_ms) | (begins_ms >= busy_end_ms)
    to_ms = part.start_ms[None, :] + shifts_ms[:, None]
    places = np.minimum(np.searchsorted(prices.start_ms, to_ms), max(len(prices.start_ms) - 1, 0))
    free &= ((prices.start_ms[places] == to_ms) & prices.known[places]).all(axis=1)
    costs = (prices.scaled[places] * part.energy_mwh.astype(object)).sum(axis=1)
    ranked = [
        (cost, abs(shift_ms), shift_ms < 0, shift_ms)
        for cost, shift_ms in zip(costs[free].tolist(), shifts_ms[free].tolist(), strict=True)
    ]
    return min(ranked)[3] if ranked else None
