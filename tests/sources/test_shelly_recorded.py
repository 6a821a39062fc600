"""Shellys through real sockets into a real store: the energy is right to the watt-hour, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from casawatt.model.reading import Reading
from casawatt.sources import shelly
from tests.fakes.clock import ManualClock
from tests.fakes.inbox import RecordingInbox
from tests.recorder import homes
from tests.recorder.homes import START_MS, TestHome, home_in
from tests.virtual_plugs.shelly import Gen1, Gen2
from tests.virtual_plugs.shelly_circuits import Circuit, ThreePhases, energy_wh
from tests.virtual_plugs.shelly_time import VirtualTime, play

PLUG = "shellyplugsg3-e4b063d8a1b4/switch:0"
MINUTE_MS = 60_000


class HomeInbox(RecordingInbox):
    """Hands readings on to a home's recorder, on whose clock the devices live."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.home: TestHome | None = None

    def put(self, reading: Reading, *, hint: str | None = None) -> int:
        super().put(reading, hint=hint)
        assert self.home is not None
        return self.home.recorder.put(reading, hint)


@asynccontextmanager
async def casawatt(
    folder: Path, inbox: HomeInbox, time: VirtualTime, host: str, meters: dict[str, str]
) -> AsyncIterator[TestHome]:
    """Run a home with meters (slug by address) and the source on one host."""
    config = shelly.Config(hosts=[host], discover=False)
    with pytest.MonkeyPatch.context() as patch, home_in(folder) as home:
        address = next(iter(meters))
        patch.setitem(homes.TRAITS, "shelly", config.traits_of(address))
        known = {meter.slug for meter in home.registry.meters()}
        for address, slug in meters.items():
            if slug not in known:
                home.adopt(slug, "shelly", address)
        home.clock.time_ms = inbox.clock.time_ms
        inbox.home = home
        task = asyncio.create_task(shelly.run(config, inbox, wait=time.wait))
        task.add_done_callback(time.look_again)
        sleeping = time.sleeping
        try:
            await time.until(lambda: task.done() or time.sleeping > sleeping)
            yield home
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def inbox() -> HomeInbox:
    return HomeInbox(ManualClock(START_MS))


@pytest.fixture
def time(inbox: HomeInbox) -> VirtualTime:
    return VirtualTime(inbox.clock)


def kettle(now_ms: int) -> float:
    """Return the load of a kettle: 2 kW for three minutes of every twenty, else nothing; never at a full minute."""
    second = (now_ms - START_MS) // 1000 % 1200
    return 2000.0 if 137 <= second < 317 else 0.0


def washer(now_ms: int) -> float:
    """Return a load that is another every seven seconds."""
    step = (now_ms - START_MS) // 7000
    return float((step * 7919) % 2200) if step % 11 else 3.0


def minute_wh(home: TestHome, slug: str, first: int, last: int) -> list[float]:
    """Return what the register counted in each minute from `first` to before `last`, where it was told at both ends."""
    meter = home.registry.meter(slug)
    home.recorder.settle()
    records = home.store.columns(meter.meter_id, START_MS, START_MS + 24 * 3_600_000)
    known = dict(zip(records.time_ms.tolist(), records.channels["register_mwh"].tolist(), strict=True))
    at_minute = [known[START_MS + minute * MINUTE_MS] for minute in range(first, last + 1)]
    return [(later - earlier) / 1000 for earlier, later in pairwise(at_minute)]


@pytest.mark.parametrize("load", [kettle, washer])
async def test_two_hours_of_a_plug(
    tmp_path: Path, inbox: HomeInbox, time: VirtualTime, load: Callable[[int], float]
) -> None:
    end_ms = START_MS + 2 * 3_600_000
    circuit = Circuit(load, total_wh=123_456.7)
    circuit.tick(START_MS)
    async with (
        Gen2(inbox.clock, circuit) as plug,
        casawatt(tmp_path, inbox, time, plug.host, {PLUG: "plug"}) as home,
    ):
        await play(time, [plug], end_ms)
        assert home.energy_wh("plug") == pytest.approx(energy_wh(load, START_MS, end_ms), abs=0.01)
        for interval in home.intervals("plug"):
            expected = energy_wh(load, interval.start_ms, min(interval.start_ms + 900_000, end_ms))
            assert interval.energy_mwh / 1000 == pytest.approx(expected, abs=0.5)
    assert not inbox.refused


