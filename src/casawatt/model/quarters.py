"""Many clock quarter-hours of one meter, as columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from casawatt.model.columns import ABSENT, Int64Array
from casawatt.model.interval import INTERVAL_MS


@dataclass(frozen=True, slots=True)
class Quarters:
    """Clock quarter-hours in ascending time, one array of length N per column; those without figures are left out.

    `start_ms` is the beginning of each (UTC ms, whole multiples of `INTERVAL_MS`), `energy_mwh` its energy,
    `measured_ms` how much of it was measured, `max_mw` its highest power, `ABSENT` where nothing was measured.
    """

    start_ms: Int64Array
    energy_mwh: Int64Array
    measured_ms: Int64Array
    max_mw: Int64Array

    def __len__(self) -> int:
        return len(self.start_ms)

    def between(self, start_ms: int, end_ms: int) -> Self:
        """Return those that begin in `start_ms <= t < end_ms`, without copying."""
        first, last = (int(place) for place in np.searchsorted(self.start_ms, (start_ms, end_ms)))
        return type(self)(
            self.start_ms[first:last],
            self.energy_mwh[first:last],
            self.measured_ms[first:last],
            self.max_mw[first:last],
        )

    @property
    def energy_sum_mwh(self) -> int:
        """All their energy."""
        return int(self.energy_mwh.sum())

    @property
    def measured_sum_ms(self) -> int:
        """All their measured time."""
        return int(self.measured_ms.sum())


def no_quarters() -> Quarters:
    """Return no quarter-hours at all."""
    none = np.empty(0, np.int64)
    return Quarters(none, none, none, none)


def added(several: list[Quarters]) -> Quarters:
    """Return the quarter-hours of several meters together: energies summed, measured time of the least measured one.

    A quarter-hour is there when any of the meters has it; one that a meter lacks it has not measured. `max_mw` is the
    mean power of the quarter-hour where there are several meters, as their highest powers need not fall together.
    """
    if not several:
        return no_quarters()
    if len(several) == 1:
        return several[0]
    start_ms = np.unique(np.concatenate([each.start_ms for each in several]))
    energy_mwh = np.zeros(len(start_ms), np.int64)
    measured_ms = np.full(len(start_ms), INTERVAL_MS, np.int64)
    for each in several:
        places = np.searchsorted(start_ms, each.start_ms)
        energy_mwh[places] += each.energy_mwh
        mine_ms = np.zeros(len(start_ms), np.int64)
        mine_ms[places] = each.measured_ms
        np.minimum(measured_ms, mine_ms, out=measured_ms)
    max_mw = np.where(measured_ms > 0, energy_mwh * 4, ABSENT)
    return Quarters(start_ms, energy_mwh, measured_ms, max_mw)
