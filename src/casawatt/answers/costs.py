"""What energy costs: of a run, a meter, a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from casawatt.answers.market import Markets
from casawatt.engine.pricing import UnitPrices, unit_prices
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import Meter
from casawatt.model.quarters import Quarters
from casawatt.registry import Registry
from casawatt.store.store import Store


@dataclass(frozen=True, slots=True)
class Cost:
    """What energy cost, exactly, in the home's currency: all that depends on when it was used, with VAT.

    Fixed charges and what is free of excise have no part in it. `complete`: all of the energy had a price.
    """

    amount: Fraction
    complete: bool


class Costs:
    """Prices energy by the quarter-hour in which it was used."""

    def __init__(self, store: Store, registry: Registry, markets: Markets) -> None:
        self._store = store
        self._registry = registry
        self._markets = markets

    def prices(self, start_ms: int, end_ms: int) -> UnitPrices:
        """Return the price of a kWh in every quarter-hour that touches a span."""
        first_ms = start_ms - start_ms % INTERVAL_MS
        starts_ms = np.arange(first_ms, end_ms, INTERVAL_MS, dtype=np.int64)
        return unit_prices(self._markets.market(first_ms, end_ms), starts_ms)

    def cost(self, meter: Meter, start_ms: int, end_ms: int) -> Cost | None:
        """Return what a meter's energy between two instants cost; None when nothing of that time has a price.

        A quarter-hour that an end cuts is shared out by the shape of its readings. Raises StoreError.
        """
        if end_ms <= start_ms:
            return Cost(Fraction(0), complete=True)
        return self.cost_by(self.prices(start_ms, end_ms), meter, start_ms, end_ms)

    def cost_by(self, prices: UnitPrices, meter: Meter, start_ms: int, end_ms: int) -> Cost | None:
        """Return the same by prices that were asked for at once for a longer span."""
        quarters = self.quarters(meter, start_ms, end_ms)
        here = (prices.start_ms + INTERVAL_MS > start_ms) & (prices.start_ms < end_ms)
        if not prices.known[here].any():
            return None
        complete = not quarters.energy_mwh[prices.unknown(quarters)].any()
        return Cost(prices.cost(quarters), bool(complete))

    def quarters(self, meter: Meter, start_ms: int, end_ms: int) -> Quarters:
        """Return the quarter-hours of a span; those that its ends cut have just the energy of their part in it.

        Raises StoreError.
        """
        found = self._store.quarters(meter.meter_id, start_ms - start_ms % INTERVAL_MS, end_ms)
        cut_ms = sorted({each_ms - each_ms % INTERVAL_MS for each_ms in (start_ms, end_ms) if each_ms % INTERVAL_MS})
        if not cut_ms:
            return found
        energy_mwh = found.energy_mwh.copy()
        for quarter_ms in cut_ms:
            place = int(np.searchsorted(found.start_ms, quarter_ms))
            if place < len(found) and found.start_ms[place] == quarter_ms:
                part = max(start_ms, quarter_ms), min(end_ms, quarter_ms + INTERVAL_MS)
                energy_mwh[place] = self._energy_mwh(meter, part)
        return Quarters(found.start_ms, energy_mwh, found.measured_ms, found.max_mw)

    def _energy_mwh(self, meter: Meter, span: Sequence[int]) -> int:
        calibrations = self._registry.calibrations(meter)
        return self._store.energy(meter.meter_id, span[0], span[1], calibrations).energy_mwh
