"""What the API answers about what was set aside, and about what people decided."""

from itertools import groupby
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from casawatt.model.dated import Bind, Correction, DayChange, Rebound, Repaired
from casawatt.model.meter import Meter
from casawatt.model.suspect import Cause, Suspect
from casawatt.web.details import time_or_always
from casawatt.web.documents import Time
from casawatt.web.ports import Home, Ports
from casawatt.web.times import format_time

HOURS_MS = 6 * 3_600_000
"""So much of the readings is looked at together."""

Wh = Annotated[float, Meta(description="Energy in Wh")]


class SuspectDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a reading was set aside: what it said, why, and what energy would have been counted for it.

    `cause`: `power` (more than can flow there; said is `power_w`) or `jump` (a register grew by more than could have
    been delivered; said is `register_wh` or `charge_as`).
    """

    at: Time
    cause: Literal["power", "jump"]
    energy_wh: Wh
    power_w: float | msgspec.UnsetType = msgspec.UNSET
    register_wh: float | msgspec.UnsetType = msgspec.UNSET
    charge_as: float | msgspec.UnsetType = msgspec.UNSET


class SuspectsDocument(msgspec.Struct, frozen=True):
    """What was set aside, in the order of time. `older`: so many before these were left out."""

    meter: str
    suspects: list[SuspectDocument]
    older: int


class CorrectionDocument(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A decision on a meter's readings from a time until before another."""

    id: int
    action: Literal["restore", "discard"]
    from_: Time
    to: Time
    made: Time
    note: str | None


class CorrectionsDocument(msgspec.Struct, frozen=True):
    """All corrections of a meter that stand, in the order they were made."""

    meter: str
    corrections: list[CorrectionDocument]


class DayDocument(msgspec.Struct, frozen=True):
    """A local day whose energy is different since."""

    meter: str
    date: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    before_wh: Wh
    after_wh: Wh


class RepairedDocument(msgspec.Struct, frozen=True):
    """A correction that was made or taken back, and the days that it changed."""

    correction: CorrectionDocument
    days: list[DayDocument]


class BindDocument(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A decision that a device measures for a meter from a time on."""

    id: int
    source: str
    address: str
    from_: Time | None
    made: Time


class ReboundDocument(msgspec.Struct, frozen=True):
    """A binding that was made or taken back.

    `source` and `address`: what measures now, null for nothing. `bereft`: meters left without a device by it.
    """

    binding: BindDocument
    source: str | None
    address: str | None
    bereft: list[str]
    days: list[DayDocument]


def suspects_document(ports: Ports, meter: Meter, suspects: list[Suspect], older: int) -> SuspectsDocument:
    """Return what was set aside; whether a jump was one of energy or of charge is looked up in the readings."""
    charges: set[int] = set()
    jumps = (each.time_ms for each in suspects if each.cause is Cause.JUMP)
    for _, times_ms in groupby(jumps, key=lambda time_ms: time_ms // HOURS_MS):
        wanted = set(times_ms)
        records = ports.store.columns(meter.meter_id, min(wanted), max(wanted) + 1).records()
        charges |= {each.time_ms for each in records if each.time_ms in wanted and each.register_mwh is None}
    return SuspectsDocument(
        meter.slug, [_suspect_document(each, ports.home, is_charge=each.time_ms in charges) for each in suspects], older
    )


def _suspect_document(suspect: Suspect, home: Home, *, is_charge: bool) -> SuspectDocument:
    at, energy_wh, said = format_time(suspect.time_ms, home.zone), suspect.energy_mwh / 1000, suspect.said / 1000
    if suspect.cause is Cause.POWER:
        return SuspectDocument(at, "power", energy_wh, power_w=said)
    if is_charge:
        return SuspectDocument(at, "jump", energy_wh, charge_as=said)
    return SuspectDocument(at, "jump", energy_wh, register_wh=said)


def correction_document(correction: Correction, home: Home) -> CorrectionDocument:
    """Return a correction with its times as they are written."""
    from_, to, made = (
        format_time(each, home.zone) for each in (correction.from_ms, correction.to_ms, correction.made_ms)
    )
    return CorrectionDocument(correction.correction_id, correction.action.value, from_, to, made, correction.note)


def repaired_document(repaired: Repaired, home: Home) -> RepairedDocument:
    """Return a correction and what it changed."""
    return RepairedDocument(correction_document(repaired.correction, home), _days(repaired.days, home))


def rebound_document(rebound: Rebound, home: Home) -> ReboundDocument:
    """Return a binding that was made or taken back and what it changed."""
    device = rebound.device
    return ReboundDocument(
        _bind_document(rebound.bind, home),
        device.source if device else None,
        device.address if device else None,
        rebound.bereft,
        _days(rebound.days, home),
    )


def _bind_document(bind: Bind, home: Home) -> BindDocument:
    device = bind.device
    from_ = time_or_always(bind.from_ms, home)
    return BindDocument(bind.binding_id, device.source, device.address, from_, format_time(bind.made_ms, home.zone))


def _days(changes: list[DayChange], home: Home) -> list[DayDocument]:
    return [
        DayDocument(
            each.slug, format_time(each.start_ms, home.zone)[:10], each.before_mwh / 1000, each.after_mwh / 1000
        )
        for each in changes
    ]
