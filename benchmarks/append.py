"""How fast the store takes readings one at a time, against a row a commit in MariaDB and in SQLite."""

from contextlib import closing
from pathlib import Path

from benchmarks.homes import ZONE
from benchmarks.outcome import Context, Section, at_least
from benchmarks.peers import SQLITE_INSERT, V1_INSERT, Influx, Maria, Row, Victoria, sqlite_rows, v1_rows
from benchmarks.readings import START_MS
from benchmarks.servers import influx_db, maria_db, victoria_metrics
from benchmarks.timing import median, per_s
from casawatt.model.reading import Record
from casawatt.store.store import Store

ROUNDS = 5
HAND_OVER = 50_000
"""So many readings are handed to the operating system at once: less than come in within a quarter of a second."""


def run(context: Context) -> Section:
    """Measure; all speeds are medians of rounds that take turns."""
    section = Section("append", "One reading at a time")
    rows = list(v1_rows(context.data, context.sized(1000, 40)))
    ours: list[float] = []
    sqlite: list[float] = []
    with context.folder() as folder:
        for number in range(ROUNDS):
            ours.append(casawatt_per_s(folder / f"store-{number}", context.sized(500_000, 2000)))
            with closing(sqlite_rows(folder / f"rows-{number}.db", wal=False)) as connection:
                sqlite.append(per_s(len(rows), lambda: [connection.execute(SQLITE_INSERT, row) for row in rows]))
        section.add("casawatt: append, hand over, force to the disk", median(ours), "readings/s", at_least(500_000))
        with section.optional("MariaDB"), maria_db(folder) as server, closing(Maria(server)) as maria:
            rates = [
                per_s(len(rows), lambda: [maria.cursor.execute(V1_INSERT, row) for row in rows]) for _ in range(ROUNDS)
            ]
            what = f"MariaDB {server.version}, a row a commit (the version 1 design)"
            section.add(what, median(rates), "readings/s")
            section.add("casawatt : MariaDB a row a commit", median(ours) / median(rates), "times", at_least(200))
            many = list(v1_rows(context.data, context.sized(100_000, 1000)))
            section.add("MariaDB, all rows in one commit", per_s(len(many), lambda: maria.insert(many)), "readings/s")
        section.add("SQLite, a row a commit", median(sqlite), "readings/s")
        _more_sqlite(section, folder, rows, context)
        _bulk(section, folder, context)
    return section


def casawatt_per_s(folder: Path, count: int) -> float:
    """Return how many readings a second a new store takes one by one, handed over as they come, in the end on disk."""
    records = [Record(START_MS + number * 1000, 1, power_mw=number * 7919 % 3_000_000) for number in range(count)]
    store = Store.open(folder, zone=ZONE)

    def take() -> None:
        append = store.append
        for start in range(0, count, HAND_OVER):
            for record in records[start : start + HAND_OVER]:
                append(1, record)
            store.flush()
        store.sync()

    rate = per_s(count, take)
    assert store.durable_seq == count
    store.close()
    return rate


def _more_sqlite(section: Section, folder: Path, rows: list[Row], context: Context) -> None:
    with closing(sqlite_rows(folder / "wal.db", wal=True)) as connection:
        rates = [per_s(len(rows), lambda: [connection.execute(SQLITE_INSERT, row) for row in rows]) for _ in range(3)]
        section.add("SQLite, a row a commit, write-ahead log", median(rates), "readings/s")
    many = list(v1_rows(context.data, context.sized(200_000, 1000)))
    with closing(sqlite_rows(folder / "batched.db", wal=True)) as connection:

        def batched() -> None:
            for start in range(0, len(many), 1000):
                connection.execute("BEGIN")
                connection.executemany(SQLITE_INSERT, many[start : start + 1000])
                connection.execute("COMMIT")

        section.add("SQLite, 1000 rows a commit, write-ahead log", per_s(len(many), batched), "readings/s")


def _bulk(section: Section, folder: Path, context: Context) -> None:
    data = context.data.limited(context.sized(500_000, 5000))
    note = "20,000 lines a request, its own durability"
    with section.optional("InfluxDB"), influx_db(folder) as server, closing(Influx(server)) as influx:
        section.add("InfluxDB, in bulk", per_s(len(data), lambda: influx.fill(data)), "readings/s", note=note)
    with section.optional("VictoriaMetrics"), victoria_metrics(folder) as server, closing(Victoria(server)) as victoria:
        section.add("VictoriaMetrics, in bulk", per_s(len(data), lambda: victoria.fill(data)), "readings/s", note=note)
