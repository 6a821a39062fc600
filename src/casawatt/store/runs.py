"""Runs of the meters, sealed and not yet sealed, as if there were no difference; and what finds them, as saved."""

from collections.abc import Iterable

from casawatt.model.run import Run
from casawatt.store.database import Database
from casawatt.store.runs_over import read
from casawatt.store.tail import Tail


class Runs:
    """Derived from the readings, as intervals are; what is put here reaches the disk with the meter's next seal.

    Only runs that have ended are kept: one that goes on is found again from the readings.
    """

    def __init__(self, tail: Tail, database: Database) -> None:
        """Lay what is new into `tail`, read the rest from `database`."""
        self._tail = tail
        self._database = database

    def put(self, meter_id: int, run: Run) -> None:
        """Take a run that has ended, in the place of one that began at the same time."""
        with self._tail.lock:
            self._tail.meter(meter_id).layers[-1].runs.put(run)

    def replace(self, meter_id: int, start_ms: int, end_ms: int, runs: Iterable[Run]) -> None:
        """Put `runs` in the place of all that begin in the span."""
        with self._tail.lock:
            self._tail.meter(meter_id).layers[-1].runs.replace(start_ms, end_ms, runs)

    def overlapping(self, meter_id: int, start_ms: int, end_ms: int) -> list[Run]:
        """Return the runs that have a part in `start_ms <= t < end_ms`, in the order in which they began."""
        with self._tail.lock:
            over = self._tail.runs(meter_id)
        found = over.over(read(self._database.reader(), meter_id, start_ms, end_ms))
        return [run for run in found if run.start_ms < end_ms and (run.end_ms or end_ms) > start_ms]

    def state(self, meter_id: int) -> bytes | None:
        """Return the state of what finds runs that goes with what is sealed of a meter; None when there is none."""
        query = "SELECT run_state FROM sealed WHERE meter_id = ?"
        row = self._database.reader().execute(query, (meter_id,)).fetchone()
        return None if row is None else row[0]

    def snapshot_before(self, meter_id: int, time_ms: int) -> tuple[int, bytes] | None:
        """Return the newest saved state whose boundary is not after `time_ms`: (boundary in UTC ms, state)."""
        query = (
            "SELECT boundary_ms, state FROM run_states WHERE meter_id = ? AND boundary_ms <= ?"
            " ORDER BY boundary_ms DESC LIMIT 1"
        )
        row = self._database.reader().execute(query, (meter_id, time_ms)).fetchone()
        return None if row is None else (row[0], row[1])
