"""What digests and patterns are made of: the home's meters and what is recorded, billed, priced and found of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from casawatt.model.digest import DayRun
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import Calibration, Meter
from casawatt.model.ports import Clock
from casawatt.model.quarters import Quarters
from casawatt.store.store import Store


class Billed(Protocol):
    """What the home's consumption is the sum of."""

    def meters(self) -> list[Meter]:
        """Return the meters whose energy together is billed."""
        ...


class Meters(Protocol):
    """The meters of the home."""

    def meters(self) -> list[Meter]:
        """Return all of them, in the order in which they are shown."""
        ...

    def calibrations(self, meter: Meter) -> list[Calibration]:
        """Return what a meter's readings are counted by."""
        ...


class RunsOfMeters(Protocol):
    """What the meters' appliances were used for."""

    def begun(self, meter: Meter, start_ms: int, end_ms: int) -> Sequence[DayRun]:
        """Return the meter's runs that begin in the span, in ascending time."""
        ...


class Prices(Protocol):
    """What energy costs, all that is charged by the kWh and the taxes on it."""

    def cost(self, quarters: Quarters) -> tuple[Fraction, bool] | None:
        """Return what quarter-hours cost, and whether all of their prices are known; None where none is."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """All of it; `currency` is that of the prices."""

    store: Store
    meters: Meters
    clock: Clock
    billed: Billed
    prices: Prices
    runs: RunsOfMeters
    currency: str


def mean_price(prices: Prices, start_ms: int, end_ms: int) -> Fraction | None:
    """Return the mean price of a mWh in a span of whole quarter-hours (UTC ms): what power that never changes pays.

    None where a price is not known.
    """
    begins_ms = np.arange(start_ms, end_ms, INTERVAL_MS)
    energy_mwh = np.full(len(begins_ms), 1000)
    measured_ms = np.full(len(begins_ms), INTERVAL_MS)
    found = prices.cost(Quarters(begins_ms, energy_mwh, measured_ms, energy_mwh * 4))
    return None if found is None or not found[1] else found[0] / (1000 * len(begins_ms))
