"""The MCEE meter of the whole home, asked over a USB serial adapter; see `docs/devices/mcee_serial.md`."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from os.path import realpath
from typing import Annotated

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.found import Found
from casawatt.model.meter import Cadence, Traits
from casawatt.model.ports import Inbox
from casawatt.model.reading import Reading
from casawatt.transports.serial_line import SerialLine, usb_adapters

logger = logging.getLogger(__name__)

SOURCE = "mcee_serial"
BAUD = 9600

POLL = bytes.fromhex("AA0200AD")
"""Wakes the meter and asks it; without it the meter is silent."""

BEGIN, END = b"S0222", b"1S03"
ANSWER = re.compile(re.escape(BEGIN) + b"(.{1,2}?)" + re.escape(END), re.DOTALL)
"""The power stands between the markers. The shorter reading is tried first, and one of the two at most can fit."""

ANSWER_BYTES_MAX = 4096
"""Who says so much without an answer in it is no MCEE."""

SHOWN_BYTES = 64
"""So many of the last bytes are shown of an answer that cannot be understood."""

GAP_POLLS = 3
PROBE_S = 1.0
"""How long a port that is tried has to answer: the first poll may do no more than wake the meter."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options under `[source.mcee_serial]`.

    `port`: the serial port. `address`: what the meter is called, as it has no number of its own. `poll_s`: how often it
    is asked. `answer_timeout_s`: how long its answer may take. `gap_limit_s`: readings further apart have a gap between
    them, left out three times `poll_s`.
    """

    port: str = "/dev/ttyUSB0"
    address: Annotated[str, msgspec.Meta(min_length=1)] = "mcee"
    poll_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 5.0
    answer_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    gap_limit_s: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for options that cannot go together."""
        if self.answer_timeout_s >= self.poll_s:
            raise ValueError("answer_timeout_s must be less than poll_s")
        if self.gap_limit_s is not None and not self.poll_s < self.gap_limit_s < float("inf"):
            raise ValueError("gap_limit_s must be more than poll_s")

    @property
    def traits(self) -> Traits:
        """The meter is asked at even times, and has no clock."""
        gap_limit_s = self.gap_limit_s or GAP_POLLS * self.poll_s
        return Traits(cadence=Cadence.POLLED, gap_limit_ms=round(gap_limit_s * 1000))


def parse(heard: bytes) -> list[float]:
    """Return the powers, in W, of all whole answers in what was heard; there is at least one.

    Raises PacketError when there is none: `no_answer` (not a byte), `cut` (no end marker), `length` (not one or two
    bytes between the markers), `babble` (too much of anything), `format` (whatever else).
    """
    if found := ANSWER.findall(heard):
        return [float(int.from_bytes(value, "little")) for value in found]
    if not heard:
        raise PacketError("no_answer", "the meter did not answer")
    shown = f"{len(heard)} bytes, the last: {heard[-SHOWN_BYTES:].hex(' ')}"
    if len(heard) > ANSWER_BYTES_MAX:
        raise PacketError("babble", f"much is said and nothing of it is an answer ({shown})")
    begin = heard.rfind(BEGIN)
    if begin < 0:
        raise PacketError("format", f"no {BEGIN.decode()} in the answer ({shown})")
    end = heard.find(END, begin + len(BEGIN))
    if end < 0:
        raise PacketError("cut", f"no {END.decode()} after {BEGIN.decode()} ({shown})")
    between = end - begin - len(BEGIN)
    raise PacketError("length", f"{between} bytes between the markers, where one or two belong ({shown})")


async def run(config: Config, inbox: Inbox, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Ask the meter every `poll_s` and put what it answers; what it does not answer is never made up.

    `wait` is what passes the time between two polls; tests give one that moves their clock.
    Raises OSError when the port cannot be had, or its adapter goes.
    """
    with SerialLine(config.port, BAUD) as line:
        logger.info("asking the MCEE meter at %s every %g s", config.port, config.poll_s)
        try:
            while True:
                asked_ms = inbox.clock.now_ms()
                await ask(line, config, inbox)
                spent_s = (inbox.clock.now_ms() - asked_ms) / 1000
                await wait(min(max(config.poll_s - spent_s, 0), config.poll_s))  # whatever was done to the clock
        except ConnectionError:
            inbox.presence(config.address, online=False)
            raise


async def ask(line: SerialLine, config: Config, inbox: Inbox) -> None:
    """Ask the meter once, and put its answer or refuse it.

    What came since the last answer was taken belongs to no question any more: it is dropped before the meter is asked
    again, so that a late answer is not taken for a new one.
    """
    overtaken = len(ANSWER.findall(line.discard()))
    line.send(POLL)
    heard = await hear(line, config.answer_timeout_s)
    received_ms = inbox.clock.now_ms()
    try:
        *older_w, power_w = parse(heard)
    except PacketError as error:
        inbox.refuse(config.port, error.cause, str(error))
    else:
        overtaken += len(older_w)
        inbox.put(Reading(source=SOURCE, address=config.address, received_ms=received_ms, power_w=power_w))
    for _ in range(overtaken):
        inbox.refuse(config.port, "late", "an answer to an earlier question; when it was measured is not known")


async def hear(line: SerialLine, timeout_s: float) -> bytes:
    """Return what the meter says until a whole answer is in it, it was too much, or the time is over."""
    heard = b""
    try:
        async with asyncio.timeout(timeout_s):
            while not ANSWER.search(heard) and len(heard) <= ANSWER_BYTES_MAX:
                heard += await line.receive()
    except TimeoutError:
        pass
    return heard


async def discover(timeout_s: float, config: Config | None = None, *, running: bool = False) -> list[Found]:
    """Return the MCEE meters at USB serial adapters that nobody uses; only the poll of the meter is sent to them.

    `running`: the source runs in this very process and holds its port, so that port is told and not asked.
    Raises OSError, which says why, when nothing was found and a port could not be tried.
    """
    known = config or Config()
    asked = ports_to_ask(config, running=running)
    outcomes = await asyncio.gather(*(answers(port, timeout_s) for port in asked), return_exceptions=True)
    found = [_found(known, known.port, "read by casawatt already")] if running else []
    found += [_found(known, port, None) for port, outcome in zip(asked, outcomes, strict=True) if outcome is True]
    troubles = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for trouble in troubles:
        if not isinstance(trouble, OSError):
            raise trouble
    if troubles and not found:
        raise OSError("; ".join(map(str, troubles)))
    return found


def ports_to_ask(config: Config | None, *, running: bool) -> list[str]:
    """Return the ports at which a meter may be, each once, by the name that the config has for it."""
    named = {realpath(port): port for port in usb_adapters()}
    if config is not None:
        named[realpath(config.port)] = config.port
    return [port for port in named.values() if not (running and config and port == config.port)]


async def answers(port: str, timeout_s: float) -> bool:
    """Return whether an MCEE meter answers at a port within the time; raises OSError when it cannot be tried."""
    logger.info("asking for an MCEE meter at %s: %s", port, POLL.hex(" "))
    loop = asyncio.get_running_loop()
    until_s = loop.time() + timeout_s
    with SerialLine(port, BAUD) as line:
        while (left_s := until_s - loop.time()) > 0:
            line.send(POLL)
            if ANSWER.search(await hear(line, min(left_s, PROBE_S))):
                return True
    return False


def _found(known: Config, port: str, note: str | None) -> Found:
    return Found(
        source=SOURCE,
        addresses=(known.address,),
        where=port,
        name="Mains",
        model="MCEE",
        options={"port": port},
        note=note,
    )
