"""One reading of a recording, and what a parser of recordings is."""

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.reading import Reading

ABSENT_WORDS = frozenset({"", "na", "n/a", "nan", "?", "null", "none", "-", "unknown", "unavailable"})
"""What recordings write, in lower case, where there was no value: a gap, not an error."""


class Row(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What one line says of one device at `time_ms` (UTC milliseconds since 1970); an absent channel is None.

    `part` is empty for the recording's own device, else it names a further one in the same line
    (`sub_metering_1`). Units are those of `Reading`.
    """

    time_ms: int
    part: str = ""
    power_w: float | None = None
    register_wh: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    power_factor_ratio: float | None = None
    charge_as: float | None = None
    boot_id: int | None = None

    def reading(self, source: str, address: str, received_ms: int, shift_ms: int = 0) -> Reading:
        """Return the row as a reading of `address`, or of `address/part`, its stamp moved by `shift_ms`."""
        return Reading(
            source=source,
            address=f"{address}/{self.part}" if self.part else address,
            received_ms=received_ms,
            time_ms=self.time_ms + shift_ms,
            power_w=self.power_w,
            register_wh=self.register_wh,
            voltage_v=self.voltage_v,
            current_a=self.current_a,
            power_factor_ratio=self.power_factor_ratio,
            charge_as=self.charge_as,
            boot_id=self.boot_id,
        )


class Parser(Protocol):
    """Reads the lines of one recording from its first to its last; it may remember what came before."""

    def parse(self, line: str) -> Sequence[Row]:
        """Return the rows of one line, none for a heading, an empty line or a gap.

        Raises PacketError, cause `columns`, `time` or `number`, for a line that cannot be understood.
        """
        ...


def number(text: str) -> float | None:
    """Return the finite number that `text` says, None for a word that stands for no value.

    Raises PacketError, cause `number`, for anything else.
    """
    try:
        value = float(text)
    except ValueError:
        if text.strip().lower() in ABSENT_WORDS:
            return None
        raise PacketError("number", f"{text.strip()!r} is not a number") from None
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return None
    raise PacketError("number", f"{text.strip()!r} is not a finite number")
