"""The first ECMS collector's table in a real MariaDB."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casawatt.files.ecms_database import EcmsDatabase, slug_of
from casawatt.files.import_report import Report
from casawatt.model.errors import ImportFileError
from tests.fakes.databases import PASSWORD, Server, free_port, mariadb, mysql
from tests.files.importing import ROME, imported

FRIDGE, OVEN = "5c:cf:7f:01:02:03", "5c:cf:7f:0a:0b:0c"
START_S = 1_704_067_200
"""2024-01-01T00:00:00Z."""

TABLE = "CREATE TABLE energy_consumption (updated_at DATETIME, idDevice INT, macAddress VARCHAR(17), sensorData FLOAT)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with mariadb(free_port(), "Europe/Rome") as server:
        yield server


@pytest.fixture
def database(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return the server with an empty table in a database `ecms`, its zone that of the machine: Rome."""
    monkeypatch.setenv("CASAWATT_IMPORT_PASSWORD", PASSWORD)
    mysql(server, None, "CREATE DATABASE ecms")
    mysql(server, "ecms", TABLE)
    yield server
    mysql(server, None, "SET GLOBAL time_zone = 'SYSTEM'", "DROP DATABASE ecms")


def insert(server: Server, rows: list[tuple[int, int, str, float]], zone: str | None = None) -> None:
    """Insert rows (seconds since 1970, appliance code, address, amperes) as the collector does."""
    values = ", ".join(f"(FROM_UNIXTIME({at_s}), {code}, '{mac}', {amps})" for at_s, code, mac, amps in rows)
    before = [f"SET time_zone = '{zone}'"] if zone else []
    mysql(server, "ecms", *before, f"INSERT INTO energy_consumption VALUES {values}")  # noqa: S608 - rows of this test


def ten_seconds(
    mac: str, code: int, current_a: float, count: int, start_s: int = START_S
) -> list[tuple[int, int, str, float]]:
    return [(start_s + 10 * place, code, mac, current_a) for place in range(count)]


def opened(server: Server, timezone: str | None = None) -> EcmsDatabase:
    return EcmsDatabase(
        server.address("ecms"), home_zone=ROME, timezone=timezone, nominal_voltage_v=230.0, ask=lambda: None
    )


def times_s(source: EcmsDatabase) -> list[float]:
    wanted = {each.name: "meter" for each in source.understood.series}
    return [row.time_ms / 1000 for batch in source.batches(wanted, Report(ROME)) for row in batch.rows]


def test_each_node_becomes_a_meter_and_again_the_same(database: Server, tmp_path: Path) -> None:
    insert(database, sorted([*ten_seconds(FRIDGE, 2, 0.5, 361), *ten_seconds(OVEN.upper(), 6, 4.0, 361)]))
    source = opened(database)
    assert source.understood.summary.startswith("722 rows of 2 nodes in energy_consumption; times are Europe/Rome")
    assert {each.name: each.slug for each in source.understood.series} == {FRIDGE: "fridge-010203", OVEN: "oven-0a0b0c"}
    assert any("5.10 A" in note for note in source.understood.notes)
    first = imported(tmp_path, source, **{OVEN: "forno"})
    assert first.counts == (722, 0, 0)
    assert first.month("2024-01", "fridge-010203")["home_wh"] == pytest.approx(115, abs=0.01)
    assert first.month("2024-01", "forno")["home_wh"] == pytest.approx(920, abs=0.01)
    assert all(abs(month["difference_wh"]) < 0.01 for month in first.months)
    again = imported(tmp_path, opened(database), **{OVEN: "forno"})
    assert (again.counts, again.months) == ((0, 722, 0), first.months)


def test_rows_that_cannot_be_are_rejected_by_their_number(database: Server, tmp_path: Path) -> None:
    insert(database, ten_seconds(FRIDGE, 2, 0.5, 3))
    strange = "(NULL, 2, '5c:cf:7f:01:02:03', 1), (NOW(), 2, NULL, 1), (NOW(), 2, '5c:cf:7f:01:02:03', NULL)"
    mysql(database, "ecms", "INSERT INTO energy_consumption VALUES " + strange)  # noqa: S608 - rows of this test
    insert(database, [(60, 2, FRIDGE, 1.0), (START_S, 2, FRIDGE, 3.0)])
    done = imported(tmp_path, opened(database))
    assert done.report.recorded == 3
    assert {each.place: each.cause for each in done.report.rejections} == {
        "energy_consumption, row 4": "time",
        "energy_consumption, row 5": "address",
        "energy_consumption, row 6": "empty",
        "energy_consumption, row 7": "out_of_range",
        "energy_consumption, row 8": "conflict",
    }


