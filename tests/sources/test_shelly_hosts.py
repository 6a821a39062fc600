"""Shellys at their addresses: what is asked of them, what is heard, and what becomes of those that fail."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web

from casawatt.model.errors import ConfigError, PacketError
from casawatt.sources import shelly
from casawatt.sources.shelly_discover import describe
from casawatt.sources.shelly_rpc import login_for
from casawatt.transports.http import ANSWER_BYTES_MAX, client
from tests.fakes.clock import START_MS
from tests.fakes.inbox import RecordingInbox
from tests.virtual_plugs.shelly import Gen1, Gen2, Server
from tests.virtual_plugs.shelly_circuits import Circuit, ThreePhases
from tests.virtual_plugs.shelly_time import VirtualTime, play

PLUG = "shellyplugsg3-e4b063d8a1b4"


def steady(power_w: float) -> Circuit:
    return Circuit(lambda _: power_w)


@asynccontextmanager
async def reading(inbox: RecordingInbox, time: VirtualTime, *hosts: str, **options: object) -> AsyncIterator[None]:
    """Run the source on these hosts while entered."""
    config = shelly.Config(hosts=list(hosts), discover=False, **options)  # type: ignore[arg-type] # see there
    task = asyncio.create_task(shelly.run(config, inbox, wait=time.wait))
    task.add_done_callback(time.look_again)
    try:
        await time.until(lambda: task.done() or time.sleeping == len(hosts))
        if task.done():
            task.result()
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def inbox() -> RecordingInbox:
    return RecordingInbox()


@pytest.fixture
def time(inbox: RecordingInbox) -> VirtualTime:
    return VirtualTime(inbox.clock)


async def test_a_plug_tells_its_status_then_each_change(inbox: RecordingInbox, time: VirtualTime) -> None:
    circuit = Circuit(lambda now_ms: 60.0 if now_ms >= START_MS + 3000 else 0.0)
    circuit.tick(START_MS)
    async with Gen2(inbox.clock, circuit) as plug, reading(inbox, time, plug.host):
        await play(time, [plug], START_MS + 5000)
        assert plug.faults == []
        assert plug.requests == ["Shelly.GetStatus"]
    first, minute, change = inbox.readings
    assert (minute.time_ms, minute.power_w, minute.register_wh) == (START_MS + 1000, 0.0, 0.0)
    assert (first.address, first.power_w, first.voltage_v, first.register_wh) == (f"{PLUG}/switch:0", 0.0, 230.0, 0.0)
    assert (change.time_ms, change.power_w, change.current_a, change.register_wh) == (START_MS + 3000, 60, 0.261, None)
    assert first.boot_id == change.boot_id == START_MS // 60_000
    assert not inbox.refused


async def test_a_whole_status_is_asked_for_at_even_times(inbox: RecordingInbox, time: VirtualTime) -> None:
    circuit = steady(60.0)
    circuit.tick(START_MS)
    async with Gen2(inbox.clock, circuit) as plug, reading(inbox, time, plug.host, refresh_s=20):
        await play(time, [plug], START_MS + 60_000)
        assert plug.requests == ["Shelly.GetStatus"] * 4
    assert inbox.readings[-1].register_wh == 1.0


def test_the_digest_is_the_vendors() -> None:
    challenge = {"auth_type": "digest", "nonce": 1625038762, "nc": 1, "realm": "shellypro4pm-f008d1d8b8b8"}
    login = login_for(json.dumps(challenge | {"algorithm": "SHA-256"}), "mysecretpassword", "313273957")
    assert login == {
        "realm": "shellypro4pm-f008d1d8b8b8",
        "username": "admin",
        "nonce": 1625038762,
        "cnonce": "313273957",
        "response": "e80ca757a7752d0b71bcc050a2a8a8a22c05a79e444890b9b1eef24389ae24c2",
        "algorithm": "SHA-256",
    }
    for unknown in (challenge | {"algorithm": "MD5"}, {"algorithm": "SHA-256"}):
        with pytest.raises(PacketError, match="not known"):
            login_for(json.dumps(unknown), "mysecretpassword", "313273957")


async def test_a_password_lets_in(inbox: RecordingInbox, time: VirtualTime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASAWATT_SHELLY_PASSWORD", "open sesame")
    new = Gen2(inbox.clock, steady(60.0), password="open sesame")
    old = Gen1(inbox.clock, lambda _: 40.0, password="open sesame")
    async with new, old, reading(inbox, time, new.host, old.host, refresh_s=10):
        await play(time, [new, old], START_MS + 10_000)
        assert new.faults == []
    assert {reading.address for reading in inbox.readings} == {f"{PLUG}/switch:0", "shellyplug-s-A1B2C3/meter:0"}
    assert not inbox.refused


@pytest.mark.parametrize(("password", "word"), [(None, "a password"), ("guessed", "another password")])
async def test_a_password_that_is_missing_or_wrong_is_refused_by_that_name(
    inbox: RecordingInbox,
    time: VirtualTime,
    monkeypatch: pytest.MonkeyPatch,
    password: str | None,
    word: str,
) -> None:
    monkeypatch.setenv("CASAWATT_SHELLY_PASSWORD", password or "")
    new = Gen2(inbox.clock, steady(60.0), password="open sesame")
    old = Gen1(inbox.clock, lambda _: 40.0, password="open sesame")
    async with new, old, reading(inbox, time, new.host, old.host):
        pass
    assert inbox.refused == {(PLUG, "password"): 1, (old.host, "password"): 1}
    assert all(word in detail for detail in inbox.details)
    assert inbox.readings == []


async def test_a_file_of_passwords_that_others_may_read_stops_the_source(
    inbox: RecordingInbox, time: VirtualTime, tmp_path: Path
) -> None:
    file = tmp_path / "passwords.toml"
    file.write_text('"192.168.1.20" = "secret"\n')
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        async with reading(inbox, time, "192.168.1.20", password_file=str(file)):
            pass


async def test_a_device_out_of_reach_is_tried_again_with_growing_pauses_and_disturbs_no_other(
    inbox: RecordingInbox, time: VirtualTime
) -> None:
    away, there = Gen2(inbox.clock, steady(1.0), "shellyplus1pm-aaaaaaaaaaaa"), Gen2(inbox.clock, steady(60.0))
    async with away, there:
        away.is_away = True
        async with reading(inbox, time, away.host, there.host, refresh_s=3600):
            assert inbox.refused == {(away.host, "connection"): 1}
            await play(time, [there], START_MS + 300_000)
            tries = inbox.refused[away.host, "connection"]
            assert tries == 1 + len([1, 3, 7, 15, 31, 63, 123, 183, 243])
            away.is_away = False
            await play(time, [there, away], START_MS + 310_000)
    addresses = [each.address for each in inbox.readings]
    assert addresses.count("shellyplus1pm-aaaaaaaaaaaa/switch:0") >= 1
    assert addresses.count(f"{PLUG}/switch:0") == 1 + 5 + 1
    assert inbox.causes() == {"connection": tries}


async def test_a_connection_that_ends_is_made_again(inbox: RecordingInbox, time: VirtualTime) -> None:
    async with Gen2(inbox.clock, steady(60.0)) as plug, reading(inbox, time, plug.host):
        await plug.drop()
        await time.until(lambda: bool(inbox.refused) and time.sleeping == 1)
        await play(time, [plug], START_MS + 2000)
    assert [each.power_w for each in inbox.readings] == [0.0, 60.0]
    assert inbox.refused == {(PLUG, "connection"): 1}


async def test_frames_that_make_no_sense_are_refused_and_the_rest_heard(
    inbox: RecordingInbox, time: VirtualTime
) -> None:
    async with Gen2(inbox.clock, steady(60.0)) as plug, reading(inbox, time, plug.host):
        (socket,) = plug.connections
        for frame in ('{"method": "NotifyStatus", "par', "[1, 2]", '{"method": "NotifyStatus"}', "[" * 100_000):
            await plug.send(socket, frame)
        for ignored in ('{"id": 77, "result": {}}', '{"method": "NotifyEvent", "params": {"events": []}}', "{}"):
            await plug.send(socket, ignored)
        await plug.notify("NotifyStatus", {"ts": START_MS / 1000, "switch:0": {"apower": "much"}})
        await plug.notify("NotifyStatus", {"ts": START_MS / 1000, "switch:0": {"apower": 7.0}, "weather:0": {"tC": 3}})
    assert inbox.causes() == {"format": 4, "number": 1}
    assert {sender for sender, _ in inbox.refused} == {PLUG}
    assert [each.power_w for each in inbox.readings] == [0.0, 7.0]


class Impostor(Server):
    """Something else that serves pages."""

    def __init__(self, body: str, status: int = 200) -> None:
        super().__init__()
        self._body = body
        self._status = status

    def routes(self) -> list[web.RouteDef]:
        async def serve(_request: web.Request) -> web.Response:
            return web.Response(text=self._body, status=self._status, content_type="text/html")

        return [web.get("/{path:.*}", serve)]


@pytest.mark.parametrize(
    ("body", "status", "cause"),
    [
        ("<html><body>router</body></html>", 200, "format"),
        ("[]", 200, "format"),
        ("x" * (ANSWER_BYTES_MAX + 1), 200, "format"),
        ("{}", 500, "connection"),
        ("{}", 301, "connection"),
        ("{}", 200, "format"),
        ('{"gen": 2}', 200, "format"),
        ('{"gen": 2, "id": "shellyplus1pm-aaaaaaaaaaaa"}', 200, "connection"),
        ('{"gen": "two"}', 200, "number"),
        ('{"type": "SHPLG-S", "mac": "DC4F22A1B2C3", "meters": 3}', 200, "format"),
        ('{"type": "SHPLG-S", "mac": "DC4F22A1B2C3"}', 200, "no_meter"),
    ],
)
async def test_what_is_no_shelly_is_refused(
    inbox: RecordingInbox, time: VirtualTime, body: str, status: int, cause: str
) -> None:
    async with Impostor(body, status) as impostor:
        config = shelly.Config(hosts=[impostor.host], discover=False)
        task = asyncio.create_task(shelly.run(config, inbox, wait=time.wait))
        await inbox.until(lambda inbox: bool(inbox.refused))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert set(inbox.causes()) == {cause}


@pytest.mark.parametrize("host", ["a..b", ".", "a" * 64 + ".local", "plug:99999", "plug:0"])
def test_a_host_that_cannot_be_one_is_refused_with_the_config(host: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        shelly.Config(hosts=[host])


async def test_a_device_without_a_meter_is_refused_once(inbox: RecordingInbox, time: VirtualTime) -> None:
    class Relay(Circuit):
        def status(self) -> dict[str, object]:
            return {"switch:0": {"id": 0, "output": True}}

    async with Gen2(inbox.clock, Relay(lambda _: 0.0)) as relay:
        await shelly.run(shelly.Config(hosts=[relay.host], discover=False), inbox, wait=time.wait)
    assert inbox.refused == {(PLUG, "no_meter"): 1}


async def test_a_device_at_two_hosts_is_read_once(inbox: RecordingInbox, time: VirtualTime) -> None:
    async with (
        Gen2(inbox.clock, steady(60.0)) as plug,
        reading(inbox, time, plug.host, plug.host.replace("127.0.0.1", "localhost")),
    ):
        await play(time, [plug], START_MS + 2000)
        assert len(plug.connections) == 1
    assert not inbox.refused


async def test_a_pro_3em_tells_three_phases_and_what_was_returned(inbox: RecordingInbox, time: VirtualTime) -> None:
    phases = ThreePhases(lambda _: 600.0, lambda _: 60.0, lambda _: -1200.0)
    phases.tick(START_MS)
    async with (
        Gen2(inbox.clock, phases, "shellypro3em-e4b063d8a1b4") as meter,
        reading(inbox, time, meter.host, refresh_s=3600),
    ):
        await play(time, [meter], START_MS + 120_000)
    last = {each.address.partition("/")[2]: each for each in inbox.readings if each.register_wh}
    assert {channel: each.register_wh for channel, each in last.items()} == {
        "em:0": 22.0,
        "em:0/return": 40.0,
        "em:0/a": 20.0,
        "em:0/b": 2.0,
        "em:0/c/return": 40.0,
    }
    powers = {each.address.partition("/")[2]: each.power_w for each in inbox.readings if each.power_w is not None}
    assert powers == {"em:0": -540.0, "em:0/a": 600.0, "em:0/b": 60.0, "em:0/c": -1200.0}


async def test_a_generation_1_meter_is_polled(inbox: RecordingInbox, time: VirtualTime) -> None:
    plug = Gen1(inbox.clock, lambda _: 60.0)
    meter = Gen1(inbox.clock, lambda _: 60.0, lambda _: 120.0, lambda _: -30.0)
    plug.tick(START_MS)
    meter.tick(START_MS)
    async with plug, meter, reading(inbox, time, plug.host, meter.host, poll_s=30):
        await play(time, [plug, meter], START_MS + 120_000)
    told = [each for each in inbox.readings if each.address == "shellyplug-s-A1B2C3/meter:0"]
    assert [each.received_ms - START_MS for each in told] == [0, 30_000, 60_000, 90_000, 120_000]
    assert all(each.time_ms is None and each.boot_id == START_MS // 60_000 for each in told)
    assert told[-1].power_w == 60.0
    assert told[-1].register_wh == pytest.approx(2.0, abs=1 / 60)
    last = {each.address: each.register_wh for each in inbox.readings if each.address.startswith("shellyem3")}
    assert last["shellyem3-A1B2C3/emeters"] == pytest.approx(6.0, abs=0.11)
    assert last["shellyem3-A1B2C3/emeters/return"] == pytest.approx(1.0, abs=0.06)


async def test_what_a_device_says_of_itself_before_it_is_read(inbox: RecordingInbox) -> None:
    new, locked = Gen2(inbox.clock, steady(60.0)), Gen2(inbox.clock, steady(60.0), password="open sesame")
    old = Gen1(inbox.clock, lambda _: 60.0)
    async with new, locked, old, client() as session:
        found = await describe(session, new.host, needs_hosts=True)
        assert found is not None
        assert (found.addresses, found.where, found.name) == ((f"{PLUG}/switch:0",), new.host, "Kettle")
        assert (found.model, found.options, found.note) == ("S3PL-00112EU", {"hosts": [new.host]}, None)
        found = await describe(session, locked.host, needs_hosts=False)
        assert found is not None
        assert (found.addresses, found.options) == ((), {})
        assert found.note is not None
        found = await describe(session, old.host, needs_hosts=False)
        assert found is not None
        assert (found.addresses, found.model) == (("shellyplug-s-A1B2C3/meter:0",), "SHPLG-S")
