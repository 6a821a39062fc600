"""`casawatt discover` beside a service, which does the looking: it has the ports."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from casawatt.discovery import HEARD
from tests.e2e.service import CONFIG, FRIDGE, METERS, ROOT, Service, free_udp_port, start, stop
from tests.test_service import until
from tests.virtual_plugs.mcee import VirtualMcee

STRANGER = "5c:cf:7f:00:00:99"


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[VirtualMcee]:
    with VirtualMcee(tmp_path / "dev" / "serial" / "by-id" / "usb-FTDI_A5") as meter:
        yield meter


@pytest.fixture
def service(tmp_path: Path, meter: VirtualMcee, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("TEST_DEVICES", str(tmp_path / "dev"))
    section = f'[source.mcee_serial]\nport = "{meter.link}"\npoll_s = 1\nanswer_timeout_s = 0.5\n'
    udp_port = free_udp_port()
    (tmp_path / "home.toml").write_text(CONFIG.format(port=udp_port) + METERS + section, encoding="utf-8")
    options = ("--config", str(tmp_path / "home.toml"), "--data", str(tmp_path / "data"))
    service = start(tmp_path, "serve", *options, udp_port=udp_port, module="tests.home_with_adapters")
    yield service
    stop(service)


def discover(folder: Path, *words: str) -> str:
    options = ("--config", str(folder / "home.toml"), "--data", str(folder / "data"), "--timeout", "1")
    done = subprocess.run(
        [sys.executable, "-m", "casawatt", "discover", *words, *options],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
    )
    return done.stdout


def test_the_service_tells_what_it_reads_and_what_it_has_heard(
    service: Service, meter: VirtualMcee, tmp_path: Path
) -> None:
    def heard() -> Any:
        service.send_v1(FRIDGE, 1.0)
        service.send_v1(STRANGER, 1.0, appliance=1)
        document = httpx.get(f"{service.url}/api/v1/meters").json()
        return len(document["new_devices"]) == 2 and not document["meters"][1]["silent"]

    until(heard)
    document = json.loads(discover(tmp_path, "--json"))
    assert [(each["name"], each["where"], each["channels"], each["adoptable"]) for each in document["found"]] == [
        ("Kitchen fridge", HEARD, [{"address": FRIDGE, "meter": "fridge"}], False),
        ("Washing machine", HEARD, [{"address": STRANGER, "meter": None}], True),
        ("Mains", str(meter.link), [{"address": "mcee", "meter": None}], True),
    ]
    assert [failure["source"] for failure in document["failed"]] == ["no_such_source"]
    assert document["found"] == httpx.get(f"{service.url}/api/v1/discovery").json()["found"]
    assert meter.unexpected == b""


def test_what_is_chosen_is_written_and_the_next_start_reads_it(
    service: Service, meter: VirtualMcee, tmp_path: Path
) -> None:
    said = discover(tmp_path, "--add", "mcee_serial/mcee=second-meter")
    assert "+[meter.second-meter]" in said
    assert "must be started anew" in said
    config = (tmp_path / "home.toml").read_text()
    assert config.count("[source.mcee_serial]") == 1
    assert config.endswith('[meter.second-meter]\nname = "Mains"\nsource = "mcee_serial"\naddress = "mcee"\n')
    assert httpx.get(f"{service.url}/api/v1/meters").json()["meters"][-1]["slug"] == "oven"
    assert meter.unexpected == b""
