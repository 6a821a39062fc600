"""What digests and patterns are made of: what is recorded of the home's meters, what it costs, and what it was for."""

from collections.abc import Sequence
from dataclasses import dataclass

from casawatt.answers.consumption import Consumption
from casawatt.answers.costs import Costs
from casawatt.answers.runs import Runs
from casawatt.model.digest import DayRun
from casawatt.model.errors import RegistryError
from casawatt.model.meter import Meter
from casawatt.model.ports import Clock
from casawatt.registry import Registry
from casawatt.store.store import Store


@dataclass(frozen=True, slots=True)
class Known:
    """All of it."""

    store: Store
    registry: Registry
    clock: Clock
    consumption: Consumption
    costs: Costs
    runs: Runs
    currency: str

    def begun(self, meter: Meter, start_ms: int, end_ms: int) -> Sequence[DayRun]:
        """Return the meter's runs that begin in the span, in ascending time."""
        runs = [run for run in self.runs.list(meter, start_ms, end_ms) if start_ms <= run.start_ms < end_ms]
        wholes = [self.runs.figures(meter, run).whole for run in runs]
        costs = [self.costs.cost(meter, whole.start_ms, whole.end_ms) for whole in wholes]
        return [
            DayRun(run.start_ms, run.end_ms, whole.energy_mwh, cost.amount if cost else None)
            for run, whole, cost in zip(runs, wholes, costs, strict=True)
        ]

    def ended(self, meter: Meter, start_ms: int, end_ms: int, count: int) -> list[int]:
        """Return the energies (mWh) of the last runs, at most so many, that began and ended in the span."""
        runs = [run for run in self.runs.list(meter, start_ms, end_ms) if run.start_ms >= start_ms]
        whole = [run for run in runs if run.end_ms is not None]
        return [self.runs.figures(meter, run).whole.energy_mwh for run in whole[-count:]]

    @property
    def billed(self) -> tuple[Meter, ...]:
        """The meters whose consumption together is the home's; none where it has none yet."""
        try:
            return self.consumption.billed().meters
        except RegistryError:
            return ()
