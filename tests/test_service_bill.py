"""Bills and tariffs asked of the running service, and of its data when it does not run: they agree."""

import json
from pathlib import Path

import httpx

from tests.e2e.service import METERS
from tests.test_service import TestPlace, get, until

ITALIAN = """
[supply]
contracted_w = 3000

[[tariff]]
from = 2026-01-01
name = "Casa bioraria"
bands = "italian"
rates_per_kwh = {F1 = 0.30, F23 = 0.25}
excise_per_kwh = 0.0227
fixed_per_month = 9.30
power_per_kw_year = 21.90
vat_percent = 10
"""
START_MS = 1_769_900_400_000
"""2026-02-01T00:00:00+01:00, a Sunday: all of it is F23."""


def test_the_service_and_the_command_without_it_give_the_same_bill_and_correction(tmp_path: Path) -> None:
    with TestPlace(tmp_path, METERS + ITALIAN) as place:
        service = place.start()
        times = list(range(START_MS, START_MS + 3_600_001, 2_000))
        body = {"time_ms": times, "power_w": [1000.0] * len(times)}
        httpx.post(f"{service.url}/api/v1/meters/mains/readings", json=body).raise_for_status()
        until(lambda: get(service, "/healthz")["store"]["written_seq"] >= len(times))
        online = json.loads(place.run("bill", "2026-02", "--json"))
        assert online == get(service, "/api/v1/bill?start=2026-02-01&end=2026-03-01")
        amounts = {line["label"]: line["amount"] for line in online["lines"]}
        # 1 kWh at 0.25 and 0.0227; 9.30; 3 x 21.90 x 28/365 = 5.04; 10 % of 14.6127 = 1.46127.
        assert amounts == {
            "F23": "0.25",
            "excise": "0.02",
            "fixed charge": "9.30",
            "contracted power": "5.04",
            "VAT": "1.46",
        }
        assert (online["total"], online["exact_total"], online["energy_kwh"]) == ("16.07", "16.07397", 1.0)
        place.config.write_text(place.config.read_text().replace("F23 = 0.25", "F23 = 0.35"), encoding="utf-8")
        assert json.loads(place.run("bill", "2026-02", "--json")) == online
        asked = json.loads(place.run("tariffs", "correct", "--json"))
        assert [month["difference"] for month in asked["months"] if month["start"] == "2026-02-01"] == ["0.11"]
        service.process.kill()
        service.process.wait()
        assert json.loads(place.run("bill", "2026-02", "--json")) == online
        assert json.loads(place.run("tariffs", "correct", "--json")) == asked
        again = place.start()
        place_and_line = f"({place.config}:{place.config.read_text().splitlines().index('[[tariff]]') + 1})"
        assert f"the tariff 'Casa bioraria' from 2026-01-01 {place_and_line} would change" in "".join(again.said)
        assert json.loads(place.run("bill", "2026-02", "--json")) == online
        done = json.loads(place.run("tariffs", "correct", "--apply", "--json"))
        assert (done["applied"], done["months"]) == (True, asked["months"])
        assert get(again, "/api/v1/bill?period=2026-02")["exact_total"] == "16.18397"
        place.run("tariffs", "undo", "2")
        assert get(again, "/api/v1/bill?period=2026-02") == online


def test_all_claims_and_runs_there_are_can_be_asked_of_the_service(tmp_path: Path) -> None:
    with TestPlace(tmp_path, METERS + ITALIAN) as place:
        place.start()
        assert json.loads(place.run("split", "claims", "--json")) == {"claims": []}
        assert json.loads(place.run("runs", "--start", "1970-01-01", "--json"))["runs"] == []
