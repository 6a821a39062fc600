"""The MCEE meter asked over a serial line that misbehaves, on a pseudo-terminal."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from casawatt.sources import mcee_serial
from casawatt.sources.mcee_serial import POLL, Config, discover, run
from casawatt.transports import serial_line
from casawatt.transports.serial_line import SerialLine
from tests.fakes.inbox import RecordingInbox
from tests.virtual_plugs.mcee import HEAD, Pieces, VirtualMcee, answer

TIMEOUT_S = 10.0
SHORT_S = 0.05
"""How long an answer may take where the meter is not going to give one."""


@pytest.fixture
def meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualMcee]:
    """A meter that is plugged in, the only adapter of this machine."""
    monkeypatch.setattr(serial_line, "DEVICES", tmp_path)
    with VirtualMcee(tmp_path / "serial" / "by-id" / "usb-FTDI_A5-if00-port0") as meter:
        yield meter


def config_of(meter: VirtualMcee, answer_timeout_s: float = TIMEOUT_S) -> Config:
    return Config(port=str(meter.link), answer_timeout_s=answer_timeout_s, poll_s=20)


class Waiting:
    """Passes the time by moving the inbox's clock, for as many polls as `allow` lets go."""

    def __init__(self, inbox: RecordingInbox) -> None:
        self.inbox = inbox
        self.waits_s: list[float] = []
        self._allowed = asyncio.Semaphore(0)
        self.asked = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        self.inbox.clock.advance(round(seconds * 1000))
        self.asked.release()
        await self._allowed.acquire()

    async def finish(self, polls: int) -> None:
        """Let so many polls be made in all, and wait for the outcome of the last."""
        async with asyncio.timeout(TIMEOUT_S):
            for number in range(polls):
                await self.asked.acquire()
                if number < polls - 1:
                    self._allowed.release()

    def go_on(self) -> None:
        self._allowed.release()


@asynccontextmanager
async def running(config: Config, inbox: RecordingInbox) -> AsyncIterator[Waiting]:
    waiting = Waiting(inbox)
    task = asyncio.create_task(run(config, inbox, waiting))
    try:
        yield waiting
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def outcome(meter: VirtualMcee, *answers: Pieces, answer_timeout_s: float = TIMEOUT_S) -> RecordingInbox:
    """Return what was put and refused after the meter gave these answers, one a poll."""
    inbox = RecordingInbox()
    meter.next_answers.extend(answers)
    async with running(config_of(meter, answer_timeout_s), inbox) as waiting:
        await waiting.finish(len(answers))
    assert meter.unexpected == b""
    return inbox


def powers(inbox: RecordingInbox) -> list[float | None]:
    return [reading.power_w for reading in inbox.readings]


async def test_the_meter_is_asked_at_even_times_and_its_answers_are_stamped_on_arrival(meter: VirtualMcee) -> None:
    inbox = RecordingInbox()
    start_ms = inbox.clock.now_ms()
    async with running(Config(port=str(meter.link)), inbox) as waiting:
        await waiting.finish(3)
    assert [reading.received_ms - start_ms for reading in inbox.readings] == [0, 5000, 10_000]
    assert waiting.waits_s == [5.0, 5.0, 5.0]
    assert {(reading.source, reading.address, reading.time_ms) for reading in inbox.readings} == {
        ("mcee_serial", "mcee", None)
    }
    assert powers(inbox) == [230, 230, 230]
    assert (meter.polls, meter.unexpected) == (3, b"")


async def test_a_clock_that_is_set_back_does_not_make_the_meter_wait(meter: VirtualMcee) -> None:
    inbox = RecordingInbox()

    def power_w() -> int:
        inbox.clock.advance(-3_600_000 if len(inbox.readings) == 1 else 1200)
        return 230

    meter.power_w = power_w
    async with running(Config(port=str(meter.link)), inbox) as waiting:
        await waiting.finish(3)
    assert waiting.waits_s == [3.8, 5.0, 3.8]


async def test_an_answer_in_single_bytes_is_one_answer(meter: VirtualMcee) -> None:
    inbox = await outcome(meter, [bytes([byte]) for byte in answer(2635)], [answer(40)])
    assert powers(inbox) == [2635, 40]
    assert inbox.refused == {}


async def test_noise_around_an_answer_does_not_change_it(meter: VirtualMcee) -> None:
    inbox = await outcome(meter, [b"\xff\x00S02", answer(2635), b"S022"], [b"1S03", answer(40)])
    assert powers(inbox) == [2635, 40]
    assert inbox.refused == {}


@pytest.mark.parametrize(
    ("pieces", "cause"),
    [
        ([], "no_answer"),
        ([answer(230)[:9]], "cut"),
        ([answer(230)[9:]], "format"),
        ([HEAD + b"S02221S03"], "length"),
        ([HEAD + b"S0222abc1S03"], "length"),
        ([b"\xff" * 40], "format"),
    ],
)
async def test_what_is_no_answer_is_counted_and_no_value_is_put_in_its_place(
    meter: VirtualMcee, pieces: Pieces, cause: str
) -> None:
    inbox = await outcome(meter, [answer(500)], pieces, pieces, [answer(700)], answer_timeout_s=SHORT_S)
    assert powers(inbox) == [500, 700]
    assert inbox.refused == {(str(meter.link), cause): 2}


