"""`casawatt bill` and `casawatt tariffs`, as they are typed, and the same over HTTP."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from casawatt.app_home import open_home, ports_of
from casawatt.cli.places import find
from casawatt.clock import WallClock
from casawatt.model.reading import Reading
from casawatt.web import create_app
from tests.cli.conftest import Typed
from tests.fakes.clock import ManualClock
from tests.web.homes import client_of

CONFIG = """\
[[tariff]]
from = 2026-01-01
name = "Casa"
rate_per_kwh = 0.25
fixed_per_month = 3.10
vat_percent = 10

[source.ecms_udp]

[meter.mains]
appliance = "mains"
source = "ecms_udp"
address = "a1"
"""

NOON_MS = round(datetime.fromisoformat("2026-03-10T12:00:00+01:00").timestamp()) * 1000
MARCH = ("--start", "2026-03-01", "--end", "2026-04-01")


@pytest.fixture
def home(typed: Typed, tmp_path: Path) -> Typed:
    """A home that used 1 kW from eleven to one."""
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, encoding="utf-8")
    place = find(None, None)
    with open_home(place.config, place.folder, ManualClock(NOON_MS)) as opened:
        for second in range(-3600, 3601, 10):
            at_ms = NOON_MS + second * 1000
            opened.recorder.put(
                Reading(source="ecms_udp", address="a1", received_ms=at_ms, time_ms=at_ms, power_w=1000.0)
            )
    return typed


def shown(home: Typed, *words: str) -> Any:
    said = home(*words, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_bill_is_printed_with_its_arithmetic_and_what_is_not_in_it(home: Typed) -> None:
    said = home("bill", "2026-03")
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    for part in (
        "mains, 2026-03-01 until before 2026-04-01",
        "Casa energy 0.50 2 kWh × 0.25 EUR/kWh = 0.50 EUR",
        "Casa VAT 0.36 10 % of 3.60 EUR = 0.36 EUR",
        "Total 3.96 EUR for 2.000 kWh.",
        "0.27 % of the time was measured",
    ):
        assert part in text


def test_how_little_of_the_period_before_was_measured_is_said(home: Typed) -> None:
    said = " ".join(home("bill", "--start", "2026-03-11", "--end", "2026-03-13").out.split())
    assert "The period before (2026-03-09 until before 2026-03-11): 0.77 EUR for 2.000 kWh" in said
    assert said.endswith("difference -0.55 EUR. Only 4 % of it was measured.")


def test_a_bill_as_json_is_the_same_by_its_name_and_by_its_days(home: Typed) -> None:
    bill = shown(home, "bill", "2026-03")
    assert bill == shown(home, "bill", *MARCH)
    assert (bill["total"], bill["exact_total"], bill["currency"], bill["complete"]) == ("3.96", "3.96", "EUR", True)
    assert (bill["energy_kwh"], bill["billed"], bill["before"]) == (2.0, "mains", None)
    assert [line["amount"] for line in bill["lines"]] == ["0.50", "3.10", "0.36"]


async def test_the_api_answers_what_the_command_prints(home: Typed) -> None:
    printed, listed = shown(home, "bill", "2026-03"), shown(home, "tariffs", "list")
    place = find(None, None)
    with open_home(place.config, place.folder, WallClock(), read_only=True) as opened:
        async with client_of(create_app(ports_of(opened, demo=False), pages=Path("nowhere"))) as client:
            assert (await client.get("/api/v1/bill", params={"period": "2026-03"})).json() == printed
            assert (await client.get("/api/v1/tariffs")).json() == listed
            refused = await client.get("/api/v1/bill", params={"period": "march"})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "period")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("march",), "'march' is no billing month; write this, last, or a month like 2026-10"),
        (("2026-03", "--start", "2026-03-01"), "give one or the other"),
        (("--end", "2026-03-01"), "a period that ends needs a first day"),
        (("--start", "2026-03-02", "--end", "2026-03-02"), "2026-03-02 is not after 2026-03-02"),
        (("--start", "2026-02-30"), "'2026-02-30' is no day"),
        (("--start", "1800-01-01"), "lies outside the years"),
        (("2025-03",), "the first tariff holds from 2026-01-01 on"),
    ],
)
def test_a_period_that_cannot_be_is_refused_with_the_reason(home: Typed, words: tuple[str, ...], said: str) -> None:
    answer = home("bill", *words)
    assert answer.code == 1
    assert said in answer.err


def test_tariffs_are_listed_corrected_and_taken_back(home: Typed, tmp_path: Path) -> None:
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    assert shown(home, "tariffs", "list")["tariffs"][0]["charges"] == {
        "rate_per_kwh": "0.25",
        "fixed_per_month": "3.10",
        "vat_percent": "10",
    }
    assert "nothing to correct" in home("tariffs", "correct").out
    file.write_text(CONFIG.replace("0.25", "0.35"), encoding="utf-8")
    assert "Casa, from 2026-01-01, is not taken" in home("tariffs", "list").out
    said = home("tariffs", "correct")
    assert "Nothing is changed yet" in said.out
    assert shown(home, "bill", "2026-03")["total"] == "3.96"
    done = shown(home, "tariffs", "correct", "--apply")
    assert done["applied"]
    assert [month for month in done["months"] if month["difference"] != "0.00"] == [
        {"start": "2026-03-01", "end": "2026-04-01", "before": "3.96", "after": "4.18", "difference": "0.22"}
    ]
    assert shown(home, "bill", "2026-03")["total"] == "4.18"
    assert home("tariffs", "undo", "2").code == 0
    assert shown(home, "bill", "2026-03")["total"] == "3.96"
    assert "there is no tariff 2 that stands" in home("tariffs", "undo", "2").err


def test_contracting_another_power_never_changes_what_time_past_cost(home: Typed, tmp_path: Path) -> None:
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    casa = CONFIG.replace("vat_percent = 10", "power_per_kw_year = 36.50")
    file.write_text("[supply]\ncontracted_w = 3000\n" + casa, encoding="utf-8")
    assert home("tariffs", "correct", "--apply").code == 0
    before = shown(home, "bill", *MARCH)
    assert "3 kW × 36.5 EUR per kW and year × 31 days" in str(before)
    file.write_text(file.read_text().replace("3000", "6000"), encoding="utf-8")
    assert shown(home, "bill", *MARCH) == before
    assert "Casa, from 2026-01-01, is not taken" in home("tariffs", "list").out
    assert {each["difference"] for each in shown(home, "tariffs", "correct")["months"]} >= {"9.30"}


def test_what_is_a_list_in_the_config_is_printed_in_words(home: Typed, tmp_path: Path) -> None:
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    band = '\n[[tariff.band]]\nname = "{}"\nrate_per_kwh = 0.3\n'
    bands = band.format("day") + 'days = ["mon", "tue"]\n' + band.format("rest")
    casa = f'[[tariff]]\nfrom = 2025-12-01\nname = "Bands"\nvat_percent = 10\nvat_free = ["energy", "fixed"]\n{bands}'
    file.write_text(casa + CONFIG[CONFIG.index("[source") :], encoding="utf-8")
    answer = home("tariffs", "list")
    assert answer.code == 0, answer.err
    said = " ".join(answer.out.split())
    assert "vat_free energy; fixed" in said
    assert "band name=day rate_per_kwh=0.3 days=mon,tue from=00:00 to=24:00;" in said
