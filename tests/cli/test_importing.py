"""`casawatt import` as it is typed: what is shown, asked, refused and reported."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Said, Typed

SECRET = "hunter2"


@pytest.fixture
def days(tmp_path: Path) -> Path:
    folder = tmp_path / "mcce" / "days"
    folder.mkdir(parents=True)
    for day, power_w in (("2023-01-31", 360), ("2023-02-01", 720)):
        (folder / day).write_text(f"{power_w}\n{power_w + 10}\n" * 8640 + "1000\n")
    return folder.parent


def csv(tmp_path: Path, text: str) -> str:
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def energy_wh(home: Typed, meter: str, start: str, end: str) -> float:
    said = home("export", meter, "--resolution", "day", "--start", start, "--end", end)
    return sum(float(line.split(",")[2]) for line in said.out.splitlines()[1:])


def report_of(said: Said) -> dict[str, Any]:
    assert said.code == 0, said.err
    report: dict[str, Any] = json.loads(said.out)
    return report


def test_a_preview_tells_what_goes_where_and_records_nothing(home: Typed, days: Path, tmp_path: Path) -> None:
    said = home("import", "mcce", str(days), "--meter", "mains", "--preview")
    assert said.code == 0
    assert "2 day files from 2023-01-31 to 2023-02-01" in said.out
    assert "new" in said.out
    assert not (tmp_path / "data").exists()
    as_json = json.loads(home("import", "mcce", str(days), "--meter", "mains", "--preview", "--json").out)
    assert [(each["name"], each["slug"]) for each in as_json["series"]] == [("", "mains")]
    assert as_json["traits"]["gap_limit_ms"] == 15_000


def test_totals_stand_beside_the_sources_own(home: Typed, days: Path) -> None:
    said = home("import", "mcce", str(days), "--meter", "mains", "--yes")
    assert said.code == 0
    assert "34561 recorded, 0 there already, 0 rejected" in said.out
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert any(line.startswith("mains 2023-0") and "17.400 17.400 0.000" in line for line in lines), said.out
    again = report_of(home("import", "mcce", str(days), "--meter", "mains", "--json"))
    assert (again["recorded"], again["duplicates"], again["rejected"]) == (0, 34_561, {})


def test_what_is_rejected_without_a_text_of_its_own_ends_with_the_reason(home: Typed, days: Path) -> None:
    with (days / "days" / "2023-02-01").open("a", encoding="utf-8") as file:
        file.write("900\n" * 3)
    said = home("import", "mcce", str(days), "--meter", "mains", "--yes")
    assert "where the extra lines came in is not known\n" in said.out


def test_who_says_no_imports_nothing(home: Typed, days: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda question, **_: asked.append(question))
    assert home("import", "mcce", str(days), "--meter", "mains").code == 1
    assert asked == ["Import it into mains?"]
    assert json.loads(home("import", "mcce", str(days), "--meter", "mains", "--json").out)["duplicates"] == 0


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://pi:{SECRET}@127.0.0.1/power",
        f"postgresql://127.0.0.1/power?user=pi&password={SECRET}",
        f"mysql://pi:{SECRET}@127.0.0.1/ecms",
        f"mysql://pi:12/{SECRET}@127.0.0.1/ecms",
        f"postgresql://pi:#?{SECRET}@127.0.0.1:x/power",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(home: Typed, address: str) -> None:
    kind = ("mcce", address, "--meter", "mains") if address.startswith("postgres") else ("ecms", address)
    said = home("import", *kind, "--yes")
    assert said.code == 1
    assert "set CASAWATT_IMPORT_PASSWORD" in said.err
    assert SECRET not in said.out + said.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("mcce", "postgresql://pi@127.0.0.1:1/power"), "127.0.0.1:1/power: Can't create a connection"),
        (("mcce", "postgresql://pi@127.0.0.1"), "the name of the database is missing"),
        (("mcce", "oracle://pi@127.0.0.1/power"), "'oracle' is none of the databases"),
        (("mcce", "nowhere"), "there is no such file or folder"),
        (("ecms", "postgresql://pi@127.0.0.1/power"), "'postgresql' is none of the databases"),
        (("ecms", "ecms.db"), "write it like mysql://user@host/name"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_by_its_name(home: Typed, words: tuple[str, str], why: str) -> None:
    meter = ("--meter", "mains") if words[0] == "mcce" else ()
    said = home("import", *words, *meter, "--yes")
    assert said.code == 1
    assert why in said.err


def test_power_too_far_apart_for_a_meter_that_is_there_is_refused_before_anything_is_recorded(
    home: Typed, days: Path, tmp_path: Path
) -> None:
    home("import", "mcce", str(days), "--meter", "mains", "--yes")
    hourly = csv(tmp_path, "time,W\n2024-02-01T10:00:00Z,500\n2024-02-01T11:00:00Z,400\n")
    said = home("import", "csv", hourly, "--meter", "mains", "--yes")
    assert said.code == 1
    assert "takes readings more than 15 s apart for a gap, and these are 3600 s apart" in said.err
    register = csv(tmp_path, "time,kWh\n2024-02-01T10:00:00Z,5\n2024-02-01T11:00:00Z,7.5\n")
    assert home("import", "csv", register, "--meter", "mains", "--yes").code == 0
    assert energy_wh(home, "mains", "2024-02-01", "2024-02-02") == 2500


def test_a_meter_of_the_config_that_is_not_made_yet_is_held_to_its_own_gap_limit(home: Typed, tmp_path: Path) -> None:
    config = tmp_path / "config" / "casawatt" / "casawatt.toml"
    meter = '\n[meter.boiler]\nsource = "ecms_udp"\naddress = "5c:cf:7f:00:00:01"\n'
    config.write_text(config.read_text() + meter)
    hourly = csv(tmp_path, "time,W\n2024-02-01T10:00:00Z,500\n2024-02-01T11:00:00Z,400\n2024-02-01T12:00:00Z,0\n")
    said = home("import", "csv", hourly, "--meter", "boiler", "--yes")
    assert said.code == 1
    assert "takes readings more than 60 s apart for a gap" in said.err
    assert "write gap_limit_s = 9000 into its section before it is made, or import them" in said.err
    assert not (tmp_path / "data").exists()
    config.write_text(config.read_text() + "gap_limit_s = 9000\n")
    assert home("import", "csv", hourly, "--meter", "boiler", "--yes").code == 0
    assert energy_wh(home, "boiler", "2024-02-01", "2024-02-02") == 650


def test_an_import_that_broke_off_is_repeated_and_the_rest_follows(home: Typed, tmp_path: Path) -> None:
    rows = [f"{1_767_225_600 + second},{100 + second * 7919 % 1000}\n" for second in range(30_000)]
    whole = gzip.compress(("time_s,W\n" + "".join(rows)).encode())
    path = tmp_path / "file.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    broken = home("import", "csv", str(path), "--meter", "heater", "--yes")
    assert broken.code == 1
    assert "readings it came to an end; do it again" in broken.err
    assert "the file breaks off here" in broken.err
    path.write_bytes(whole)
    again = report_of(home("import", "csv", str(path), "--meter", "heater", "--json"))
    recorded, there = again["recorded"], again["duplicates"]
    assert (recorded + there, there % 5000) == (30_000, 0)
    assert min(recorded, there) > 0
    (month,) = again["months"]
    assert month["difference_wh"] == pytest.approx(0, abs=0.05)


def test_a_contradiction_is_reported_and_what_was_there_stays(home: Typed, tmp_path: Path) -> None:
    first = csv(tmp_path, "time,W\n2026-02-01T10:00:00Z,600\n2026-02-01T10:01:00Z,600\n")
    home("import", "csv", first, "--meter", "heater", "--yes")
    other = csv(tmp_path, "time,W\n2026-02-01T10:00:00Z,600\n2026-02-01T10:01:00Z,60\n2026-02-01T10:02:00Z,0\n")
    said = home("import", "csv", other, "--meter", "heater", "--yes")
    assert said.code == 1
    assert "1 recorded, 1 there already, 1 rejected" in said.out
    assert "line 3: the meter has another reading at that time already, which stays: 'power_w 60.0'" in said.out
    assert "rows were rejected: conflict" in said.out
    assert energy_wh(home, "heater", "2026-02-01", "2026-02-02") == 20


def test_an_export_tells_imported_devices_apart(home: Typed, days: Path, tmp_path: Path) -> None:
    home("import", "mcce", str(days), "--meter", "mains", "--yes")
    later = csv(tmp_path, "time,W\n2023-02-05T10:00:00Z,500\n2023-02-05T10:00:05Z,400\n")
    home("import", "csv", later, "--meter", "mains", "--yes")
    heading, *lines = home("export", "mains").out.splitlines()
    place = heading.split(",").index("device")
    assert {line.split(",")[place] for line in lines} == {"import mains", "import mains/mcce-days"}


EXAMPLES = [
    (
        "Datum;Zählerstand (kWh)\n01.02.2026 00:00;1.234,5\n01.02.2026 01:00;1.235,25\n",
        (),
        750.0,
    ),
    (
        "Von;Verbrauch\n01.02.2026 00:00;0,25\n01.02.2026 00:15;0,50\n01.02.2026 00:30;0,10\n",
        ("--unit", "Verbrauch=kWh/interval"),
        750.0,
    ),
    (
        "Date,Time,Kitchen,Voltage\n13/02/2026,14:05:00,1.2,229.8\n13/02/2026,14:06:00,0.9,230.1\n",
        ("--time-column", "Date", "--time-column", "Time", "--unit", "Kitchen=kW", "--unit", "Voltage=V"),
        20.0,
    ),
]


@pytest.mark.parametrize(("text", "words", "wh"), EXAMPLES, ids=["register", "energy of intervals", "two columns"])
def test_the_examples_of_the_docs_come_to_what_they_say(
    home: Typed, tmp_path: Path, text: str, words: tuple[str, ...], wh: float
) -> None:
    said = home("import", "csv", csv(tmp_path, text), "--meter", "house", *words, "--json")
    (month,) = report_of(said)["months"]
    assert (month["own_wh"], month["home_wh"]) == (pytest.approx(wh), pytest.approx(wh))


def test_home_assistant_needs_to_be_told_what_to_take(home: Typed, tmp_path: Path) -> None:
    said = home("import", "homeassistant", str(tmp_path / "nowhere.db"))
    assert said.code == 2
    (tmp_path / "text.db").write_text("x")
    assert "this is no SQLite database" in home("import", "homeassistant", str(tmp_path / "text.db")).err


def test_wrong_words_are_refused(home: Typed, days: Path) -> None:
    assert "cannot name a meter" in home("import", "mcce", str(days), "--meter", "Mains!", "--yes").err
    wrong_zone = home("import", "ecms", "mysql://pi@127.0.0.1/ecms", "--timezone", "Mars/Base")
    assert (wrong_zone.code, "no time zone is called 'Mars/Base'" in wrong_zone.err) == (2, True)
    assert home("import", "ecms", "mysql://pi@127.0.0.1/ecms", "--meter", "fridge").code in {1, 2}


def test_no_command_loads_the_databases_before_it_needs_them() -> None:
    check = "import sys, casawatt.cli; print([m for m in ('sqlalchemy', 'pg8000', 'pymysql') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
