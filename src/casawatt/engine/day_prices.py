"""What energy costs on a day, or in another span of whole quarter-hours."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from casawatt.engine.pricing import MWH_PER_KWH, UnitPrices
from casawatt.model.quarters import Quarters


@dataclass(frozen=True, slots=True)
class DayPrices:
    """The prices of the quarter-hours with `start_ms <= t < end_ms`; `prices` are of those and maybe others."""

    prices: UnitPrices
    start_ms: int
    end_ms: int

    def cost(self, quarters: Quarters) -> tuple[Fraction, bool] | None:
        """Return what quarter-hours of the day cost, and whether all of their energy has a price.

        None where no price of the day is known.
        """
        if not self.prices.known[self._here].any():
            return None
        unpriced = quarters.energy_mwh[self.prices.unknown(quarters)]
        return self.prices.cost(quarters), not bool(unpriced.any())

    @property
    def mean_per_mwh(self) -> Fraction | None:
        """What power that never changes pays for a mWh; None where not all prices are known."""
        here = self._here
        if here.start == here.stop or not self.prices.known[here].all():
            return None
        count = here.stop - here.start
        return Fraction(int(self.prices.scaled[here].sum()), self.prices.scale * MWH_PER_KWH * count)

    @property
    def _here(self) -> slice:
        first, stop = np.searchsorted(self.prices.start_ms, (self.start_ms, self.end_ms))
        return slice(int(first), int(stop))
