"""Meters, the devices that measure for them, and what makes watts of what devices say."""

import re
from enum import StrEnum

import msgspec

from casawatt.model.errors import RegistryError
from casawatt.model.reading import POWER_FACTOR_ONE

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def check_slug(slug: str) -> str:
    """Return `slug` if it may name a meter, i.e. words of a-z and 0-9 joined by hyphens.

    Raises RegistryError otherwise.
    """
    if len(slug) > 64 or not SLUG.fullmatch(slug):
        message = f"{slug!r} cannot name a meter: use words of a-z and 0-9 joined by hyphens, as in 'washing-machine'"
        raise RegistryError(message)
    return slug


IMPORT_SOURCE = "import"
"""The source under which readings are recorded that come from a file or a person, whatever device measures."""


class Cadence(StrEnum):
    """When a device speaks; it decides what the power between two readings was.

    `POLLED` is any sample at even times, also where the device sends it unasked.
    """

    CHANGE = "change"
    """On change: the power holds until the next reading."""
    POLLED = "polled"
    """At even times: the power moved in a straight line."""


LIMIT_W = 50_000.0
"""More than this does not flow through a home's connection: three phases of 63 A are 43.5 kW."""


NEVER_MS = -(1 << 62)
"""Before all time, in UTC ms."""


class Traits(msgspec.Struct, frozen=True):
    """What a source declares about its devices' readings.

    `gap_limit_ms`: two readings further apart than this have a gap between them.
    `time_grid_ms`: stamps are rounded to whole multiples of this; jitter below it is noise.
    `clock_tolerance_ms`: a stamp further than this from our own clock is not believed, and
    the time of arrival is taken; None where readings may rightly be old.
    `limit_w`: more power than this, in either direction, cannot flow through such a device.
    `falls_back`: after a power cut its register goes on from a value that it had saved; it does not begin at zero.
    """

    cadence: Cadence
    gap_limit_ms: int
    time_grid_ms: int = 1
    clock_tolerance_ms: int | None = None
    limit_w: float = LIMIT_W
    falls_back: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for what no source can mean."""
        positive = self.gap_limit_ms >= 1 and self.time_grid_ms >= 1 and self.limit_w > 0
        if not positive or (self.clock_tolerance_ms or 0) < 0:
            message = f"gap limit, time grid and limit must be positive, the clock tolerance not negative: {self}"
            raise ValueError(message)


class Calibration(msgspec.Struct, frozen=True):
    """What turns a meter's raw readings into watts and spans, from `from_ms` (UTC ms) on.

    A dated record: a later one never changes what came before it. What a reading says beyond `limit_mw`, in either
    direction, is set aside: kept, shown, not counted; None believes everything. Readings of `ignored_devices` (their
    numbers in the registry) are not counted, and with `ignores_all` none at all: so readings are taken out untouched.

    `falls_back` is as in `Traits`. What a register counted from before `moved_ms` (UTC ms) until after is not this
    meter's: the device measured elsewhere meanwhile.
    """

    from_ms: int
    nominal_voltage_mv: int = 230_000
    power_factor_e4: int = POWER_FACTOR_ONE
    cadence: Cadence = Cadence.CHANGE
    gap_limit_ms: int = 60_000
    limit_mw: int | None = round(LIMIT_W * 1000)
    ignored_devices: tuple[int, ...] = ()
    ignores_all: bool = False
    falls_back: bool = False
    moved_ms: int = NEVER_MS


class Manner(msgspec.Struct, frozen=True):
    """How a device's readings are taken: the part of a calibration that goes with the device."""

    cadence: Cadence
    gap_limit_ms: int
    limit_mw: int | None
    falls_back: bool = False


class Device(msgspec.Struct, frozen=True):
    """The thing that measures, known by its source and address."""

    device_id: int
    source: str
    address: str


class Binding(msgspec.Struct, frozen=True):
    """A device measures for a meter from `from_ms` until before `to_ms` (None: still).

    `made_ms`: when that was decided; `manner`: how its readings are taken since, None where only a
    calibration says it.
    """

    binding_id: int
    meter_id: int
    device: Device
    from_ms: int
    to_ms: int | None
    made_ms: int = 0
    manner: Manner | None = None


class Meter(msgspec.Struct, frozen=True):
    """One metered point; it keeps its identity when the device behind it is replaced.

    `parent` is the slug of the meter that this one's power is part of.
    """

    meter_id: int
    slug: str
    name: str
    appliance: str | None = None
    parent: str | None = None


class NewDevice(msgspec.Struct, frozen=True):
    """A device that was heard but belongs to no meter; nothing of it is recorded."""

    source: str
    address: str
    power_w: float | None
    current_a: float | None
    time_ms: int
    hint: str | None = None
    """What the device says it is attached to, e.g. `fridge`; None when it says nothing."""
