"""What people decide about meters, as dated records that can be taken back."""

from enum import StrEnum

import msgspec

from casawatt.model.meter import Calibration, Device, Manner


class Action(StrEnum):
    """What a correction does with the readings of its time."""

    RESTORE = "restore"
    """Counts what was set aside."""
    DISCARD = "discard"
    """Counts nothing of them, however right they look."""


class Correction(msgspec.Struct, frozen=True):
    """A person's word on the readings of a meter with `from_ms <= time < to_ms` (UTC ms). The readings stay as said."""

    correction_id: int
    meter_id: int
    action: Action
    from_ms: int
    to_ms: int
    made_ms: int
    note: str | None = None


class Bind(msgspec.Struct, frozen=True):
    """Somebody decided at `made_ms` that a device measures for a meter from `from_ms` on.

    `retracted_ms`: when that was taken back, None while it stands. `to_ms`: where it ends by itself, None mostly. What
    all of them together mean says `engine.bindings`.
    """

    binding_id: int
    meter_id: int
    device: Device
    from_ms: int
    made_ms: int
    to_ms: int | None = None
    retracted_ms: int | None = None
    manner: Manner | None = None


class DatedCalibration(msgspec.Struct, frozen=True):
    """A calibration and when it was made."""

    calibration: Calibration
    made_ms: int


class DayChange(msgspec.Struct, frozen=True):
    """What a decision made of a meter's energy on one local day, `start_ms` until `end_ms` (UTC ms)."""

    slug: str
    start_ms: int
    end_ms: int
    before_mwh: int
    after_mwh: int


class Repaired(msgspec.Struct, frozen=True):
    """A correction that was made or taken back, and the days that are different since."""

    correction: Correction
    days: list[DayChange]


class Rebound(msgspec.Struct, frozen=True):
    """A decision about a meter's device that was made or taken back.

    `device`: what measures now, None for nothing; `bereft`: the slugs of meters that are left without a device by it.
    """

    bind: Bind
    device: Device | None
    bereft: list[str]
    days: list[DayChange]
