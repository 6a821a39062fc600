"""Runs that are not on the disk yet: spans taken away first, then runs laid down."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from casawatt.engine.spans import Span, covers, union
from casawatt.model.run import Run

_decoder = msgspec.json.Decoder(Run)


@dataclass(slots=True)
class RunsOver:
    """What lies over a meter's runs on the disk. A run's identity is its start."""

    replaced: tuple[Span, ...] = ()
    runs: dict[int, Run] = field(default_factory=dict)

    def put(self, run: Run) -> None:
        """Lay down a run in the place of one that began at the same time."""
        self.runs[run.start_ms] = run

    def replace(self, start_ms: int, end_ms: int, runs: Iterable[Run]) -> None:
        """Take every run away that begins in the span, and lay `runs` down."""
        for began_ms in [began_ms for began_ms in self.runs if start_ms <= began_ms < end_ms]:
            del self.runs[began_ms]
        if end_ms > start_ms:
            self.replaced = union([*self.replaced, (start_ms, end_ms)])
        for run in runs:
            self.put(run)

    def over(self, disk: Iterable[Run]) -> list[Run]:
        """Return all runs, given those on the disk, in the order in which they began."""
        kept = [run for run in disk if run.start_ms not in self.runs and not covers(self.replaced, run.start_ms)]
        return sorted([*kept, *self.runs.values()], key=lambda run: run.start_ms)

    def write(self, connection: sqlite3.Connection, meter_id: int) -> None:
        """Bring the disk up to what lies over it."""
        connection.executemany(
            "DELETE FROM runs WHERE meter_id = ? AND start_ms >= ? AND start_ms < ?",
            [(meter_id, *span) for span in self.replaced],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)",
            [(meter_id, run.start_ms, run.end_ms, msgspec.json.encode(run).decode()) for run in self.runs.values()],
        )


def read(connection: sqlite3.Connection, meter_id: int, start_ms: int, end_ms: int) -> list[Run]:
    """Return the sealed runs that have a part in the span, in the order in which they began."""
    rows = connection.execute(
        "SELECT data FROM runs WHERE meter_id = ? AND start_ms < ? AND end_ms > ? ORDER BY start_ms",
        (meter_id, end_ms, start_ms),
    )
    return [_decoder.decode(data) for (data,) in rows]


def flatten(layers: Sequence[RunsOver]) -> RunsOver:
    """Return several of them, lowest first, as one."""
    flat = RunsOver()
    for layer in layers:
        for start_ms, end_ms in layer.replaced:
            flat.replace(start_ms, end_ms, ())
        flat.runs |= layer.runs
    return flat
