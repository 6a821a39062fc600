"""What was set aside of a meter's readings: on the disk, and what lies over it until the next seal."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from casawatt.engine.spans import Span, covers, union
from casawatt.model.suspect import Cause, Suspect


@dataclass(slots=True)
class Aside:
    """What lies over a meter's suspects on the disk: spans taken away first, then those of single times laid down."""

    replaced: tuple[Span, ...] = ()
    suspects: dict[int, tuple[Suspect, ...]] = field(default_factory=dict)

    def put(self, time_ms: int, suspects: tuple[Suspect, ...]) -> None:
        """Lay down what was set aside of the record at `time_ms`, in the place of what was before; may be nothing."""
        self.suspects[time_ms] = suspects

    def replace(self, start_ms: int, end_ms: int, suspects: Iterable[Suspect]) -> None:
        """Take everything in the span away and lay `suspects` down."""
        for time_ms in [time_ms for time_ms in self.suspects if start_ms <= time_ms < end_ms]:
            del self.suspects[time_ms]
        self.replaced = union([*self.replaced, (start_ms, end_ms)])
        for suspect in suspects:
            self.suspects[suspect.time_ms] = (*self.suspects.get(suspect.time_ms, ()), suspect)

    def over(self, disk: Iterable[Suspect], start_ms: int, end_ms: int) -> list[Suspect]:
        """Return the suspects of a span, given those on the disk, in ascending time."""
        kept = [each for each in disk if each.time_ms not in self.suspects and not covers(self.replaced, each.time_ms)]
        laid = [each for time_ms, those in self.suspects.items() if start_ms <= time_ms < end_ms for each in those]
        return sorted([*kept, *laid], key=lambda each: (each.time_ms, each.cause))

    def write(self, connection: sqlite3.Connection, meter_id: int) -> None:
        """Bring the disk up to what lies over it."""
        connection.executemany(
            "DELETE FROM suspects WHERE meter_id = ? AND time_ms >= ? AND time_ms < ?",
            [(meter_id, *span) for span in self.replaced],
        )
        connection.executemany(
            "DELETE FROM suspects WHERE meter_id = ? AND time_ms = ?", [(meter_id, each) for each in self.suspects]
        )
        connection.executemany(
            "INSERT INTO suspects VALUES (?, ?, ?, ?, ?)",
            [
                (meter_id, each.time_ms, each.cause.value, each.said, each.energy_mwh)
                for those in self.suspects.values()
                for each in those
            ],
        )


def read(connection: sqlite3.Connection, meter_id: int, start_ms: int, end_ms: int) -> list[Suspect]:
    """Return the sealed suspects of a span in ascending time."""
    rows = connection.execute(
        "SELECT time_ms, cause, said, energy_mwh FROM suspects WHERE meter_id = ? AND time_ms >= ? AND time_ms < ?"
        " ORDER BY time_ms, cause",
        (meter_id, start_ms, end_ms),
    )
    return [Suspect(time_ms, Cause(cause), said, energy_mwh) for time_ms, cause, said, energy_mwh in rows]


def flatten(layers: Sequence[Aside]) -> Aside:
    """Return several of them, lowest first, as one."""
    flat = Aside()
    for layer in layers:
        for start_ms, end_ms in layer.replaced:
            flat.replace(start_ms, end_ms, ())
        flat.suspects |= layer.suspects
    return flat
