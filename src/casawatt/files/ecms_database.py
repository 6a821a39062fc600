"""The table `energy_consumption` that the first ECMS collector filled in MariaDB or MySQL."""

import importlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from casawatt.files.database import MYSQL, AskPassword, connected
from casawatt.files.import_report import Report
from casawatt.files.importable import BATCH_ROWS, Batch, Series, Understood
from casawatt.files.tally import Tally
from casawatt.model.errors import ImportFileError
from casawatt.model.meter import Cadence, Traits
from casawatt.recordings.row import Row
from casawatt.recordings.stamps import LocalStamps

if TYPE_CHECKING:
    from sqlalchemy import Connection

TABLE = "energy_consumption"
COLUMNS = ("updated_at", "idDevice", "macAddress", "sensorData")
DEVICE = "ecms"
SOURCES = ("ecms_udp", "ecms_mqtt")
"""The sources that may hear the same nodes now."""

GAP_LIMIT_MS = 60_000
STEP_S = 10.0
APPLIANCES = {
    1: "washing-machine",
    2: "fridge",
    3: "dishwasher",
    4: "dryer",
    5: "air-conditioner",
    6: "oven",
    7: "microwave",
}
"""What the codes mean that the nodes send with each packet."""

WRAPS = (
    "these nodes' current starts again at zero above 5.10 A (about 1.18 kW): what stronger appliances used beyond that"
    " cannot be known"
)

_PROBES = [
    f"{year}-{day} 12:00:00" for year in range(2015, 2031) for day in ("01-15", "03-27", "07-15", "10-24", "11-03")
]
_FIXED = {hours * 3600: f"Etc/GMT{-hours:+d}" if hours else "UTC" for hours in range(-12, 15)}
_SAMPLE_ROWS = 5


def slug_of(code: int | None, address: str) -> str:
    """Return the meter that a node's rows go to when nobody says another: its appliance and the end of its address."""
    tail = "".join(character for character in address.lower() if character.isalnum())[-6:] or "unknown"
    return f"{APPLIANCES.get(code or 0, 'node')}-{tail}"


class EcmsDatabase:
    """A database of the first ECMS collector that is to be imported."""

    def __init__(
        self,
        address: str,
        *,
        home_zone: ZoneInfo,
        timezone: str | None,
        nominal_voltage_v: float,
        ask: AskPassword,
    ) -> None:
        """Look into the database. `timezone` is that of its times, None: as the server has it.

        Raises ImportFileError when it cannot be reached or read, or its zone cannot be told.
        """
        self._address = address
        self._ask = ask
        self._nominal_voltage_v = nominal_voltage_v
        with connected(address, ask, MYSQL) as connection:
            _check(connection, address)
            self._zone = ZoneInfo(timezone) if timezone else _zone_of(connection, address, home_zone)
            nodes = _nodes(connection)
            self._total = sum(count for count, _, _ in nodes.values())
            if not self._total:
                raise ImportFileError(f"{address}: the table {TABLE} is empty")
            report = Report(home_zone)
            sample = next(self._read(connection, report), [])[:_SAMPLE_ROWS]
        self.understood = Understood(
            origin=address,
            summary=f"{self._total} rows of {len(nodes)} nodes in {TABLE}; times are {self._zone.key}"
            + ("" if timezone else ", as the server has it"),
            series=tuple(
                Series(
                    name=mac,
                    what=f"{APPLIANCES.get(code or 0, 'unknown appliance')}, {count} rows, {span}",
                    slug=slug_of(code, mac),
                    address=mac,
                )
                for mac, (count, code, span) in nodes.items()
            ),
            traits=Traits(cadence=Cadence.CHANGE, gap_limit_ms=GAP_LIMIT_MS),
            by_register=False,
            step_s=STEP_S,
            notes=(
                "current becomes power by the meter's calibration, as it does for the nodes themselves",
                WRAPS,
            ),
            rows=tuple(row for _, row in sample),
            refused=tuple((each.place, each.detail) for each in report.rejections),
        )

    def batches(self, wanted: Mapping[str, str], report: Report) -> Iterator[Batch]:
        """Yield the rows by node, as the server sends them; memory stays bounded."""
        tallies: dict[str, Tally] = {}
        with connected(self._address, self._ask, MYSQL) as connection:
            for chunk in self._read(connection, report):
                by_node: dict[str, list[tuple[int, Row]]] = {}
                for row_number, row in chunk:
                    by_node.setdefault(row.part, []).append((row_number, row))
                for mac, numbered in by_node.items():
                    if mac not in wanted:
                        report.left_out[mac] += len(numbered)
                        continue
                    report.readings += len(numbered)
                    numbers, rows = zip(*numbered, strict=True)
                    if mac not in tallies:
                        tallies[mac] = Tally(report, mac, GAP_LIMIT_MS, self._nominal_voltage_v)
                    for row in rows:
                        tallies[mac].add(row)
                    done_ratio = min(1.0, report.lines / self._total)
                    yield Batch(mac, rows, numbers, f"{TABLE}, row ", DEVICE, done_ratio)

    def _read(self, connection: "Connection", report: Report) -> Iterator[list[tuple[int, Row]]]:
        """Yield the rows, with their number as the server gives them, some at a time."""
        sql = importlib.import_module("sqlalchemy")
        query = sql.select(*(sql.column(name) for name in COLUMNS)).select_from(sql.table(TABLE))
        stamps: dict[str, LocalStamps] = {}
        row_number = 0
        streaming = connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
        for part in streaming.execute(query).partitions(BATCH_ROWS):
            chunk = []
            for stamp, _, mac, current_a in part:
                row_number += 1
                report.lines += 1
                row = self._row(stamp, mac, current_a, stamps)
                if isinstance(row, Row):
                    chunk.append((row_number, row))
                else:
                    report.reject(f"{TABLE}, row {row_number}", f"{stamp}, {mac}, {current_a}", *row)
            yield chunk

    def _row(
        self, stamp: object, mac: object, current_a: object, stamps: dict[str, LocalStamps]
    ) -> Row | tuple[str, str]:
        """Return what a row of the table says, or the cause and the detail of why it cannot be used."""
        name = address_of(mac)
        if not name:
            return "address", "it names no node"
        if not isinstance(stamp, datetime):
            return "time", "its time cannot be read"
        if not isinstance(current_a, int | float | Decimal):
            return "empty" if current_a is None else "number", "it has no current"
        if name not in stamps:
            stamps[name] = LocalStamps(self._zone)
        return Row(time_ms=stamps[name].utc_ms(stamp), part=name, current_a=float(current_a))


