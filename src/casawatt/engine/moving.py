"""The same consumption with some of it at other hours: nothing is added to it, and nothing lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from casawatt.engine.pricing import UnitPrices
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters

Span = tuple[int, int]
"""From when to when, UTC ms."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A consumption with a part of it moved, and how much of that part there was to move (mWh)."""

    quarters: Quarters
    moved_mwh: int


def moved(whole: Quarters, part: Quarters, shift_ms: int) -> Moved:
    """Return a consumption with the energy of a part of it `shift_ms` later, or earlier if negative.

    Of each quarter-hour no more is taken away than there is in it, so none becomes negative; just as much is added to
    the one `shift_ms` later, so the sum is the same. Raises ValueError unless `shift_ms` is whole quarter-hours.
    """
    if shift_ms % INTERVAL_MS:
        message = f"{shift_ms} ms is not a whole number of quarter-hours"
        raise ValueError(message)
    places = np.minimum(np.searchsorted(whole.start_ms, part.start_ms), max(len(whole) - 1, 0))
    if not len(whole) or not len(part):
        return Moved(whole, 0)
    there = np.where(whole.start_ms[places] == part.start_ms, np.maximum(whole.energy_mwh[places], 0), 0)
    taken_mwh = np.minimum(np.maximum(part.energy_mwh, 0), there)
    to_ms = part.start_ms[taken_mwh > 0] + shift_ms
    start_ms = np.union1d(whole.start_ms, to_ms)
    kept = np.searchsorted(start_ms, whole.start_ms)
    energy_mwh, measured_ms, max_mw = (np.zeros(len(start_ms), np.int64) for _ in range(3))
    energy_mwh[kept], measured_ms[kept], max_mw[kept] = whole.energy_mwh, whole.measured_ms, whole.max_mw
    changed = np.searchsorted(start_ms, np.concatenate([part.start_ms[taken_mwh > 0], to_ms]))
    energy_mwh[np.searchsorted(start_ms, part.start_ms[taken_mwh > 0])] -= taken_mwh[taken_mwh > 0]
    energy_mwh[np.searchsorted(start_ms, to_ms)] += taken_mwh[taken_mwh > 0]
    max_mw[changed] = energy_mwh[changed] * (3_600_000 // INTERVAL_MS)
    return Moved(Quarters(start_ms, energy_mwh, measured_ms, max_mw), int(taken_mwh.sum()))


def cheapest_shift(
    part: Quarters, run: Span, prices: UnitPrices, within_ms: int, bounds: Span, taken: Sequence[Span] = ()
) -> int | None:
    """Return by how much (ms) a run is moved to where its energy costs least; None when it cannot be anywhere.

    `part` is the energy of the run's quarter-hours. It begins at most `within_ms` earlier or later, lies within
    `bounds` and not on a span that is `taken`, and every quarter-hour there has a price. Of several that cost the same
    it is the one nearest to where it was, the later one of two.
    """
    steps = within_ms // INTERVAL_MS
    first_ms, last_ms = run[0] - run[0] % INTERVAL_MS, -(-run[1] // INTERVAL_MS) * INTERVAL_MS
    best: tuple[int, int, bool] | None = None
    found: int | None = None
    for step in range(-steps, steps + 1):
        shift_ms = step * INTERVAL_MS
        begin_ms, end_ms = first_ms + shift_ms, last_ms + shift_ms
        if begin_ms < bounds[0] or end_ms > bounds[1]:
            continue
        if any(begin_ms < busy_end and busy_start < end_ms for busy_start, busy_end in taken):
            continue
        cost = _cost(part, prices, shift_ms)
        rank = None if cost is None else (cost, abs(step), step < 0)
        if rank is not None and (best is None or rank < best):
            best, found = rank, shift_ms
    return found


def _cost(part: Quarters, prices: UnitPrices, shift_ms: int) -> int | None:
    """Return what a part costs elsewhere, in `cost_scale` parts of the currency; None where a price is missing."""
    places = np.searchsorted(prices.start_ms, part.start_ms + shift_ms)
    if len(places) and (places[-1] >= len(prices.start_ms) or not prices.known[places].all()):
        return None
    return int(np.dot(part.energy_mwh.astype(object), prices.scaled[places])) if len(places) else 0
