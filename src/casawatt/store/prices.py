"""Prices by the quarter-hour. Which of two that were told counts is decided here, once; nothing told is forgotten."""

import sqlite3
from collections.abc import Iterable, Sequence
from decimal import Decimal

from casawatt.model.interval import INTERVAL_MS
from casawatt.model.price import Price, PriceChange, QuarterRates, Recorded, SeriesSummary
from casawatt.store.database import Database

FIRST_MS, LAST_MS = 0, 2**62


class PriceRows:
    """Reads and writes them, series by series."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database

    def series(self) -> list[SeriesSummary]:
        """Return what is kept of each series, by name."""
        reader = self._database.reader()
        waiting = dict(reader.execute("SELECT series, COUNT(*) FROM prices_waiting GROUP BY series").fetchall())
        rows = reader.execute(
            "SELECT series, MIN(start_ms), MAX(start_ms), COUNT(*) FROM prices GROUP BY series ORDER BY series"
        )
        return [
            SeriesSummary(name, first_ms, last_ms + INTERVAL_MS, count, waiting.get(name, 0))
            for name, first_ms, last_ms, count in rows
        ]

    def rates(self, series: str, start_ms: int = FIRST_MS, end_ms: int = LAST_MS) -> QuarterRates:
        """Return the price per kWh of each quarter-hour that begins in a span and has one, in ascending time."""
        return _rates(self._database.reader(), "prices", series, start_ms, end_ms)

    def waiting(self, series: str, start_ms: int = FIRST_MS, end_ms: int = LAST_MS) -> list[PriceChange]:
        """Return the other prices that were told of time that has passed and do not count, in ascending time."""
        reader = self._database.reader()
        told = _rates(reader, "prices_waiting", series, start_ms, end_ms)
        kept = _rates(reader, "prices", series, start_ms, end_ms)
        return changes((time_ms, kept[time_ms], rate) for time_ms, rate in told.items())

    def record(self, series: str, prices: Sequence[Price], at_ms: int) -> Recorded:
        """Take prices in that were told at `at_ms`; they do not overlap.

        The first price of a quarter-hour that has begun stays: another one waits until it is applied. Of one that is
        yet to come the newest counts. Raises StoreError.
        """
        if not prices:
            return Recorded()
        told = {
            time_ms: each.rate_per_kwh for each in prices for time_ms in range(each.start_ms, each.end_ms, INTERVAL_MS)
        }
        first_ms, last_ms = min(told), max(told) + 1
        with self._database.write() as connection:
            kept = _rates(connection, "prices", series, first_ms, last_ms)
            waiting = _rates(connection, "prices_waiting", series, first_ms, last_ms)
            other = {time_ms: rate for time_ms, rate in told.items() if kept.get(time_ms, rate) != rate}
            late = {time_ms: rate for time_ms, rate in other.items() if time_ms < at_ms}
            early = {time_ms: rate for time_ms, rate in other.items() if time_ms >= at_ms}
            new = {time_ms: rate for time_ms, rate in told.items() if time_ms not in kept}
            _replace(connection, series, early, at_ms)
            _insert(connection, "prices", series, new, at_ms)
            settled = [time_ms for time_ms in waiting if time_ms in told and time_ms not in late]
            _delete(connection, "prices_waiting", series, settled)
            fresh = {time_ms: rate for time_ms, rate in late.items() if waiting.get(time_ms) != rate}
            _insert(connection, "prices_waiting", series, fresh, at_ms)
        return Recorded(
            len(new),
            len(told) - len(new) - len(other),
            len(early),
            changes((time_ms, kept[time_ms], rate) for time_ms, rate in sorted(late.items())),
            changes((time_ms, kept[time_ms], rate) for time_ms, rate in sorted(fresh.items())),
        )

    def apply(self, series: str, start_ms: int, end_ms: int, at_ms: int) -> list[PriceChange]:
        """Let the prices of a span that wait count from now on, and return what is different. Raises StoreError."""
        with self._database.write() as connection:
            kept = _rates(connection, "prices", series, start_ms, end_ms)
            told = _rates(connection, "prices_waiting", series, start_ms, end_ms)
            _replace(connection, series, told, at_ms)
            _delete(connection, "prices_waiting", series, told)
        return changes((time_ms, kept[time_ms], rate) for time_ms, rate in told.items())


def changes(quarters: Iterable[tuple[int, Decimal, Decimal]]) -> list[PriceChange]:
    """Return quarter-hours with an old and a new price, in ascending time, put together where both are the same."""
    found: list[PriceChange] = []
    for start_ms, old, new in quarters:
        last = found[-1] if found else None
        if last and (last.end_ms, last.old_per_kwh, last.new_per_kwh) == (start_ms, old, new):
            found[-1] = PriceChange(last.start_ms, start_ms + INTERVAL_MS, old, new)
        else:
            found.append(PriceChange(start_ms, start_ms + INTERVAL_MS, old, new))
    return found


def _rates(connection: sqlite3.Connection, table: str, series: str, start_ms: int, end_ms: int) -> QuarterRates:
    rows = connection.execute(
        f"SELECT start_ms, rate_per_kwh FROM {table}"  # noqa: S608 - one of two names that stand in this file
        " WHERE series = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
        (series, start_ms, end_ms),
    )
    return {time_ms: Decimal(rate) for time_ms, rate in rows}


def _insert(connection: sqlite3.Connection, table: str, series: str, rates: QuarterRates, at_ms: int) -> None:
    connection.executemany(
        f"INSERT OR REPLACE INTO {table} (series, start_ms, rate_per_kwh, made_ms) VALUES (?, ?, ?, ?)",  # noqa: S608 - as above
        [(series, time_ms, str(rate), at_ms) for time_ms, rate in rates.items()],
    )


def _replace(connection: sqlite3.Connection, series: str, rates: QuarterRates, at_ms: int) -> None:
    connection.executemany(
        "INSERT INTO prices_replaced (series, start_ms, rate_per_kwh, made_ms, replaced_ms)"
        " SELECT series, start_ms, rate_per_kwh, made_ms, ? FROM prices WHERE series = ? AND start_ms = ?",
        [(at_ms, series, time_ms) for time_ms in rates],
    )
    _insert(connection, "prices", series, rates, at_ms)


def _delete(connection: sqlite3.Connection, table: str, series: str, times_ms: Iterable[int]) -> None:
    connection.executemany(
        f"DELETE FROM {table} WHERE series = ? AND start_ms = ?",  # noqa: S608 - as above
        [(series, time_ms) for time_ms in times_ms],
    )
