"""What the web layer asks about the limiter of the supply and about alarms."""

from collections.abc import Sequence
from typing import Protocol

from casawatt.model.supply import AlarmNow, SupplyNow


class SupplyPort(Protocol):
    """How they stand now. Both raise StoreError."""

    def supply(self) -> SupplyNow:
        """Return how the supply stands."""
        ...

    def alarms(self) -> Sequence[AlarmNow]:
        """Return how each alarm stands, in the config's order."""
        ...
