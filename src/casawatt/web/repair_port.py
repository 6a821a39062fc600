"""What the web layer asks about decisions on readings that are recorded."""

from typing import Protocol

from casawatt.model.dated import Action, Correction, Rebound, Repaired
from casawatt.model.meter import Meter
from casawatt.model.suspect import Suspect


class RepairPort(Protocol):
    """What was set aside, and what people decide about what counts and which device it is of.

    What changes something raises RegistryError when it cannot be as asked, StoreError when it cannot be written.
    """

    def suspects(self, meter: Meter, start_ms: int, end_ms: int) -> list[Suspect]:
        """Return what is set aside of the readings with `start_ms <= time_ms < end_ms`, in ascending time."""
        ...

    def corrections(self, meter: Meter) -> list[Correction]:
        """Return the corrections that stand, in the order they were made."""
        ...

    def correct(self, meter: Meter, action: Action, from_ms: int, to_ms: int, note: str | None) -> Repaired:
        """Correct the readings with `from_ms <= time_ms < to_ms`."""
        ...

    def undo_correction(self, meter: Meter, correction_id: int) -> Repaired:
        """Take a correction back; raises UnknownDecisionError when there is none that stands."""
        ...

    def bind(self, meter: Meter, source: str, address: str, from_ms: int | None, *, move: bool) -> Rebound:
        """Let a device measure for a meter from `from_ms` on, now when None; `move`: also when that takes it away.

        Raises ConfigError when the config says otherwise and cannot be changed.
        """
        ...

    def undo_bind(self, meter: Meter, binding_id: int | None) -> Rebound:
        """Take a decision about a meter's device back, the newest when None.

        Raises UnknownDecisionError when there is none that stands, ConfigError as `bind` does.
        """
        ...
