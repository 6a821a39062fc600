"""Days as they were told: what was said of each, once, whatever became of its figures since."""

import msgspec

from casawatt.model.event import Event
from casawatt.store.database import Database
from casawatt.store.logs import Followers

FOLLOWER = "digests"
"""Under this name the followers hold the number of the last day (of the Gregorian calendar) that was dealt with."""


class Told(msgspec.Struct, frozen=True):
    """What was told of a day, and when."""

    made_ms: int
    event: Event


class Digests:
    """The local days that were told."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database
        self._followers = Followers(database)

    def done(self) -> int:
        """Return the number of the last day that was dealt with, as `date.toordinal` counts them; 0 before any was."""
        return self._followers.position(FOLLOWER)

    def put(self, day: str, number: int, made_ms: int, event: Event | None) -> None:
        """Write down that a day is dealt with, and what was told of it; None: there was nothing to tell.

        A day that was told stays as it was told first.
        """
        with self._database.write() as connection:
            if event is not None:
                connection.execute(
                    "INSERT INTO digests VALUES (?, ?, ?) ON CONFLICT (day) DO NOTHING",
                    (day, made_ms, msgspec.json.encode(event).decode()),
                )
            self._followers.set(FOLLOWER, number)

    def told(self, day: str) -> Told | None:
        """Return what was told of a day, None when nothing was."""
        row = self._database.reader().execute("SELECT made_ms, data FROM digests WHERE day = ?", (day,)).fetchone()
        return None if row is None else Told(row[0], msgspec.json.decode(row[1], type=Event))

    def unheard(self) -> list[Event]:
        """Return what was told but did not get into the event log before the service ended, oldest first."""
        rows = self._database.reader().execute(
            "SELECT data FROM digests WHERE json_extract(data, '$.event_id') NOT IN (SELECT event_id FROM events)"
            " ORDER BY day"
        )
        return [msgspec.json.decode(data, type=Event) for (data,) in rows]