def test_nodes_that_nobody_wants_are_left_out(database: Server, tmp_path: Path) -> None:
    insert(database, [*ten_seconds(FRIDGE, 2, 0.5, 3), *ten_seconds(OVEN, 6, 4.0, 4)])
    done = imported(tmp_path, opened(database), **{OVEN: "-"})
    assert (done.counts, dict(done.report.left_out)) == ((3, 0, 0), {OVEN: 4})


@pytest.mark.parametrize("zone", ["SYSTEM", "+00:00", "+01:00", "-05:00"])
def test_the_server_is_asked_for_its_zone(database: Server, zone: str) -> None:
    mysql(database, None, f"SET GLOBAL time_zone = '{zone}'")
    summer_s = int(datetime(2024, 7, 1, tzinfo=UTC).timestamp())
    insert(database, [(START_S, 2, FRIDGE, 1.0), (summer_s, 2, FRIDGE, 1.0)])
    assert times_s(opened(database)) == [START_S, summer_s]


def test_a_zone_that_is_neither_the_homes_nor_a_fixed_one_must_be_said(database: Server) -> None:
    mysql(database, None, "SET GLOBAL time_zone = '+05:30'")
    insert(database, [(START_S, 2, FRIDGE, 1.0)])
    with pytest.raises(ImportFileError, match="say it with --timezone"):
        opened(database)
    assert times_s(opened(database, "Asia/Kolkata")) == [START_S]


def test_the_hour_that_comes_twice_is_told_apart_by_the_order_of_each_nodes_rows(database: Server) -> None:
    before_s = int(datetime(2024, 10, 26, 23, 0, tzinfo=UTC).timestamp())
    at_s = [before_s + 600 * place for place in range(24)]
    insert(database, [(each_s, 2, mac, 1.0) for each_s in at_s for mac in (FRIDGE, OVEN)])
    assert times_s(opened(database)) == [*at_s, *at_s]


def test_many_rows_need_no_more_memory_than_few(database: Server) -> None:
    row = f"FROM_UNIXTIME({START_S} + seq * 10), 2, '{FRIDGE}', 1.5"
    mysql(database, "ecms", f"INSERT INTO energy_consumption SELECT {row} FROM seq_1_to_60000")  # noqa: S608 - as above
    source = opened(database)
    tracemalloc.start()
    rows = sum(len(batch.rows) for batch in source.batches({FRIDGE: "fridge"}, Report(ROME)))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 60_000
    assert peak_bytes < 12_000_000  # all rows at once take about 30 MB


def test_a_database_that_is_none_of_ours_is_refused_and_why(database: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImportFileError, match="energy_consumption is empty"):
        opened(database)
    mysql(database, "ecms", "ALTER TABLE energy_consumption DROP COLUMN sensorData")
    with pytest.raises(ImportFileError, match="has no column sensorData"):
        opened(database)
    mysql(database, "ecms", "RENAME TABLE energy_consumption TO other")
    with pytest.raises(ImportFileError, match="there is no table energy_consumption; there are: other"):
        opened(database)
    mysql(database, "ecms", "RENAME TABLE other TO energy_consumption")
    for password in ("wrong", None):
        monkeypatch.setenv("CASAWATT_IMPORT_PASSWORD", password) if password else monkeypatch.delenv(
            "CASAWATT_IMPORT_PASSWORD"
        )
        with pytest.raises(ImportFileError, match="user or password were refused") as caught:
            opened(database)
        assert "CASAWATT_IMPORT_PASSWORD" in str(caught.value)


def test_a_password_that_the_server_wants_and_nobody_has_set_is_asked_for(
    database: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CASAWATT_IMPORT_PASSWORD")
    insert(database, ten_seconds(FRIDGE, 2, 0.5, 3))
    asked: list[str] = []

    def answer() -> str:
        asked.append("password")
        return PASSWORD

    source = EcmsDatabase(database.address("ecms"), home_zone=ROME, timezone=None, nominal_voltage_v=230.0, ask=answer)
    assert len(times_s(source)) == 3
    assert PASSWORD not in repr(source.understood)
    assert asked


def test_the_slug_of_a_node_tells_its_appliance_and_its_address() -> None:
    assert slug_of(1, FRIDGE) == "washing-machine-010203"
    assert slug_of(99, "AA-BB") == "node-aabb"
    assert slug_of(None, "::") == "node-unknown"