def address_of(mac: object) -> str:
    """Return a node's address in lower case, empty for none."""
    return "" if mac is None else str(mac).strip().lower()


def _check(connection: "Connection", address: str) -> None:
    inspector: Any = importlib.import_module("sqlalchemy").inspect(connection)
    if not inspector.has_table(TABLE):
        known = ", ".join(inspector.get_table_names()) or "none"
        raise ImportFileError(f"{address}: there is no table {TABLE}; there are: {known}")
    there = {each["name"] for each in inspector.get_columns(TABLE)}
    if missing := [name for name in COLUMNS if name not in there]:
        raise ImportFileError(
            f"{address}: the table {TABLE} has no column {missing[0]}; it has {', '.join(sorted(there))}"
        )


def _zone_of(connection: "Connection", address: str, home_zone: ZoneInfo) -> ZoneInfo:
    """Return the zone in which the server's session reads times, as the collector's session wrote them.

    The server is asked what some times of the wall clock are, because its own name for its zone (`SYSTEM`, `CEST`) says
    too little: either they are as at home, or always the same from UTC. Raises ImportFileError when they are neither.
    """
    sql = importlib.import_module("sqlalchemy")
    query = sql.select(*(sql.func.unix_timestamp(probe).label(f"probe{place}") for place, probe in enumerate(_PROBES)))
    answers = [float(answer) for answer in connection.execute(query).one()]
    local = [datetime.fromisoformat(probe) for probe in _PROBES]
    if all(stamp.replace(tzinfo=home_zone).timestamp() == said for stamp, said in zip(local, answers, strict=True)):
        return home_zone
    offsets = {round(stamp.replace(tzinfo=UTC).timestamp() - said) for stamp, said in zip(local, answers, strict=True)}
    if len(offsets) == 1 and (fixed := _FIXED.get(offsets.pop())):
        return ZoneInfo(fixed)
    raise ImportFileError(
        f"{address}: the server's time zone is neither {home_zone.key} nor a fixed one: say it with --timezone"
    )


def _nodes(connection: "Connection") -> dict[str, tuple[int, int | None, str]]:
    """Return for each node how many rows it has, the appliance code that most of them have, and their span in words."""
    sql = importlib.import_module("sqlalchemy")
    stamp, code, mac = (sql.column(name) for name in COLUMNS[:3])
    query = (
        sql.select(mac, code, sql.func.count(), sql.func.min(stamp), sql.func.max(stamp))
        .select_from(sql.table(TABLE))
        .group_by(mac, code)
        .order_by(sql.func.count().desc(), mac)
    )
    found: dict[str, tuple[int, int | None, str]] = {}
    for raw, kind, count, first, last in connection.execute(query):
        name = address_of(raw)
        if name:
            known = found.get(name)
            span = f"{first} to {last}"
            found[name] = (known[0] + count, *known[1:]) if known else (count, kind, span)
    return found
