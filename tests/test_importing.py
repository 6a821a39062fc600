"""Imports into a running service, and beside it, and onto a disk without room."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.service import FRIDGE, GAP_LIMIT_S, ROOT, stop
from tests.fakes.databases import PASSWORD, free_port, mariadb, mysql
from tests.test_service import TestPlace, energy_wh, get, send_and_wait

LINES = 6000
SMALL_FILES_BYTES = 200_000


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestPlace]:
    with TestPlace(tmp_path) as place:
        yield place


@pytest.fixture
def days(tmp_path: Path) -> str:
    folder = tmp_path / "days"
    folder.mkdir()
    for day in ("2023-01-30", "2023-01-31", "2023-02-01"):
        lines = [f"{300 + place * place * 7919 % 2003}\n" for place in range(LINES)]
        (folder / day).write_text("".join(lines) + "rubbish\n")
    return str(folder)


def told(place: TestPlace, *words: str, code: int = 0) -> dict[str, Any]:
    """Run an import and return its report."""
    said = place.run("import", *words, "--json", code=code)
    report: dict[str, Any] = json.loads(said[said.index("{") :])
    return report


def test_an_import_comes_to_the_same_with_and_without_a_service(place: TestPlace, days: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    alone = TestPlace(tmp_path / "other")
    without = told(alone, "mcce", days, "--meter", "house", code=1)
    service = place.start()
    beside = told(place, "mcce", days, "--meter", "house", code=1)
    assert beside == without
    assert (beside["recorded"], beside["rejected"]) == (3 * LINES, {"number": 3})
    assert [each["month"] for each in beside["months"]] == ["2023-01", "2023-02"]
    assert beside["months"][0]["home_wh"] == pytest.approx(beside["months"][0]["own_wh"], abs=5)
    again = told(place, "mcce", days, "--meter", "house", code=1)
    assert (again["recorded"], again["duplicates"], again["months"]) == (0, 3 * LINES, beside["months"])
    stop(service)
    assert told(place, "mcce", days, "--meter", "house", code=1) == again
    assert place.run("export", "house") == alone.run("export", "house")
    place.run("doctor", "--deep", "--rebuild")


def test_history_of_a_node_goes_into_the_meter_that_hears_it_now(
    place: TestPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASAWATT_IMPORT_PASSWORD", PASSWORD)
    text = place.config.read_text(encoding="utf-8").replace(f"gap_limit_s = {GAP_LIMIT_S}", "gap_limit_s = 30")
    place.config.write_text(text, encoding="utf-8")
    service = place.start()
    send_and_wait(service, FRIDGE, "fridge", 1.0)
    with mariadb(free_port(), "UTC") as server:
        table = "(updated_at DATETIME, idDevice INT, macAddress VARCHAR(17), sensorData FLOAT)"
        rows = [f"(FROM_UNIXTIME({1_704_067_200 + at_s}), 2, '{FRIDGE.upper()}', 2.0)" for at_s in range(0, 361, 10)]
        mysql(server, None, "CREATE DATABASE ecms")
        mysql(server, "ecms", f"CREATE TABLE energy_consumption {table}")
        mysql(server, "ecms", f"INSERT INTO energy_consumption VALUES {', '.join(rows)}")  # noqa: S608 - as made above
        report = told(place, "ecms", server.address("ecms"))
    (month,) = report["months"]
    assert (report["recorded"], month["meter"], month["home_wh"]) == (37, "fridge", pytest.approx(46, abs=0.01))
    query = "start=2024-01-01T00:00:00Z&end=2024-01-02T00:00:00Z&bucket=day"
    total = get(service, f"/api/v1/meters/fridge/energy?{query}")["total"]
    assert total["energy_wh"] == month["home_wh"]


def test_a_running_service_goes_on_measuring_beside_an_import(place: TestPlace, days: str) -> None:
    service = place.start()
    send_and_wait(service, FRIDGE, "fridge", 1.0)
    importing = subprocess.Popen(
        [sys.executable, "-m", "casawatt", "import", "mcce", days, "--meter", "house", "--yes", *place.options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    while importing.poll() is None:
        send_and_wait(service, FRIDGE, "fridge", 1.0)
    said, _ = importing.communicate()
    assert f"{3 * LINES} recorded" in said.decode()
    assert energy_wh(service, "fridge") > 0
    assert httpx.get(service.url + "/healthz").json()["status"] == "ok"
    assert len(get(service, "/api/v1/meters")["meters"]) == 4


def test_an_import_onto_a_full_disk_says_so_and_is_whole_when_it_is_done_again(place: TestPlace, days: str) -> None:
    lines = [f"{place * place * 7919 % 2_000_003 / 1000}\n" for place in range(17_000)]
    for day in Path(days).iterdir():
        day.write_text("".join(lines))
    words = ("mcce", days, "--meter", "house")

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILES_BYTES, resource.RLIM_INFINITY))

    done = subprocess.run(
        [sys.executable, "-m", "casawatt", "import", *words, "--yes", *place.options],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "readings it came to an end; do it again" in done.stderr
    assert "the disk is full" in done.stderr
    report = told(place, *words)
    assert report["recorded"] + report["duplicates"] == 3 * len(lines)
    again = told(place, *words)
    assert (again["recorded"], again["months"]) == (0, report["months"])
    place.run("doctor", "--deep", "--rebuild")
