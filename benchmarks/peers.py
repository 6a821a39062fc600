"""The same readings in the peers: how each takes them in, how large it keeps them, how it is asked."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.outcome import PeerError, files_bytes
from benchmarks.readings import START_MS, Dataset, Trace
from benchmarks.servers import Http, Server
from benchmarks.timing import until

Row = tuple[str, int, str, float]
"""A reading as version 1 kept it: time (`2026-01-01 00:00:00`), appliance code, MAC, current in A."""

V1_TABLE = (
    "CREATE TABLE energy_consumption (updated_at DATETIME, idDevice INT, macAddress VARCHAR(17), sensorData FLOAT)"
)
V1_INSERT = "INSERT INTO energy_consumption VALUES (%s, %s, %s, %s)"
SQLITE_TABLE = "CREATE TABLE energy_consumption (updated_at TEXT, idDevice INTEGER, macAddress TEXT, sensorData REAL)"
SQLITE_INSERT = "INSERT INTO energy_consumption VALUES (?, ?, ?, ?)"
LINES = 20_000
SETTLED_S = 120.0
WAL_EMPTY_BYTES = 64 << 10


def mac_of(number: int) -> str:
    """Return the MAC of the node with this number."""
    return (0x5CCF7F000000 + number).to_bytes(6).hex(":")


def v1_rows(data: Dataset, count: int) -> Iterator[Row]:
    """Yield the first `count` readings, meters taking turns as they would when they come in, as rows of version 1."""
    traces = data.traces
    for number in range(count):
        second, meter = divmod(number, len(traces))
        power_w = int(traces[meter].power_w[second % len(traces[meter].power_w)])
        at = datetime.fromtimestamp(START_MS // 1000 + second, UTC).strftime("%Y-%m-%d %H:%M:%S")
        yield at, 1 + meter % 7, mac_of(meter), round(power_w / 230 * 50) / 50


def sqlite_rows(path: Path, *, wal: bool) -> sqlite3.Connection:
    """Return a new SQLite file with the table of version 1; each statement is a commit forced to the disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(SQLITE_TABLE)
    return connection


class Maria:
    """The version 1 table in a MariaDB, each statement a commit."""

    def __init__(self, server: Server) -> None:
        import pymysql  # noqa: PLC0415 (an extra: only whoever compares needs it)

        self._server = server
        self._connection: Any = pymysql.connect(host="127.0.0.1", port=server.port, user="root", autocommit=True)
        self.cursor: Any = self._connection.cursor()
        self.cursor.execute("CREATE DATABASE ecms")
        self.cursor.execute("USE ecms")
        self.cursor.execute(V1_TABLE)

    def insert(self, rows: Sequence[Row]) -> None:
        """Insert many rows in one commit."""
        self._connection.begin()
        self.cursor.executemany(V1_INSERT, rows)
        self._connection.commit()

    def size_bytes(self) -> int:
        """Return how large the table's own file is."""
        self.cursor.execute("FLUSH TABLES energy_consumption FOR EXPORT")
        size = (self._server.folder / "ecms" / "energy_consumption.ibd").stat().st_size
        self.cursor.execute("UNLOCK TABLES")
        return size

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()


def line_protocol(trace: Trace, start_s: int, count: int, *, unit_ms: int = 1) -> bytes:
    """Return readings as lines of InfluxDB, stamps in ms (or in ns with `unit_ms` 1,000,000)."""
    first_ms = START_MS + start_s * 1000
    power_w = trace.power_w[start_s : start_s + count].tolist()
    head = f"energy,meter={trace.name} power_w="
    return "\n".join(f"{head}{value} {(first_ms + i * 1000) * unit_ms}" for i, value in enumerate(power_w)).encode()


def _pieces(data: Dataset) -> Iterator[tuple[Trace, int, int]]:
    for trace in data.traces:
        for start_s in range(0, len(trace.power_w), LINES):
            yield trace, start_s, min(LINES, len(trace.power_w) - start_s)


