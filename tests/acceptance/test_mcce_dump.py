"""The database of a real MCEE installation, loaded into a real PostgreSQL and imported by the command itself."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Typed, home, typed
from tests.fakes.databases import PASSWORD, Server, postgres, psql

__all__ = ["home", "typed"]

DATABASE = "pwrapp"
TOTAL = re.compile(r"^(\d{4}-\d\d-\d\d)\t([\d.]+)$", re.MULTILINE)
TABLE = re.compile(r'^COPY public\."(\d{4}-\d\d-\d\d)" .*?;\n(.*?)^\\\.$', re.MULTILINE | re.DOTALL)

KWH_ROUNDING = 0.005
"""`avg` is rounded to 0.01 kWh."""

LINE_H = 5 / 3600
"""How long a line of a day file stands for; `avg` counts that of the next midnight too."""


@pytest.fixture
def dump(shared_data: Path) -> str:
    with gzip.open(shared_data / "mcce" / "pwrapp_postgres_dump.sql.gz", "rt", encoding="utf-8") as file:
        text = file.read()
    # Not every machine has the language that the dump was made with; it decides nothing but the order of texts.
    return text.replace(" LOCALE = 'en_US.utf8'", "")


@pytest.fixture
def server(dump: str, free_tcp_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("CASAWATT_IMPORT_PASSWORD", PASSWORD)
    with postgres(free_tcp_port) as server:
        psql(server, "postgres", dump)
        yield server


def totals_kwh(dump: str) -> dict[str, float]:
    """Return what table `avg` says of each day."""
    return {day: float(kwh) for day, kwh in TOTAL.findall(dump[dump.index("COPY public.avg") :])}


def closing_w(dump: str) -> dict[str, float]:
    """Return the last row of each day's table: the one line of the next midnight."""
    return {day: float(rows.splitlines()[-1].split("\t")[1]) for day, rows in TABLE.findall(dump)}


def days_kwh(home: Typed) -> dict[str, float]:
    """Return what casawatt says of each day."""
    _, *lines = home("export", "mains", "--resolution", "day", "--end", "2023-01-19").out.splitlines()
    fields = [line.split(",") for line in lines]
    return {start[:10]: float(energy_wh) / 1000 for start, _, energy_wh, *_ in fields}


def imported(home: Typed, server: Server) -> dict[str, Any]:
    said = home("import", "mcce", server.address(DATABASE), "--meter", "mains", "--json")
    assert said.code == 0, said.err
    report: dict[str, Any] = json.loads(said.out)
    return report


def test_the_dump_gives_the_kilowatt_hours_of_its_own_totals_once_and_twice(
    home: Typed, server: Server, dump: str
) -> None:
    totals, closing = totals_kwh(dump), closing_w(dump)
    assert len(totals) == len(closing) == 18
    first = imported(home, server)
    assert (first["recorded"], first["duplicates"], first["rejected"], first["notes"]) == (450, 0, {}, [])
    days = days_kwh(home)
    assert days.keys() == totals.keys()
    for day, total_kwh in totals.items():
        one_line_kwh = closing[day] * LINE_H / 1000
        assert days[day] + one_line_kwh == pytest.approx(total_kwh, abs=KWH_ROUNDING + 1e-4), day
        assert round(days[day] + one_line_kwh, 2) == total_kwh, day
    (month,) = first["months"]
    assert month["own_wh"] == pytest.approx(sum(totals.values()) * 1000)
    assert abs(month["difference_wh"]) < 18 * KWH_ROUNDING * 1000
    assert month["reason"] == "avg is rounded to 0.01 kWh a day, and counts the next midnight's line"
    again = imported(home, server)
    assert (again["recorded"], again["duplicates"], again["months"]) == (0, 450, first["months"])
    assert days_kwh(home) == days
