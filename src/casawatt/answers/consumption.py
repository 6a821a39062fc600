"""What the home draws from the grid: the consumption that it is billed for."""

from dataclasses import dataclass

from casawatt.model.errors import RegistryError
from casawatt.model.meter import Meter
from casawatt.model.quarters import Quarters, added
from casawatt.registry import Registry
from casawatt.store.store import Store

MAINS = "mains"
"""The kind of a meter that measures the whole home."""


@dataclass(frozen=True, slots=True)
class Billed:
    """The meters whose consumption is billed, together, and what they are called."""

    meters: tuple[Meter, ...]
    name: str

    @property
    def slug(self) -> str | None:
        """The slug of the meter, None where it is not a single one."""
        return self.meters[0].slug if len(self.meters) == 1 else None


class Consumption:
    """Finds the meters that are billed, and their quarter-hours."""

    def __init__(self, store: Store, registry: Registry, meter: str | None) -> None:
        """`meter`: the slug of the meter that is billed, if the config names one."""
        self._store = store
        self._registry = registry
        self._meter = meter

    def meters(self) -> list[Meter]:
        """Return all meters of the home; where there are none, nothing is billed."""
        return self._registry.meters()

    def billed(self) -> Billed:
        """Return what is billed: the meter that is named, or else the only one of the mains, or else all.

        All are those that are part of no other. Raises UnknownMeterError when the named one does not exist.
        """
        if self._meter is not None:
            meter = self._registry.meter(self._meter)
            return Billed((meter,), meter.name)
        meters = self._registry.meters()
        mains = [each for each in meters if each.appliance == MAINS and each.parent is None]
        if len(mains) == 1:
            return Billed((mains[0],), mains[0].name)
        roots = tuple(mains or [each for each in meters if each.parent is None])
        if not roots:
            message = "there is no meter yet, so there is nothing to bill"
            raise RegistryError(message)
        return Billed(roots, roots[0].name if len(roots) == 1 else f"{len(roots)} meters together")

    def quarters(self, start_ms: int, end_ms: int) -> Quarters:
        """Return the billed quarter-hours that begin in a span. Raises RegistryError, StoreError."""
        return added([self._store.quarters(each.meter_id, start_ms, end_ms) for each in self.billed().meters])
