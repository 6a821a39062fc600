"""What was set aside of readings, sealed and not yet sealed, as if there were no difference."""

from collections.abc import Sequence

from casawatt.model.suspect import Suspect
from casawatt.store.aside import read
from casawatt.store.database import Database
from casawatt.store.tail import Tail


class Suspects:
    """Derived from the readings, as intervals are; what is put here reaches the disk with the meter's next seal."""

    def __init__(self, tail: Tail, database: Database) -> None:
        """Lay what is new into `tail`, read the rest from `database`."""
        self._tail = tail
        self._database = database

    def put(self, meter_id: int, time_ms: int, suspects: tuple[Suspect, ...]) -> None:
        """Take what was set aside of the record at `time_ms`, in the place of what was known of it; may be nothing."""
        with self._tail.lock:
            self._tail.meter(meter_id).layers[-1].aside.put(time_ms, suspects)

    def replace(self, meter_id: int, start_ms: int, end_ms: int, suspects: Sequence[Suspect]) -> None:
        """Put `suspects` in the place of all that lie in the span."""
        with self._tail.lock:
            self._tail.meter(meter_id).layers[-1].aside.replace(start_ms, end_ms, suspects)

    def between(self, meter_id: int, start_ms: int, end_ms: int) -> list[Suspect]:
        """Return what was set aside of a meter's readings with `start_ms <= time_ms < end_ms`, in ascending time."""
        with self._tail.lock:
            over = self._tail.aside(meter_id)
        return over.over(read(self._database.reader(), meter_id, start_ms, end_ms), start_ms, end_ms)
