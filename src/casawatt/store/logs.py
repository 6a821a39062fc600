"""The log of events, and how far each follower has come."""

import msgspec

from casawatt.model.event import ALL, Event, EventFilter
from casawatt.store.database import Database

COLUMNS = "seq, event_id, type, time_ms, subject, data"


class EventLog:
    """Events in the order they were found, each once."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database

    def append(self, event: Event) -> int | None:
        """Write an event; returns its sequence number, or None when its `event_id` is already there."""
        with self._database.write() as connection:
            row = connection.execute(
                "INSERT INTO events (event_id, type, time_ms, subject, data) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (event_id) DO NOTHING RETURNING seq",
                (event.event_id, event.type, event.time_ms, event.subject, msgspec.json.encode(event.data).decode()),
            ).fetchone()
        return None if row is None else int(row[0])

    def has(self, event_id: str) -> bool:
        """Return whether an event was written already."""
        query = "SELECT 1 FROM events WHERE event_id = ?"
        return self._database.reader().execute(query, (event_id,)).fetchone() is not None

    def list(
        self, after_seq: int | None = None, limit: int = 1000, wanted: EventFilter = ALL, *, newest_first: bool = False
    ) -> list[tuple[int, Event]]:
        """Return up to `limit` events after the one of number `after_seq`, each with its number.

        They come in the order in which they were written, or with `newest_first` in the opposite one; None begins with
        the first of that order.
        """
        conditions, values = _conditions(wanted)
        if after_seq is not None:
            conditions.append("seq < ?" if newest_first else "seq > ?")
            values.append(after_seq)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = "DESC" if newest_first else "ASC"
        rows = self._database.reader().execute(
            f"SELECT {COLUMNS} FROM events{where} ORDER BY seq {order} LIMIT ?",  # noqa: S608 - no word of a stranger's
            (*values, limit),
        )
        return [_event_of_row(row) for row in rows]

    def newest_seq(self) -> int:
        """Return the number of the event that was written last, 0 before there is any."""
        return int(self._database.reader().execute("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()[0])

    def newest_of_each(self, *types: str) -> dict[str, Event]:
        """Return the newest event of these types of each subject, by the subject."""
        marks = ", ".join("?" * len(types))
        rows = self._database.reader().execute(
            f"SELECT {COLUMNS}, MAX(seq) FROM events WHERE type IN ({marks}) GROUP BY subject",  # noqa: S608 - as above
            types,
        )
        return {event.subject: event for _, event in (_event_of_row(row[:-1]) for row in rows)}


def _conditions(wanted: EventFilter) -> tuple[list[str], list[str | int]]:
    """Return what must hold of an event, as SQL, and the values of its question marks."""
    conditions: list[str] = []
    values: list[str | int] = [*wanted.types]
    if wanted.types:
        conditions.append(f"type IN ({', '.join('?' * len(wanted.types))})")
    for condition, value in (
        ("subject = ?", wanted.subject),
        ("time_ms >= ?", wanted.start_ms),
        ("time_ms < ?", wanted.end_ms),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    return conditions, values


def _event_of_row(row: tuple[int, str, str, int, str, str]) -> tuple[int, Event]:
    """Return the number and the event of a row of `COLUMNS`."""
    seq, event_id, kind, time_ms, subject, data = row
    return seq, Event(event_id, kind, time_ms, subject, msgspec.json.decode(data))


class Followers:
    """The saved positions of those who follow the readings or the events."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database

    def position(self, name: str) -> int:
        """Return up to which sequence number `name` has taken everything; 0 when it never began."""
        query = "SELECT position FROM followers WHERE name = ?"
        row = self._database.reader().execute(query, (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def set(self, name: str, seq: int) -> None:
        """Remember that `name` has taken everything up to `seq`."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO followers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position",
                (name, seq),
            )

    def positions(self) -> dict[str, int]:
        """Return every follower's position by name."""
        return dict(self._database.reader().execute("SELECT name, position FROM followers ORDER BY name").fetchall())


class Meta:
    """Facts about the file itself, by key."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database

    def get(self, key: str) -> str | None:
        """Return the value of `key`, or None."""
        row = self._database.reader().execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Write the value of `key`."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
            )
