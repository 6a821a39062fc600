"""What digests and patterns are made of: what is recorded of the home's meters, what it costs, and what it was for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from casawatt.answers.consumption import Consumption
from casawatt.answers.costs import Costs
from casawatt.model.digest import DayRun
from casawatt.model.errors import RegistryError
from casawatt.model.meter import Meter
from casawatt.model.ports import Clock
from casawatt.registry import Registry
from casawatt.store.store import Store


class RunsOfMeters(Protocol):
    """What the meters' appliances were used for."""

    def begun(self, meter: Meter, start_ms: int, end_ms: int) -> Sequence[DayRun]:
        """Return the meter's runs that begin in the span, in ascending time."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """All of it; `runs` is None where none are looked for."""

    store: Store
    registry: Registry
    clock: Clock
    consumption: Consumption
    costs: Costs
    currency: str
    runs: RunsOfMeters | None = None

    def begun(self, meter: Meter, start_ms: int, end_ms: int) -> Sequence[DayRun]:
        """Return the meter's runs that begin in the span, in ascending time."""
        return () if self.runs is None else self.runs.begun(meter, start_ms, end_ms)

    @property
    def billed(self) -> tuple[Meter, ...]:
        """The meters whose consumption together is the home's; none where it has none yet."""
        try:
            return self.consumption.billed().meters
        except RegistryError:
            return ()
