"""Kasa and Tapo plugs through real sockets, well and unwell."""

import asyncio
import logging
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from casawatt.model.errors import ConfigError
from casawatt.sources.kasa import NEEDS_CREDENTIALS, PATIENCE, Config, discover, load_credentials, run
from tests.fakes.clock import ManualClock
from tests.fakes.inbox import RecordingInbox
from tests.virtual_plugs.kasa import LegacyPlug, Plug, legacy_beacon, utc_ms
from tests.virtual_plugs.tapo import PASSWORD, USER, TapoPlug, tapo_beacon

START_MS = utc_ms(2026, 3, 15, 10)
ROOT = Path(__file__).parents[2]
KASA_MAC, TAPO_MAC = "50:c7:bf:00:00:01", "48:22:54:00:00:01"

AnyPlug = LegacyPlug | TapoPlug


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASAWATT_KASA_USER", USER)
    monkeypatch.setenv("CASAWATT_KASA_PASSWORD", PASSWORD)


def plug_of(power_w: float = 100.0) -> Plug:
    return Plug(lambda _: power_w, START_MS)


class Running:
    """The source in virtual time, which moves only once as many tasks wait as attend a device.

    It moves to the earliest time that one of them waits for: what a device's answer takes in real time is none of it.
    """

    def __init__(self, config: Config, target: str, together: int) -> None:
        self.inbox = RecordingInbox(ManualClock(START_MS))
        self.pauses_s: list[float] = []
        self.plugs: list[Plug] = []
        self._together = together
        self._waiting: list[tuple[int, asyncio.Event]] = []
        self.task = asyncio.create_task(run(config, self.inbox, self._wait, target))

    async def _wait(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        over = asyncio.Event()
        self._waiting.append((self.inbox.clock.now_ms() + round(seconds * 1000), over))
        await asyncio.sleep(0)
        if len(self._waiting) >= self._together:
            earliest = min(self._waiting, key=lambda each: each[0])
            self._waiting.remove(earliest)
            due_ms, due = earliest
            self.inbox.clock.advance(max(0, due_ms - self.inbox.clock.now_ms()))
            for plug in self.plugs:
                plug.advance(self.inbox.clock.now_ms())
            due.set()
        await over.wait()

    async def until(self, condition: Callable[[RecordingInbox], bool]) -> None:
        await self.inbox.until(lambda inbox: condition(inbox) or self.task.done())
        if self.task.done():
            self.task.result()

    def count(self, address: str) -> int:
        return sum(reading.address == address for reading in self.inbox.readings)


@asynccontextmanager
async def running(config: Config, target: str = "127.0.0.1", together: int = 1) -> AsyncIterator[Running]:
    source = Running(config, target, together)
    try:
        yield source
    finally:
        source.task.cancel()
        await asyncio.gather(source.task, return_exceptions=True)


def both(a: AnyPlug, b: AnyPlug) -> Config:
    return Config(hosts=[a.address, b.address])


def made(kind: str) -> AnyPlug:
    if kind in ("KLAP", "AES"):
        return TapoPlug(plug_of(), way=kind)
    return LegacyPlug(plug_of(), newer=kind == "newer")


@pytest.mark.parametrize("kind", ["older", "newer", "KLAP", "AES"])
async def test_a_plug_is_read_in_whatever_way_it_wants_to_be_spoken_to(kind: str) -> None:
    async with made(kind) as device, running(Config(hosts=[device.address])) as source:
        await source.until(lambda inbox: len(inbox.readings) >= 3)
        first, second = source.inbox.readings[:2]
        assert first.address == (TAPO_MAC if kind in ("KLAP", "AES") else KASA_MAC)
        assert (first.source, first.power_w, first.register_wh, first.time_ms) == ("kasa", 100.0, 0.0, None)
        assert first.voltage_v == pytest.approx(230.5, abs=1)
        assert second.received_ms - first.received_ms == 10_000
        assert source.inbox.refused == {}
        assert device.wrong == []


async def test_the_sockets_of_a_strip_are_devices_of_their_own() -> None:
    powers = [10.0, 20.0, 30.0]
    async with LegacyPlug(*map(plug_of, powers)) as kasa, TapoPlug(*map(plug_of, powers)) as tapo:
        async with running(Config(hosts=[kasa.address, tapo.address])) as source:
            await source.until(lambda _: source.count(f"{KASA_MAC}/3") > 1 and source.count(f"{TAPO_MAC}/3") > 1)
            said = {reading.address: reading.power_w for reading in source.inbox.readings}
        wanted = {
            f"{mac}/{number}": power_w for mac in (KASA_MAC, TAPO_MAC) for number, power_w in enumerate(powers, 1)
        }
        assert said == wanted
        assert "Socket 2" in source.inbox.hints
        assert kasa.wrong + tapo.wrong == []


@pytest.mark.parametrize("mode", ["cut", "garbage"])
@pytest.mark.parametrize("kind", ["older", "KLAP"])
async def test_an_answer_that_is_broken_is_refused_and_the_next_good_one_taken(kind: str, mode: str) -> None:
    if (kind, mode) == ("KLAP", "cut"):
        mode = "silent"
    async with made(kind) as device, running(Config(hosts=[device.address])) as source:
        await source.until(lambda inbox: len(inbox.readings) >= 2)
        device.mode = mode
        await source.until(lambda inbox: len(inbox.refused) > 0)
        assert sum(source.inbox.refused.values()) >= 1
        assert all(device.address in detail for detail in source.inbox.details)
        device.mode = "well"
        before = len(source.inbox.readings)
        await source.until(lambda inbox: len(inbox.readings) > before + 2)


async def test_a_device_that_is_gone_is_tried_again_with_growing_pauses_and_disturbs_no_other() -> None:
    async with made("older") as gone, made("KLAP") as other, running(both(gone, other), together=2) as source:
        await source.until(lambda _: source.count(KASA_MAC) >= 2 and source.count(TAPO_MAC) >= 2)
        await gone.switch_off()
        source.pauses_s.clear()
        await source.until(lambda inbox: inbox.causes()["unreachable"] >= 8)
        longer_s = [pause_s for pause_s in source.pauses_s if pause_s > 10.0]
        assert longer_s[:7] == [20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]
        before = source.count(TAPO_MAC)
        await source.until(lambda _: source.count(TAPO_MAC) > before)
        assert {sender for sender, _ in source.inbox.refused} == {KASA_MAC, gone.address}
        await gone.switch_on()
        before = source.count(KASA_MAC)
        await source.until(lambda _: source.count(KASA_MAC) > before + 1)


async def test_a_host_that_python_kasa_cannot_make_an_address_of_disturbs_no_other() -> None:
    async with made("older") as plug, running(Config(hosts=["[::1]:1", plug.address])) as source:
        await source.until(lambda inbox: bool(inbox.refused) and len(inbox.readings) > 1)
        assert {sender for sender, _ in source.inbox.refused} == {"::1:1"}


@pytest.mark.parametrize("way", ["KLAP", "AES"])
async def test_a_wrong_password_is_said_and_shown_nowhere(
    way: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CASAWATT_KASA_PASSWORD", "hunter2-is-wrong")
    async with TapoPlug(plug_of(), way=way) as tapo, running(Config(hosts=[tapo.address])) as source:
        await source.until(lambda inbox: inbox.causes()["credentials"] >= 2)
        assert source.inbox.refused.keys() == {(tapo.address, "credentials")}
    assert "hunter2" not in caplog.text + str(source.inbox.details)
    assert USER not in caplog.text + str(source.inbox.details)


async def test_a_plug_that_restarts_is_logged_in_to_again() -> None:
    async with made("KLAP") as tapo, running(Config(hosts=[tapo.address])) as source:
        await source.until(lambda inbox: len(inbox.readings) >= 2)
        await tapo.switch_off()
        await tapo.switch_on()
        await source.until(lambda inbox: len(inbox.readings) >= 5)


async def test_another_plug_at_the_same_address_is_never_taken_for_the_first() -> None:
    async with made("KLAP") as tapo, running(Config(hosts=[tapo.address])) as source:
        await source.until(lambda inbox: len(inbox.readings) >= 2)
        tapo.mac = "48-22-54-00-00-02"
        await source.until(lambda _: source.count("48:22:54:00:00:02") >= 2)
        assert source.inbox.causes() == {"moved": 1}


async def test_a_history_that_does_not_answer_gives_readings_without_a_register_never_another_one() -> None:
    async with made("KLAP") as tapo:
        assert isinstance(tapo, TapoPlug)
        tapo.mode = "mute_history"
        async with running(Config(hosts=[tapo.address])) as source:
            await source.until(lambda inbox: len(inbox.readings) >= 3)
            assert {reading.register_wh for reading in source.inbox.readings} == {None}
            assert {reading.power_w for reading in source.inbox.readings} == {100.0}
            assert source.inbox.causes()["history"] >= 2
            tapo.mode = "well"
            before = len(source.inbox.readings)
            await source.until(lambda inbox: len(inbox.readings) > before + 2)
            assert source.inbox.readings[-1].boot_id == 2026


async def test_what_a_firmware_does_not_know_is_not_asked_again() -> None:
    async with made("KLAP") as tapo:
        assert isinstance(tapo, TapoPlug)
        tapo.live = False
        async with running(Config(hosts=[tapo.address])) as source:
            await source.until(lambda inbox: len(inbox.readings) >= 5)
        assert tapo.methods.count("get_emeter_data") <= 2
        assert tapo.methods.count("get_energy_data") <= 2


async def test_a_plug_without_a_meter_is_refused_and_seldom_asked() -> None:
    device = LegacyPlug(plug_of())
    device.metered = False
    async with device, running(Config(hosts=[device.address])) as source:
        await source.until(lambda inbox: inbox.causes()["no_meter"] >= 2)
        assert source.pauses_s[0] == 300.0


async def test_a_plug_under_two_names_is_asked_once() -> None:
    async with made("older") as device:
        twice = [device.address, device.address.replace("127.0.0.1", "localhost")]
        async with running(Config(hosts=twice)) as source:
            await source.until(lambda inbox: len(inbox.readings) >= 6)
        stamps = [reading.received_ms for reading in source.inbox.readings]
        assert len(set(stamps)) == len(stamps)


async def test_a_kasa_is_found_by_broadcast_and_read() -> None:
    host = "127.83.9.1"
    async with LegacyPlug(plug_of(), host=host, port=9999) as device, legacy_beacon(device):
        async with running(Config(), target=host) as source:
            await source.until(lambda inbox: len(inbox.readings) >= 3)
            await device.switch_off()
            await source.until(lambda inbox: inbox.causes()["unreachable"] >= PATIENCE)
            await device.switch_on()
            before = len(source.inbox.readings)
            await source.until(lambda inbox: len(inbox.readings) > before)
        (found,) = await discover(1.0, None, host)
        (other,) = await discover(1.0, Config(hosts=["10.0.0.1"]), host)
    assert (found.addresses, found.where, found.name, found.model) == ((KASA_MAC,), host, "Kitchen", "HS110")
    assert (found.options, found.note) == ({}, None)
    assert other.options == {"hosts": [host]}


async def test_a_tapo_is_found_by_broadcast_and_says_that_it_needs_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    host = "127.83.9.2"
    async with TapoPlug(plug_of(), host=host) as device, tapo_beacon(device):
        async with running(Config(discover=True), target=host) as source:
            await source.until(lambda inbox: len(inbox.readings) >= 3)
        assert (await discover(1.0, Config(), host))[0].note is None
        monkeypatch.delenv("CASAWATT_KASA_USER")
        monkeypatch.delenv("CASAWATT_KASA_PASSWORD")
        (found,) = await discover(1.0, Config(), host)
    assert (found.addresses, found.model, found.note) == ((TAPO_MAC,), "P110", NEEDS_CREDENTIALS)


def test_credentials_come_from_the_environment_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "account.toml"
    file.write_text('user = "b@example.org"\npassword = "p"\n', encoding="utf-8")
    file.chmod(0o600)
    found = load_credentials(str(file))
    assert found is not None
    assert (found.username, found.password) == (USER, PASSWORD)
    monkeypatch.delenv("CASAWATT_KASA_USER")
    with pytest.raises(ConfigError, match="belong together"):
        load_credentials(None)
    monkeypatch.delenv("CASAWATT_KASA_PASSWORD")
    assert load_credentials(None) is None
    found = load_credentials(str(file))
    assert found is not None
    assert found.username == "b@example.org"
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_credentials(str(file))
    file.chmod(0o600)
    file.write_text('user = "b"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="two lines"):
        load_credentials(str(file))


@pytest.mark.parametrize("options", [{"discover": False}, {"hosts": ["a b"]}, {"poll_s": 0.5}, {"colour": "red"}])
def test_options_that_cannot_be_used_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, Config)


def test_the_network_is_searched_when_no_hosts_are_named() -> None:
    assert [Config().searches, Config(hosts=["a"]).searches, Config(hosts=["a"], discover=True).searches] == [
        True,
        False,
        True,
    ]


WITHOUT_KASA = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "kasa":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from casawatt.app_sources import load_sources, source_names
from casawatt.config import parse
from casawatt.model.errors import ConfigError

assert "kasa" in source_names()
assert [source.name for source in load_sources(parse("[source.ecms_udp]", "c.toml"))] == ["ecms_udp"]
try:
    load_sources(parse("[source.kasa]", "c.toml"))
except ConfigError as error:
    print(error)
"""


def test_without_python_kasa_everything_else_works_and_the_remedy_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_KASA],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.stdout.startswith("c.toml:1: source.kasa: sources/kasa.py cannot be imported: ")
    assert "pip install 'casawatt[kasa]'" in done.stdout


def test_python_kasa_is_imported_in_one_file_alone() -> None:
    theirs = re.compile(r"^\s*(from|import) kasa\b", re.MULTILINE)
    files = [path for path in (ROOT / "src").rglob("*.py") if theirs.search(path.read_text(encoding="utf-8"))]
    assert [path.name for path in files] == ["kasa_link.py"]
