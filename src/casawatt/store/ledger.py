"""Splits that are closed, word for word as they were then."""

import sqlite3
from datetime import date
from fractions import Fraction

import msgspec

from casawatt.model.errors import LedgerError
from casawatt.model.split import Statement
from casawatt.store.database import Database


class LedgerRows:
    """Plain reading and writing of closed splits. What is in it is never changed."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database

    def list(self) -> list[Statement]:
        """Return everything that is closed, oldest period first."""
        rows = self._database.reader().execute("SELECT data FROM ledger ORDER BY start_date")
        return [decode(data) for (data,) in rows]

    def last_end(self) -> date | None:
        """Return the first day that is not closed, on which the last closed period ended; None: nothing is closed."""
        row = self._database.reader().execute("SELECT MAX(end_date) FROM ledger").fetchone()
        return None if row[0] is None else date.fromisoformat(row[0])

    def close(self, statement: Statement) -> None:
        """Write a closed split down; raises LedgerError when one that begins that day is there already."""
        split = statement.split
        row = split.start.isoformat(), split.end.isoformat(), statement.closed_ms, encode(statement)
        try:
            with self._database.write() as connection:
                connection.execute(
                    "INSERT INTO ledger (start_date, end_date, closed_ms, data) VALUES (?, ?, ?, ?)", row
                )
        except sqlite3.IntegrityError as error:
            message = f"the period that begins on {split.start} is closed already"
            raise LedgerError(message) from error


def encode(statement: Statement) -> str:
    """Return a statement as JSON; exact amounts are written `numerator/denominator`."""
    return msgspec.json.encode(statement, enc_hook=_written).decode()


def decode(text: str) -> Statement:
    """Return the statement that was encoded, equal in everything."""
    return msgspec.json.decode(text, type=Statement, dec_hook=_read)


def _written(value: object) -> str:
    if isinstance(value, Fraction):
        return str(value)
    raise TypeError(type(value))


def _read(kind: type, text: object) -> Fraction:
    if kind is Fraction and isinstance(text, str):
        return Fraction(text)
    raise TypeError(kind)
