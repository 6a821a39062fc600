"""Readings that are handed in by HTTP: the desk where the web server leaves them and a source takes them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from casawatt.model.errors import CasawattError

READINGS_MAX = 1000
"""So many readings may be handed in at once."""

Address = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[\w.:+-]+(/[\w.:+-]+)*$(?!\n)",  # for `$` alone a newline may follow
        description="Which of the sender's devices; left out, the sender is the device",
    ),
]


class PushedReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a device said at one instant, as it is handed in; a field that it did not mention is left out.

    The instant is `time` (RFC 3339 with an offset) or `time_ms` (UTC ms since 1970); without either it is the arrival.
    """

    address: Address | None = None
    time: Annotated[str, Meta(description="RFC 3339 with an offset", max_length=40)] | None = None
    time_ms: Annotated[int, Meta(description="Milliseconds since 1970 in UTC", ge=0)] | None = None
    power_w: float | None = None
    register_wh: Annotated[float, Meta(ge=0, description="The device's own ever-growing energy counter")] | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    power_factor_ratio: float | None = None
    boot_id: Annotated[int, Meta(ge=0, description="A number that the device changes with each start")] | None = None


VALUES = ("power_w", "register_wh", "voltage_v", "current_a", "power_factor_ratio")
"""The fields of a reading of which it needs at least one."""


class Outcome(StrEnum):
    """What became of a reading that was handed in."""

    RECORDED = "recorded"
    """It is kept, and will survive a killed process."""
    DUPLICATE = "duplicate"
    """It was recorded before."""
    NOT_ADOPTED = "not_adopted"
    """The device belongs to no meter yet: it is a new device of the page, and nothing of it is kept."""
    REFUSED = "refused"
    """It cannot be; sending it again is of no use."""


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one reading, and of which device it is. `cause` says why it was refused, in a word."""

    index: int
    address: str
    outcome: Outcome
    cause: str | None = None


class DeskClosedError(CasawattError):
    """Nobody takes readings at the moment: the source is not running."""


class UnknownSenderError(CasawattError):
    """The token is nobody's."""


class TooManyError(CasawattError):
    """A sender hands in more often than it may."""


class Taker(Protocol):
    """Who takes the readings that are handed in."""

    def sender(self, token: str, where: str) -> str:
        """Return who has the token; `where` is where it came from. Raises UnknownSenderError, TooManyError."""
        ...

    async def take(self, sender: str, readings: Sequence[PushedReading]) -> list[Result]:
        """Take readings in; returns when they would survive a killed process."""
        ...


class Desk:
    """Where readings are handed in. It is open while somebody is `attached`."""

    def __init__(self) -> None:
        self._taker: Taker | None = None

    @contextmanager
    def attached(self, taker: Taker) -> Iterator[None]:
        """Let `taker` take what is handed in while entered."""
        self._taker = taker
        try:
            yield
        finally:
            self._taker = None

    def sender(self, token: str, where: str) -> str:
        """Return who has the token; raises DeskClosedError, UnknownSenderError, TooManyError."""
        return self._open().sender(token, where)

    async def submit(self, sender: str, readings: Sequence[PushedReading]) -> list[Result]:
        """Hand in a sender's readings; returns what became of each, in their order. Raises DeskClosedError."""
        return await self._open().take(sender, readings)

    def _open(self) -> Taker:
        if self._taker is None:
            raise DeskClosedError("the source http_push is not running; `casawatt doctor` says why")
        return self._taker
