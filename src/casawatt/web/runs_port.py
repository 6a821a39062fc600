"""What the web layer asks about runs."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from casawatt.model.meter import Meter
from casawatt.model.run import State
from casawatt.model.run_answer import Comparison, Doing, ProgrammeAnswer, RunAnswer


class RunsPort(Protocol):
    """What the meters were used for, as their readings show it. All raise StoreError."""

    def look_on(self, meter: Meter) -> bool:
        """Find a piece of the runs anew that were touched; returns whether there is more to look at.

        Whoever asks without this waits until all of it is done, and everybody else with him.
        """
        ...

    def answers(self, meters: Iterable[Meter], start_ms: int, end_ms: int) -> Sequence[RunAnswer]:
        """Return the runs that have a part in `start_ms <= t < end_ms`, in the order in which they began."""
        ...

    def find(self, meter: Meter, start_ms: int) -> RunAnswer:
        """Return the run that began at exactly that time (UTC ms). Raises UnknownRunError."""
        ...

    def compare(self, one: RunAnswer, other: RunAnswer) -> Comparison:
        """Return two runs beside each other."""
        ...

    def state(self, meter: Meter) -> State | None:
        """Return what the meter's appliance does now; None for a meter that has no runs, or was never heard."""
        ...

    def rebuild(self, meter: Meter) -> Sequence[str]:
        """Find all runs of a meter anew from its readings; returns in words what is different from before."""
        ...

    def count(self, meter: Meter) -> int:
        """Return how many runs a meter ever had."""
        ...


class ProgrammesPort(Protocol):
    """Like runs, what people call them, and what one that goes on will come to. All raise StoreError."""

    def doing(self, meter: Meter) -> Doing | None:
        """Return what the meter's appliance does now, the run that it is in and what that will come to."""
        ...

    def foretold(self, answer: RunAnswer) -> RunAnswer:
        """Return a run with what it will come to, if it goes on and that is known."""
        ...

    def all(self, meter: Meter) -> Sequence[ProgrammeAnswer]:
        """Return the programmes that the meter's newest runs make, the named ones first."""
        ...

    def name(self, meter: Meter, start_ms: int, name: str) -> ProgrammeAnswer:
        """Call the programme of the run that began then (UTC ms) so. Raises UnknownRunError, RegistryError."""
        ...

    def take_name_back(self, meter: Meter, programme_id: int) -> str:
        """Take a name back; returns it. Raises UnknownDecisionError when the meter has none of that number."""
        ...
