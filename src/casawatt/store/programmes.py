"""Names that people gave to like runs: dated records that can be taken back. Nothing is ever deleted."""

import msgspec

from casawatt.engine.programmes import Named, Trace
from casawatt.store.database import Database

_decoder = msgspec.json.Decoder(Trace)


class Programmes:
    """What the runs of each meter are called."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database

    def named(self, meter_id: int) -> list[Named]:
        """Return the names of a meter that stand, in the order in which they were given."""
        rows = self._database.reader().execute(
            "SELECT programme_id, name, data FROM programmes WHERE meter_id = ? AND retracted_ms IS NULL"
            " ORDER BY programme_id",
            (meter_id,),
        )
        return [Named(programme_id, name, _decoder.decode(data)) for programme_id, name, data in rows]

    def name(self, meter_id: int, name: str, like: Trace, *, made_ms: int, instead: tuple[int, ...] = ()) -> Named:
        """Give a name to the runs that are like one; the names `instead` of which it stands are taken back."""
        with self._database.write() as connection:
            for programme_id in instead:
                self.take_back(programme_id, made_ms)
            row = connection.execute(
                "INSERT INTO programmes (meter_id, name, data, made_ms) VALUES (?, ?, ?, ?) RETURNING programme_id",
                (meter_id, name, msgspec.json.encode(like).decode(), made_ms),
            ).fetchone()
        return Named(row[0], name, like)

    def take_back(self, programme_id: int, at_ms: int) -> None:
        """Let a name stand no longer; it stays on record."""
        with self._database.write() as connection:
            connection.execute("UPDATE programmes SET retracted_ms = ? WHERE programme_id = ?", (at_ms, programme_id))
