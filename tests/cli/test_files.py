"""Import and export, meters, backup and restore, without a running service."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Typed

HEADING = "time;power (kW)\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [f"2026-01-01T00:{minute:02}:00+01:00;0,6\n" for minute in range(31)]
    path = tmp_path / "heater.csv"
    path.write_text(HEADING + "".join(lines) + "2026-01-01T00:31:00+01:00;much\n", encoding="utf-8")
    return path


def test_a_preview_records_nothing(home: Typed, file: Path) -> None:
    said = home("import", "csv", str(file), "--meter", "heater", "--preview")
    assert said.code == 0
    assert "a line every 60 s" in said.out
    assert "kW" in said.out
    assert not (file.parent / "data").exists()


def test_an_import_makes_the_meter_and_reports_rejected_lines(home: Typed, file: Path) -> None:
    said = home("import", "csv", str(file), "--meter", "heater", "--yes")
    assert said.code == 1
    assert "31 recorded, 0 there already, 1 rejected" in said.out
    assert "line 33" in said.out
    assert "much" in said.out
    again = home("import", "csv", str(file), "--meter", "heater", "--yes")
    assert "0 recorded, 31 there already, 1 rejected" in again.out


def test_what_was_imported_is_exported_whole(home: Typed, file: Path, tmp_path: Path) -> None:
    home("import", "csv", str(file), "--meter", "heater", "--yes")
    raw, again = tmp_path / "raw.csv", tmp_path / "again.csv"
    assert home("export", "heater", str(raw)).code == 0
    assert home("import", "csv", str(raw), "--meter", "copy", "--yes").code == 0
    assert home("export", "copy", str(again)).code == 0
    assert raw.read_text(encoding="utf-8") == again.read_text(encoding="utf-8")
    assert len(raw.read_text(encoding="utf-8").splitlines()) == 32


def test_energy_is_exported_with_its_coverage(home: Typed, file: Path) -> None:
    home("import", "csv", str(file), "--meter", "heater", "--yes")
    day = ("--start", "2025-12-31", "--end", "2026-01-01", "--resolution", "day")
    heading, row = home("export", "heater", *day).out.splitlines()
    energy_wh = dict(zip(heading.split(","), row.split(","), strict=True))["energy_wh"]
    assert energy_wh == "300"


def test_parquet_is_written_by_the_name_of_the_file(home: Typed, file: Path, tmp_path: Path) -> None:
    home("import", "csv", str(file), "--meter", "heater", "--yes")
    target = tmp_path / "heater.parquet"
    assert home("export", "heater", str(target)).code == 0
    assert target.read_bytes()[:4] == b"PAR1"


def test_an_unknown_meter_a_bad_time_and_a_missing_file_are_told(home: Typed, file: Path) -> None:
    home("import", "csv", str(file), "--meter", "heater", "--yes")
    unknown = home("export", "oven")
    assert (unknown.code, "no meter 'oven'; there are: heater" in unknown.err) == (1, True)
    assert home("export", "heater", "--start", "someday").code == 2
    assert home("export", "heater", "--start", "now", "--end", "yesterday").code == 2
    assert home("import", "csv", "nowhere.csv", "--meter", "heater").code == 2


def test_a_file_that_means_nothing_is_refused_with_its_name(home: Typed, tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_text("Nel mezzo del cammin\ndi nostra vita\n", encoding="utf-8")
    said = home("import", "csv", str(path), "--meter", "heater", "--yes")
    assert said.code == 1
    assert "poem.txt" in said.err


def test_a_device_is_adopted_without_a_service(home: Typed) -> None:
    said = home("meters", "adopt", "fridge", "ecms_udp", "5c:cf:7f:01:02:03", "--name", "Frigo")
    assert said.code == 0
    (meter,) = json.loads(home("meters", "--json").out)["meters"]
    assert (meter["slug"], meter["name"], meter["power_w"], meter["silent"]) == ("fridge", "Frigo", None, True)
    assert home("meters", "adopt", "Fridge!", "ecms_udp", "x").code == 1


def test_a_backup_brings_everything_back(home: Typed, file: Path, tmp_path: Path) -> None:
    home("import", "csv", str(file), "--meter", "heater", "--yes")
    before = home("export", "heater").out
    copy = tmp_path / "home.casawatt"
    assert home("backup", str(copy)).code == 0
    other = ("--data", str(tmp_path / "elsewhere"))
    assert home("restore", str(copy), *other).code == 0
    assert home("export", "heater", *other).out == before
    assert home("backup", str(copy)).code == 1
    whole = copy.read_bytes()
    for damaged in (whole[:-2000], whole[:5000] + b"x" + whole[5001:], b"", b"SQLite format 3"):
        copy.write_bytes(damaged)
        said = home("restore", str(copy), "--data", str(tmp_path / "third"))
        assert said.code == 4
        assert "no whole backup" in said.err