async def test_who_never_stops_talking_is_not_listened_to_for_ever(meter: VirtualMcee) -> None:
    inbox = await outcome(meter, [b"\xfe" * 3000, b"\xfe" * 3000], [answer(40)])
    assert powers(inbox) == [40]
    assert inbox.causes() == {"babble": 1}


async def test_a_late_answer_is_not_taken_for_the_next_ones(meter: VirtualMcee) -> None:
    inbox = RecordingInbox()
    meter.next_answers.extend([[], [answer(700)]])
    async with running(config_of(meter, SHORT_S), inbox) as waiting:
        await waiting.finish(1)
        meter.say(answer(500))
        waiting.go_on()
        await waiting.finish(1)
    assert powers(inbox) == [700]
    assert inbox.causes() == {"no_answer": 1, "late": 1}


async def test_of_two_answers_in_one_the_last_is_the_one_to_this_poll(meter: VirtualMcee) -> None:
    inbox = await outcome(meter, [answer(500) + answer(700)])
    assert powers(inbox) == [700]
    assert inbox.causes() == {"late": 1}


async def test_an_adapter_that_is_unplugged_ends_the_run_and_the_meter_is_gone_at_once(meter: VirtualMcee) -> None:
    inbox = RecordingInbox()
    waiting = Waiting(inbox)
    task = asyncio.create_task(run(config_of(meter), inbox, waiting))
    await waiting.finish(1)
    meter.unplug()
    waiting.go_on()
    with pytest.raises(ConnectionError, match=f"{meter.link}: the line was lost"):
        await asyncio.wait_for(task, TIMEOUT_S)
    assert inbox.online == {"mcee": False}


async def test_unplugged_in_the_middle_of_an_answer_nothing_is_put(meter: VirtualMcee) -> None:
    inbox = RecordingInbox()
    meter.next_answers.append([answer(500)[:6], b""])
    task = asyncio.create_task(run(config_of(meter), inbox))
    assert await asyncio.to_thread(meter.polled.wait, TIMEOUT_S)
    meter.unplug()
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(task, TIMEOUT_S)
    assert inbox.heard == []


async def test_plugged_in_again_it_is_found_under_the_same_name_whatever_its_device(meter: VirtualMcee) -> None:
    await outcome(meter, [answer(500)])
    meter.unplug()
    with pytest.raises(FileNotFoundError, match=f"no serial port {meter.link}"):
        await run(config_of(meter), RecordingInbox())
    with VirtualMcee(meter.link.parent.parent / "in the way"):
        meter.plug_in()
        assert powers(await outcome(meter, [answer(700)])) == [700]


async def test_a_port_of_another_program_is_not_disturbed(meter: VirtualMcee) -> None:
    with SerialLine(str(meter.link), 9600), pytest.raises(BlockingIOError, match="in use"):
        await run(config_of(meter), RecordingInbox())
    assert (meter.polls, meter.unexpected) == (0, b"")


async def test_a_meter_is_discovered_by_asking_for_it_and_nothing_else(
    meter: VirtualMcee, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    meter.next_answers.append([])  # the first poll only wakes it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mcee_serial, "PROBE_S", SHORT_S)
        [found] = await discover(TIMEOUT_S)
    assert (found.source, found.addresses, found.where) == ("mcee_serial", ("mcee",), str(meter.link))
    assert found.options == {"port": str(meter.link)}
    assert (meter.polls, meter.unexpected) == (2, b"")
    assert f"{meter.link}: {POLL.hex(' ')}" in caplog.text


async def test_an_adapter_without_a_meter_is_nothing_found(meter: VirtualMcee) -> None:
    meter.next_answers.extend([[]] * 100)
    assert await discover(SHORT_S) == []


async def test_no_adapter_is_nothing_found(meter: VirtualMcee) -> None:
    meter.unplug()
    assert await discover(SHORT_S) == []


async def test_a_port_that_cannot_be_tried_is_said_unless_a_meter_is_found_elsewhere(meter: VirtualMcee) -> None:
    with SerialLine(str(meter.link), 9600):
        with pytest.raises(OSError, match="in use"):
            await discover(SHORT_S)
        with VirtualMcee(meter.link.parent / "usb-second") as second:
            [found] = await discover(TIMEOUT_S)
            assert found.where == str(second.link)


async def test_the_port_that_casawatt_reads_itself_is_told_without_asking(meter: VirtualMcee) -> None:
    config = Config(port=str(meter.device), address="main-meter")
    with SerialLine(config.port, 9600):
        [found] = await discover(SHORT_S, config, running=True)
    assert (found.addresses, found.where, meter.polls) == (("main-meter",), str(meter.device), 0)


async def test_a_configured_port_is_asked_by_the_name_that_the_config_has_for_it(meter: VirtualMcee) -> None:
    [found] = await discover(TIMEOUT_S, Config(port=str(meter.device)))
    assert (found.where, found.options) == (str(meter.device), {"port": str(meter.device)})
