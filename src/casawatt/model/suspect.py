"""A reading that cannot be true, and is kept but not counted."""

from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """Why a part of a reading was set aside."""

    POWER = "power"
    """More power than can flow through the metered point; `said` is in mW."""
    JUMP = "jump"
    """A register that grew by more than could be delivered in the time; `said` is what it showed (mWh or mA s)."""


class Suspect(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What of the reading at `time_ms` (UTC ms) was set aside: with the meter and the cause that is its identity.

    `energy_mwh` is what would have been counted for it: of a jump its height, of power 0.
    """

    time_ms: int
    cause: Cause
    said: int
    energy_mwh: int = 0
