"""Readings that devices hand in themselves, by `POST /api/v1/readings`; see `docs/devices/http_push.md`."""

import asyncio
import hashlib
import hmac
import os
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from casawatt.model.errors import ConfigError
from casawatt.model.meter import LIMIT_W, Cadence, Traits
from casawatt.model.ports import NEVER, NOT_NOW, Inbox
from casawatt.model.reading import Reading
from casawatt.transports.flood import FloodGuard
from casawatt.transports.push import Desk, Outcome, PushedReading, Result, TooManyError, UnknownSenderError
from casawatt.transports.secrets import load_secrets

TOKENS = "CASAWATT_HTTP_PUSH_TOKENS"

TOKEN_LENGTH_MIN = 32

REMEMBERED = 20_000
"""So many readings are remembered, so that one that is sent again is known whatever came after it."""

SENDER = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")

Seconds = Annotated[float, Meta(gt=0, le=86_400 * 7)]
Watts = Annotated[float, Meta(gt=0, le=1e6)]


class DeviceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of `[source.http_push.device."sender/address"]`: what is other than with the rest."""

    cadence: Cadence | None = None
    gap_limit_s: Seconds | None = None
    limit_w: Watts | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of `[source.http_push]`."""

    tokens_file: str | None = None
    """A TOML file of mode 0600, a line a sender: `name = "token"`. The environment may have more."""
    cadence: Cadence = Cadence.POLLED
    """`polled`: sent at even times; `change`: sent when something changes."""
    gap_limit_s: Seconds = 90.0
    """Readings further apart have a gap between them."""
    limit_w: Watts = LIMIT_W
    """More cannot flow through such a device."""
    max_requests_per_s: Annotated[float, Meta(gt=0)] = 10.0
    """How often one sender may send; two seconds' worth at once."""
    device: dict[str, DeviceConfig] = {}
    """What is other with single devices, by their address."""

    @property
    def traits(self) -> Traits:
        """What the readings are like. They may rightly be old, so there is no `clock_tolerance_ms`."""
        return Traits(self.cadence, gap_limit_ms=round(self.gap_limit_s * 1000), limit_w=self.limit_w)

    def traits_of(self, address: str) -> Traits:
        """Return what one device's readings are like."""
        own = self.device.get(address)
        if own is None:
            return self.traits
        return Traits(
            own.cadence or self.cadence,
            gap_limit_ms=round((own.gap_limit_s or self.gap_limit_s) * 1000),
            limit_w=own.limit_w or self.limit_w,
        )


async def run(config: Config, inbox: Inbox, desk: Desk) -> None:
    """Take what is handed in at the desk until cancelled. Raises ConfigError when the tokens cannot be used."""
    senders = load_senders(config.tokens_file, os.environ)
    with desk.attached(Counter(inbox, senders, config.max_requests_per_s)):
        await asyncio.Event().wait()


def load_senders(file: str | None, environment: Mapping[str, str]) -> dict[bytes, str]:
    """Return each sender by the SHA-256 of its token, from the file and from the environment; raises ConfigError.

    In the environment it is one text, `name=token name=token`.
    """
    tokens = dict(load_secrets(file, "the tokens")) if file else {}
    place = file or TOKENS
    for pair in environment.get(TOKENS, "").split():
        name, equals, token = pair.partition("=")
        if not equals or name in tokens:
            raise ConfigError(f"{TOKENS} must be like 'garage=token boiler=token', each name once and not in the file")
        tokens[name] = token
    if not tokens:
        raise ConfigError(f"nobody could send: set tokens_file, or {TOKENS} in the environment")
    senders: dict[bytes, str] = {}
    for name, token in tokens.items():
        if not SENDER.fullmatch(name):
            raise ConfigError(f"{place}: {name!r} cannot name a sender: use a-z, 0-9 and _.- as in 'garage-pi'")
        if not isinstance(token, str) or len(token) < TOKEN_LENGTH_MIN:
            raise ConfigError(f"{place}: the token of {name} must be text of at least {TOKEN_LENGTH_MIN} characters")
        if digest(token) in senders:
            raise ConfigError(f"{place}: {name} has the same token as {senders[digest(token)]}")
        senders[digest(token)] = name
    return senders


def digest(token: str) -> bytes:
    """Return what tokens are compared by: of one length, and of no use to whoever sees it."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def parse(sender: str, pushed: PushedReading, received_ms: int) -> Reading:
    """Return a reading as it was handed in; its address is the sender's name, then `/` and its own address."""
    return Reading(
        source="http_push",
        address=sender if pushed.address is None else f"{sender}/{pushed.address}",
        received_ms=received_ms,
        time_ms=pushed.time_ms,
        power_w=pushed.power_w,
        register_wh=pushed.register_wh,
        voltage_v=pushed.voltage_v,
        current_a=pushed.current_a,
        power_factor_ratio=pushed.power_factor_ratio,
        boot_id=pushed.boot_id,
    )


class Counter:
    """Takes what is handed in: fulfils `transports.push.Taker`."""

    def __init__(self, inbox: Inbox, senders: Mapping[bytes, str], max_requests_per_s: float) -> None:
        self._inbox = inbox
        self._senders = senders
        self._guard = FloodGuard(max_requests_per_s)
        self._recorded: OrderedDict[tuple[str, int], PushedReading] = OrderedDict()
        self._tickets: dict[str, int] = {}

    def sender(self, token: str, where: str) -> str:
        """Return who has the token; it takes the same time whoever does. Raises UnknownSenderError, TooManyError."""
        said, found = digest(token), None
        for known, name in self._senders.items():
            if hmac.compare_digest(said, known):
                found = name
        if found is None:
            self._inbox.refuse(where, "token", "a token that is nobody's" if token else "no token")
            raise UnknownSenderError("the token is nobody's" if token else "a token is needed")
        if not self._guard.allows(found, asyncio.get_running_loop().time()):
            self._inbox.refuse(found, "flood", "it sends more often than max_requests_per_s")
            raise TooManyError(f"{found} sends more often than it may; put several readings into one request")
        return found

    async def take(self, sender: str, readings: Sequence[PushedReading]) -> list[Result]:
        """Put readings into the inbox; returns what became of each when they would survive a killed process."""
        results = [self._take(sender, index, pushed) for index, pushed in enumerate(readings)]
        await self._inbox.kept()
        return results

    def _take(self, sender: str, index: int, pushed: PushedReading) -> Result:
        reading = parse(sender, pushed, self._inbox.clock.now_ms())
        place = None if reading.time_ms is None else (reading.address, reading.time_ms)
        if place is not None and self._recorded.get(place) == pushed:
            return Result(index, reading.address, Outcome.DUPLICATE)
        ticket = self._inbox.put(reading)
        if ticket == NOT_NOW:
            return Result(index, reading.address, Outcome.NOT_ADOPTED)
        if ticket == NEVER:
            return Result(index, reading.address, Outcome.REFUSED, "out_of_range")
        if place is not None:
            self._recorded[place] = pushed
            if len(self._recorded) > REMEMBERED:
                self._recorded.popitem(last=False)
        is_repeat = self._tickets.get(reading.address) == ticket  # a repeat gets the newest one's ticket again
        self._tickets[reading.address] = ticket
        return Result(index, reading.address, Outcome.DUPLICATE if is_repeat else Outcome.RECORDED)