class Influx:
    """A database `ecms` in an InfluxDB: measurement `energy`, a tag for the meter, power as a float."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.http = Http(server.port)
        self.http.post("/query?q=CREATE+DATABASE+ecms", b"")

    def write(self, lines: bytes) -> None:
        """Take readings in."""
        self.http.post("/write?db=ecms&precision=ms", lines)

    def fill(self, data: Dataset) -> None:
        """Take a whole data set in."""
        for trace, start_s, count in _pieces(data):
            self.write(line_protocol(trace, start_s, count))

    def size_bytes(self, quiet_s: int) -> int:
        """Return the size of its compacted data files, unchanged for `quiet_s`, once nothing is left in its log.

        Its series files, which begin at 32 MiB, are not counted.
        """
        folder = self._server.folder

        def size() -> int:
            return files_bytes((folder / "data").rglob("*.tsm"))

        return _settled(size, lambda: files_bytes([folder / "wal"]) < WAL_EMPTY_BYTES, quiet_s)

    def day(self, meter: str, start_ms: int, end_ms: int) -> bytes:
        """Ask for the readings of a span."""
        return self._select("power_w", meter, start_ms, end_ms, "")

    def by_minute(self, meter: str, start_ms: int, end_ms: int) -> bytes:
        """Ask for the mean, least and most power of each minute."""
        return self._select("MEAN(power_w), MIN(power_w), MAX(power_w)", meter, start_ms, end_ms, " GROUP BY time(1m)")

    def _select(self, what: str, meter: str, start_ms: int, end_ms: int, group: str) -> bytes:
        where = f"meter = '{meter}' AND time >= {start_ms}ms AND time < {end_ms}ms"
        return self.http.get("/query", db="ecms", epoch="ms", q=f"SELECT {what} FROM energy WHERE {where}{group}")  # noqa: S608

    def close(self) -> None:
        """Give the connection up."""
        self.http.close()


class Victoria:
    """A time series `energy_power_w` with a label for the meter, in a VictoriaMetrics."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.http = Http(server.port)

    def write(self, lines: bytes) -> None:
        """Take readings in; its line protocol knows no precision in the address, so stamps are in ns."""
        self.http.post("/write?db=ecms", lines)

    def fill(self, data: Dataset) -> None:
        """Take a whole data set in."""
        for trace, start_s, count in _pieces(data):
            self.write(line_protocol(trace, start_s, count, unit_ms=1_000_000))
        self.http.get("/internal/force_flush")

    def size_bytes(self, quiet_s: int) -> int:
        """Return the size of its data files, index included, after a forced merge and `quiet_s` without a change."""
        self.http.get("/internal/force_flush")
        self.http.get("/internal/force_merge")
        folder = self._server.folder
        return _settled(lambda: files_bytes([folder / "data", folder / "indexdb"]), lambda: True, quiet_s)

    def day(self, meter: str, start_ms: int, end_ms: int) -> bytes:
        """Ask for the readings of a span; `/export` is its only way to more than 30,000 points of a series."""
        span = {"start": _seconds(start_ms), "end": _seconds(end_ms - 1)}
        return self.http.get("/api/v1/export", **{"match[]": f'energy_power_w{{meter="{meter}"}}'}, **span)

    def by_minute(self, meter: str, start_ms: int, end_ms: int) -> bytes:
        """Ask for the mean, least and most power of each minute; its answers are not taken from its cache."""
        query = f'rollup(energy_power_w{{meter="{meter}"}}[1m])'
        span = {"start": _seconds(start_ms + 60_000), "end": _seconds(end_ms), "step": "60s"}
        return self.http.get("/api/v1/query_range", query=query, nocache=1, **span)

    def close(self) -> None:
        """Give the connection up."""
        self.http.close()


def _settled(size: Callable[[], int], ready: Callable[[], bool], quiet_s: int) -> int:
    """Return a size once it has not changed for a while. Raises PeerError when it goes on changing."""
    sizes: list[int] = []

    def settled() -> bool:
        sizes.append(size())
        return len(sizes) > quiet_s and len(set(sizes[-quiet_s:])) == 1 and ready()

    if not until(settled, SETTLED_S, poll_s=1.0):
        raise PeerError("it has not finished compacting")
    return sizes[-1]


def _seconds(time_ms: int) -> str:
    return f"{time_ms / 1000:.3f}"