async def test_an_outage_of_two_minutes_is_filled_by_what_the_plug_remembers(
    tmp_path: Path, inbox: HomeInbox, time: VirtualTime
) -> None:
    circuit = Circuit(washer)
    circuit.tick(START_MS)
    async with (
        Gen2(inbox.clock, circuit) as plug,
        casawatt(tmp_path, inbox, time, plug.host, {PLUG: "plug"}) as home,
    ):
        await play(time, [plug], START_MS + 610_000)
        plug.is_away = True
        await plug.drop()
        await time.until(lambda: time.sleeping == 1)
        await play(time, [plug], START_MS + 730_000)
        plug.is_away = False
        await play(time, [plug], START_MS + 1_200_000)
        told = minute_wh(home, "plug", 10, 13)
        expected = [
            energy_wh(washer, START_MS + minute * MINUTE_MS, START_MS + (minute + 1) * MINUTE_MS)
            for minute in (10, 11, 12)
        ]
        assert told == pytest.approx(expected, abs=0.003)
        assert home.energy_wh("plug") == pytest.approx(energy_wh(washer, START_MS, START_MS + 1_200_000), abs=0.01)
        filled = [each for each in inbox.readings if each.time_ms and each.received_ms - each.time_ms > 2000]
        assert sorted((each.time_ms or 0) - START_MS for each in filled) == [660_000, 720_000]


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_power_cut_counts_nothing_twice_whether_or_not_the_plug_keeps_its_total(
    tmp_path: Path, inbox: HomeInbox, time: VirtualTime, keeps: bool
) -> None:
    circuit = Circuit(washer, total_wh=50_000.0)
    circuit.tick(START_MS)
    async with (
        Gen2(inbox.clock, circuit) as plug,
        casawatt(tmp_path, inbox, time, plug.host, {PLUG: "plug"}) as home,
    ):
        await play(time, [plug], START_MS + 600_000)
        told_wh = circuit.used.total_wh
        await plug.restart(loses_totals=not keeps)
        await time.until(lambda: time.sleeping == 1)
        await play(time, [plug], START_MS + 1_200_000)
        assert told_wh > 50_000
        total_wh = energy_wh(washer, START_MS, START_MS + 1_200_000)
        assert home.energy_wh("plug") == pytest.approx(total_wh, abs=0.5)
        assert len({each.boot_id for each in inbox.readings}) == 2


async def test_casawatt_may_be_restarted_while_the_plug_goes_on_counting(
    tmp_path: Path, inbox: HomeInbox, time: VirtualTime
) -> None:
    circuit = Circuit(kettle)
    circuit.tick(START_MS)
    async with Gen2(inbox.clock, circuit) as plug:
        async with casawatt(tmp_path, inbox, time, plug.host, {PLUG: "plug"}):
            await play(time, [plug], START_MS + 200_000)
        await play(time, [plug], START_MS + 1_400_000)
        await plug.restart()
        async with casawatt(tmp_path, inbox, time, plug.host, {PLUG: "plug"}) as home:
            await play(time, [plug], START_MS + 2_000_000)
            assert home.energy_wh("plug") == pytest.approx(energy_wh(kettle, START_MS, START_MS + 2_000_000), abs=0.5)


async def test_a_plug_that_feeds_in_counts_what_was_used_and_beside_it_what_was_returned(
    tmp_path: Path, inbox: HomeInbox, time: VirtualTime
) -> None:
    def balcony(now_ms: int) -> float:
        return -300.0 if (now_ms - START_MS) // 1000 % 500 < 250 else 100.0

    circuit = Circuit(balcony)
    circuit.tick(START_MS)
    meters = {PLUG: "plug", f"{PLUG}/return": "returned"}
    async with Gen2(inbox.clock, circuit) as plug, casawatt(tmp_path, inbox, time, plug.host, meters) as home:
        await play(time, [plug], START_MS + 3_600_000)
        assert home.energy_wh("plug") == pytest.approx(circuit.used.total_wh - circuit.returned.total_wh, abs=0.01)
        first_told_wh = 300 / 3600
        assert home.energy_wh("returned") == pytest.approx(circuit.returned.total_wh - first_told_wh, abs=0.1)


async def test_three_phases_and_their_sum(tmp_path: Path, inbox: HomeInbox, time: VirtualTime) -> None:
    phases = ThreePhases(kettle, washer, lambda _: -500.0)
    phases.tick(START_MS)
    end_ms = START_MS + 1_800_000
    mains = "shellypro3em-e4b063d8a1b4"
    meters = {f"{mains}/em:0": "mains", f"{mains}/em:0/a": "l1", f"{mains}/em:0/b": "l2", f"{mains}/em:0/c": "l3"}
    async with Gen2(inbox.clock, phases, mains) as meter, casawatt(tmp_path, inbox, time, meter.host, meters) as home:
        await play(time, [meter], end_ms)
        l1_wh, l2_wh = energy_wh(kettle, START_MS, end_ms), energy_wh(washer, START_MS, end_ms)
        assert home.energy_wh("l1") == pytest.approx(l1_wh, abs=0.02)
        assert home.energy_wh("l2") == pytest.approx(l2_wh, abs=0.02)
        assert home.energy_wh("l3") == 0
        assert home.energy_wh("mains") == pytest.approx(l1_wh + l2_wh, abs=0.02)
    assert not inbox.refused


async def test_a_generation_1_plug_that_loses_its_total_at_each_restart(
    tmp_path: Path, inbox: HomeInbox, time: VirtualTime
) -> None:
    address = "shellyplug-s-A1B2C3/meter:0"
    old = Gen1(inbox.clock, kettle)
    old.tick(START_MS)
    async with old, casawatt(tmp_path, inbox, time, old.host, {address: "plug"}) as home:
        await play(time, [old], START_MS + 1_000_000)
        old.restart()
        await play(time, [old], START_MS + 2_400_000)
        old.is_valid = False
        await play(time, [old], START_MS + 2_500_000)
        old.is_valid = True
        await play(time, [old], START_MS + 3_000_000)
        assert home.energy_wh("plug") == pytest.approx(energy_wh(kettle, START_MS, START_MS + 3_000_000), abs=0.05)
    assert not inbox.refused
