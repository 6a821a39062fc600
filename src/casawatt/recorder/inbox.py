"""The inbox that a source is given: the recorder, seen by one source."""

from collections.abc import Callable

from casawatt.model.ports import Clock
from casawatt.model.reading import Reading
from casawatt.recorder.keeper import Keeper
from casawatt.recorder.recorder import Recorder


class SourceInbox:
    """Fulfils `model.ports.Inbox` for one run of one source; `close` it when the run has ended."""

    def __init__(self, source: str, recorder: Recorder, keeper: Keeper) -> None:
        self.clock: Clock = recorder.clock
        self._source = source
        self._recorder = recorder
        self._keeper = keeper
        self._ends: list[Callable[[], None]] = []

    def put(self, reading: Reading, *, hint: str | None = None) -> int:
        """Take in one reading; returns its ticket, `NOT_NOW` or `NEVER` when it was not recorded.

        Raises ValueError when the reading says that it is of another source: its traits would be found by that.
        """
        if reading.source != self._source:
            message = f"source {self._source!r} put a reading that says source={reading.source!r}"
            raise ValueError(message)
        return self._recorder.put(reading, hint)

    def safe_ticket(self) -> int:
        """Return the highest ticket up to which everything would survive a power cut."""
        return self._keeper.safe_sequence

    def when_safer(self, listener: Callable[[int], None]) -> None:
        """Call `listener(safe_ticket)` each time more has become safe."""
        self._ends.append(self._keeper.when_safer(listener))

    async def kept(self) -> None:
        """Wait until everything put so far survives a killed process."""
        await self._keeper.hand_over()

    def presence(self, address: str, *, online: bool) -> None:
        """Say that a device has gone, or is back."""
        self._recorder.presence(self._source, address, online=online)

    def refuse(self, sender: str, cause: str, detail: str) -> None:
        """Count something that could not be used."""
        self._recorder.refusals.add(self._source, sender, cause, detail)

    def close(self) -> None:
        """Listen no longer."""
        for end in self._ends:
            end()
        self._ends.clear()
