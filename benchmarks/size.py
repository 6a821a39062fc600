"""How large the same 1 Hz power readings are at rest, roll-ups included."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.homes import DAY_S, feed, open_home, seal
from benchmarks.outcome import Context, Section, at_most, files_bytes
from benchmarks.peers import SQLITE_INSERT, Influx, Maria, Victoria, mac_of, sqlite_rows, v1_rows
from benchmarks.readings import Dataset, Trace
from benchmarks.servers import influx_db, maria_db, victoria_metrics

CHUNK_S = DAY_S // 4


def run(context: Context) -> Section:
    """Measure."""
    section = Section("size", "Bytes at rest for each 1 Hz power reading")
    data = context.data.limited(context.sized(len(context.data), 5000))
    section.notes.append(f"{len(data):,} readings: {data.origin}")
    quiet_s = context.sized(8, 3)
    with context.folder() as folder:
        ours = fill_casawatt(folder / "home", data)
        note = ", ".join(f"{name} {size / len(data):.3f}" for name, size in parts(folder / "home").items())
        section.add("casawatt, roll-ups included", ours, "bytes", at_most(0.6), note=note)
        with section.optional("VictoriaMetrics"), victoria_metrics(folder) as server:
            with closing(Victoria(server)) as victoria:
                victoria.fill(data)
                theirs = victoria.size_bytes(quiet_s) / len(data)
            section.add(f"VictoriaMetrics {server.version}, merged", theirs, "bytes", note="no roll-ups")
            section.add("casawatt : VictoriaMetrics", ours / theirs, "times", at_most(1.15))
        with section.optional("InfluxDB"), influx_db(folder) as server:
            with closing(Influx(server)) as influx:
                influx.fill(data)
                theirs = influx.size_bytes(quiet_s) / len(data)
            section.add(f"InfluxDB {server.version}, compacted", theirs, "bytes", note="no roll-ups, no series files")
            section.add("casawatt : InfluxDB", ours / theirs, "times", at_most(0.45))
        again = folder / "again"
        again.mkdir()
        _mains(section, again, data, quiet_s)
        _rows(section, folder, context)
    return section


def _mains(section: Section, folder: Path, data: Dataset, quiet_s: int) -> None:
    """Add the sizes of a mains meter: the sum of all appliances, those that end sooner beginning again."""
    seconds = max(len(trace.power_w) for trace in data.traces)
    power_w = sum(np.resize(trace.power_w, seconds) for trace in data.traces)
    mains = Dataset((Trace("mains", np.asarray(power_w, np.int64)),), "")
    ours = fill_casawatt(folder / "mains", mains)
    note = ", ".join(f"{name} {size / len(mains):.3f}" for name, size in parts(folder / "mains").items())
    section.add(f"casawatt, a mains meter ({len(data.traces)} appliances added up)", ours, "bytes", note=note)
    with section.optional("VictoriaMetrics"), victoria_metrics(folder) as server, closing(Victoria(server)) as victoria:
        victoria.fill(mains)
        theirs = victoria.size_bytes(quiet_s) / len(mains)
        section.add("VictoriaMetrics, the same", theirs, "bytes")
        section.add("casawatt : VictoriaMetrics, a mains meter", ours / theirs, "times")


def fill_casawatt(folder: Path, data: Dataset) -> float:
    """Return the bytes a reading of casawatt's database, all sealed; every reading went through the recorder."""
    addresses = [mac_of(number) for number in range(len(data.traces))]
    with open_home(folder, addresses) as home:
        longest_s = max(len(trace.power_w) for trace in data.traces)
        for start_s in range(0, longest_s, CHUNK_S):
            for address, trace in zip(addresses, data.traces, strict=True):
                feed(home, address, trace, start_s, max(0, min(CHUNK_S, len(trace.power_w) - start_s)))
            seal(home)
        kept = sum(len(home.store.columns(meter.meter_id, 0, 1 << 62)) for meter in home.meters)
        assert kept == len(data), f"{kept} of {len(data)} readings are there"
    return files_bytes(folder.glob("*.db*")) / len(data)


def parts(folder: Path) -> dict[str, float]:
    """Return how many bytes the parts of a home's database hold, and what is left for SQLite's pages."""
    with closing(sqlite3.connect(f"file:{folder / 'casawatt.db'}?mode=ro", uri=True)) as connection:
        held = {name: float(connection.execute(_HELD[name]).fetchone()[0] or 0) for name in _HELD}
    return {**held, "SQLite and the rest": (folder / "casawatt.db").stat().st_size - sum(held.values())}


_HELD = {
    "segments": "SELECT sum(length(data)) FROM segments",
    "intervals": "SELECT sum(length(data)) FROM intervals",
    "days": "SELECT sum(length(data)) FROM days",
    "snapshots": "SELECT sum(length(state)) FROM snapshots",
}


def _rows(section: Section, folder: Path, context: Context) -> None:
    """Rows are all the same size, so a part of the readings is enough."""
    rows = list(v1_rows(context.data, context.sized(300_000, 2000)))
    note = f"the version 1 table without an index, {len(rows):,} readings"
    with section.optional("MariaDB"), maria_db(folder) as server, closing(Maria(server)) as maria:
        for start in range(0, len(rows), 10_000):
            maria.insert(rows[start : start + 10_000])
        section.add(f"MariaDB {server.version}, rows", maria.size_bytes() / len(rows), "bytes", note=note)
    path = folder / "rows.db"
    with closing(sqlite_rows(path, wal=False)) as connection:
        connection.execute("BEGIN")
        connection.executemany(SQLITE_INSERT, rows)
        connection.execute("COMMIT")
    section.add("SQLite, rows", path.stat().st_size / len(rows), "bytes", note=note)
