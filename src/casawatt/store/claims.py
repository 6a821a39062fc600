"""Which member used a meter during a run, as members said it. Nothing is ever deleted."""

import sqlite3

from casawatt.model.errors import RegistryError, UnknownDecisionError
from casawatt.model.split import Claim
from casawatt.store.database import Database

_CLAIMS = "SELECT claim_id, meter_id, start_ms, end_ms, member, made_ms FROM claims WHERE retracted_ms IS NULL"


class ClaimRows:
    """Plain reading and writing of claims."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database

    def list(self, start_ms: int, end_ms: int, meter_id: int | None = None) -> list[Claim]:
        """Return the claims that stand (of one meter, or all) of runs that touch the span, as they were made."""
        query, values = f"{_CLAIMS} AND start_ms < ? AND end_ms > ?", [end_ms, start_ms]
        if meter_id is not None:
            query, values = f"{query} AND meter_id = ?", [*values, meter_id]
        rows = self._database.reader().execute(f"{query} ORDER BY claim_id", values)
        return [Claim(*row) for row in rows]

    def add(self, meter_id: int, start_ms: int, end_ms: int, member: str, *, made_ms: int) -> Claim:
        """Write down that a run of that span is a member's. Raises RegistryError when there is no such meter."""
        try:
            with self._database.write() as connection:
                row = connection.execute(
                    "INSERT INTO claims (meter_id, start_ms, end_ms, member, made_ms) VALUES (?, ?, ?, ?, ?)"
                    " RETURNING claim_id",
                    (meter_id, start_ms, end_ms, member, made_ms),
                ).fetchone()
        except sqlite3.IntegrityError as error:
            message = f"there is no meter with number {meter_id}"
            raise RegistryError(message) from error
        return Claim(row[0], meter_id, start_ms, end_ms, member, made_ms)

    def retract(self, claim_id: int, at_ms: int) -> Claim:
        """Take a claim back; it stays on record. Raises UnknownDecisionError when there is none that stands."""
        row = self._database.reader().execute(f"{_CLAIMS} AND claim_id = ?", (claim_id,)).fetchone()
        if row is None:
            message = f"there is no claim {claim_id} that stands"
            raise UnknownDecisionError(message)
        with self._database.write() as connection:
            connection.execute("UPDATE claims SET retracted_ms = ? WHERE claim_id = ?", (at_ms, claim_id))
        return Claim(*row)
