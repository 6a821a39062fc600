"""What the web layer asks to have readings from outside a source recorded."""

from typing import Protocol

import msgspec


class ReadingColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Readings as columns of equal length; null where a reading lacks the value."""

    time_ms: list[int]
    device: str | None = None
    """Which device measured, when the meter has had several; one for all of these readings."""
    power_w: list[float | None] | None = None
    register_wh: list[float | None] | None = None
    voltage_v: list[float | None] | None = None
    current_a: list[float | None] | None = None
    power_factor_ratio: list[float | None] | None = None
    charge_as: list[float | None] | None = None
    boot_id: list[int | None] | None = None


class Rejected(msgspec.Struct, frozen=True):
    """A reading that was not recorded: its place among those sent, and a word for why."""

    index: int
    cause: str


class ImportReport(msgspec.Struct, frozen=True):
    """What became of readings that were sent in one piece."""

    recorded: int
    duplicates: int
    rejected: list[Rejected]


class ImportPort(Protocol):
    """Where readings from outside a source are recorded."""

    async def record(self, slug: str, columns: ReadingColumns) -> ImportReport:
        """Record readings under a meter, as if its device had sent them; raises UnknownMeterError, StoreError.

        It lets other work on the event loop go on in between.
        """
        ...
