"""Which device measures for which meter, from when, and what makes watts of its readings.

Everything here is a dated record in the store. A device that belongs to no meter is remembered
for the *new devices* list and nothing of it is recorded.
"""

from collections import OrderedDict
from dataclasses import dataclass

import msgspec

from casawatt.config import HomeConfig, MeterConfig
from casawatt.model.errors import RegistryError, TakenError, UnknownMeterError
from casawatt.model.meter import (
    Binding,
    Cadence,
    Calibration,
    Device,
    Meter,
    NewDevice,
    Traits,
    check_slug,
)
from casawatt.model.reading import POWER_FACTOR_ONE, Reading
from casawatt.store.rows import RegistryRows

NEW_DEVICES_KEPT = 200
"""How many devices without a meter are remembered: enough for a home, and a bound for a flood of forged ones."""

BEGINNING_MS = 0
"""The start of a first binding or calibration: it holds for all that the device ever measured."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What a person decides about a device: the meter it shall measure for."""

    slug: str
    name: str
    source: str
    address: str
    appliance: str | None = None
    parent: str | None = None
    nominal_voltage_v: float | None = None
    power_factor_ratio: float = 1.0
    traits: Traits | None = None
    """What the readings are like, when it is not what the source declares: a file says it of itself."""


class Registry:
    """The meters of a home and the devices behind them.

    `traits` tells what each source declares about its readings; a source that is not
    configured has none, and its devices are held to be change-driven.
    """

    def __init__(self, rows: RegistryRows, home: HomeConfig, traits: dict[str, Traits]) -> None:
        self._rows = rows
        self._home = home
        self._traits = traits
        self._new: OrderedDict[tuple[str, str], NewDevice] = OrderedDict()
        self._meters: dict[str, Meter] = {meter.slug: meter for meter in rows.meters()}
        self._devices: dict[tuple[str, str], Device] = {}
        self.version = 0
        """Grows with each change, so that whoever keeps a view of the registry knows when to renew it."""

    def meters(self) -> list[Meter]:
        """Return all meters, in the order in which they were made."""
        return list(self._meters.values())

    def meter(self, slug: str) -> Meter:
        """Return the meter called `slug`; raises UnknownMeterError."""
        try:
            return self._meters[slug]
        except KeyError:
            known = ", ".join(self._meters) or "none yet"
            message = f"there is no meter {slug!r}; there are: {known}"
            raise UnknownMeterError(message) from None

    def bindings(self, meter: Meter | None = None) -> list[Binding]:
        """Return the bindings of one meter, or of all, oldest first."""
        return self._rows.bindings(meter.meter_id if meter else None)

    def calibrations(self, meter: Meter) -> list[Calibration]:
        """Return the meter's calibrations, oldest first; there is always one."""
        return self._rows.calibrations(meter.meter_id) or [self._calibration(BEGINNING_MS, None, 1.0, self.traits(""))]

    def traits(self, source: str) -> Traits:
        """Return what the source declares about its readings."""
        return self._traits.get(source, Traits(Cadence.CHANGE, gap_limit_ms=60_000))

    def device(self, source: str, address: str) -> Device:
        """Return the device of that source and address, made known if it was not."""
        key = source, address
        if key not in self._devices:
            self._devices[key] = self._rows.device(source, address)
        return self._devices[key]

    def new_devices(self) -> list[NewDevice]:
        """Return the devices that were heard and belong to no meter, last heard first."""
        return list(reversed(self._new.values()))

    def heard(self, reading: Reading, hint: str | None) -> bool:
        """Remember a device that belongs to no meter; returns whether it was not known before."""
        key = reading.source, reading.address
        fresh = self._new.pop(key, None) is None
        self._new[key] = NewDevice(
            reading.source, reading.address, reading.power_w, reading.current_a, reading.received_ms, hint
        )
        if len(self._new) > NEW_DEVICES_KEPT:
            self._new.popitem(last=False)
        return fresh

    def adopt(self, adoption: Adoption, now_ms: int) -> Meter:
        """Make a meter and bind the device to it.

        A device that never measured for a meter is bound for all its time, so that what it still
        holds from before comes in as well; otherwise from `now_ms` on.
        Raises RegistryError if the slug is taken, the device is bound already or the parent unknown.
        """
        check_slug(adoption.slug)
        if adoption.slug in self._meters:
            raise TakenError("slug", f"there is a meter {adoption.slug!r} already")
        self._check_parent(adoption.slug, adoption.parent)
        owner = self.owner(adoption.source, adoption.address)
        if owner is not None:
            raise TakenError("address", f"{adoption.source} {adoption.address} already measures for {owner.slug!r}")
        meter = self._rows.add_meter(adoption.slug, adoption.name, adoption.appliance, adoption.parent)
        self._meters[meter.slug] = meter
        self._bind(meter, adoption.source, adoption.address, now_ms)
        traits = adoption.traits or self.traits(adoption.source)
        self._calibrate(meter, traits, adoption.nominal_voltage_v, adoption.power_factor_ratio, now_ms)
        return meter

    def owner(self, source: str, address: str) -> Meter | None:
        """Return the meter for which the device measures now, if any."""
        for binding in self._rows.bindings():
            device = binding.device
            if binding.to_ms is None and (device.source, device.address) == (source, address):
                return self.by_id(binding.meter_id)
        return None

    def by_id(self, meter_id: int) -> Meter:
        """Return the meter of that number; raises UnknownMeterError."""
        for meter in self._meters.values():
            if meter.meter_id == meter_id:
                return meter
        message = f"there is no meter number {meter_id}"
        raise UnknownMeterError(message)

    def apply(self, configured: dict[str, MeterConfig], now_ms: int) -> list[str]:
        """Bring the records up to what the config says; returns what was changed, in words.

        A meter that is no longer in the config stays, with its history and its device.
        """
        changes = []
        for slug, want in configured.items():
            if slug not in self._meters:
                self._make(slug, want, now_ms)
                changes.append(f"meter {slug} made, measured by {want.source} {want.address}")
            else:
                changes += self._bring_up_to(slug, want, now_ms)
        return changes + self._follow_traits(configured, now_ms)

    def _make(self, slug: str, want: MeterConfig, now_ms: int) -> None:
        meter = self._rows.add_meter(slug, want.name or slug, want.appliance, want.parent)
        self._meters[slug] = meter
        self._bind(meter, want.source, want.address, now_ms)
        self._calibrate(meter, self.traits(want.source), want.nominal_voltage_v, want.power_factor_ratio, now_ms)

    def _bring_up_to(self, slug: str, want: MeterConfig, now_ms: int) -> list[str]:
        """Bring the records of a meter that exists up to what the config says; returns what was changed."""
        changes = []
        name = want.name or slug
        meter = self._meters[slug]
        if Meter(meter.meter_id, slug, name, want.appliance, want.parent) != meter:
            self._meters[slug] = meter = self._rows.update_meter(
                meter.meter_id, slug=slug, name=name, appliance=want.appliance, parent=want.parent
            )
            self.version += 1
            changes.append(f"meter {slug} renamed or moved")
        owner = self.owner(want.source, want.address)
        if owner is None or owner.meter_id != meter.meter_id:
            self._bind(meter, want.source, want.address, now_ms)
            changes.append(f"meter {slug} from now on measured by {want.source} {want.address}")
        traits = self.traits(want.source)
        if self._calibrate(meter, traits, want.nominal_voltage_v, want.power_factor_ratio, now_ms):
            changes.append(f"meter {slug} from now on calibrated anew")
        return changes

    def _follow_traits(self, configured: dict[str, MeterConfig], now_ms: int) -> list[str]:
        """Calibrate anew the meters outside the config whose source now declares another cadence or gap limit."""
        changes = []
        for binding in self._rows.bindings():
            meter = self.by_id(binding.meter_id)
            source = binding.device.source
            if binding.to_ms is not None or meter.slug in configured or source not in self._traits:
                continue
            newest = self.calibrations(meter)[-1]
            ratio = newest.power_factor_e4 / POWER_FACTOR_ONE
            if self._calibrate(meter, self.traits(source), newest.nominal_voltage_mv / 1000, ratio, now_ms):
                changes.append(f"meter {meter.slug} from now on calibrated anew, as [source.{source}] declares")
        return changes

    def _check_parent(self, slug: str, parent: str | None) -> None:
        if parent is None:
            return
        if parent == slug:
            message = f"meter {slug!r} cannot be part of itself"
            raise RegistryError(message)
        if parent not in self._meters:
            message = f"there is no meter {parent!r} for {slug!r} to be part of"
            raise RegistryError(message)

    def _bind(self, meter: Meter, source: str, address: str, now_ms: int) -> None:
        device = self.device(source, address)
        used = any(
            binding.meter_id == meter.meter_id or binding.device.device_id == device.device_id
            for binding in self._rows.bindings()
        )
        self._rows.bind(meter.meter_id, device.device_id, now_ms if used else BEGINNING_MS)
        self._new.pop((source, address), None)
        self.version += 1

    def _calibrate(
        self, meter: Meter, traits: Traits, voltage_v: float | None, power_factor_ratio: float, now_ms: int
    ) -> bool:
        """Add a calibration if the newest says otherwise; returns whether one was added."""
        known = self._rows.calibrations(meter.meter_id)
        wanted = self._calibration(now_ms if known else BEGINNING_MS, voltage_v, power_factor_ratio, traits)
        if known and msgspec.structs.replace(wanted, from_ms=known[-1].from_ms) == known[-1]:
            return False
        self._rows.add_calibration(meter.meter_id, wanted)
        self.version += 1
        return True

    def _calibration(
        self, from_ms: int, voltage_v: float | None, power_factor_ratio: float, traits: Traits
    ) -> Calibration:
        return Calibration(
            from_ms,
            round((voltage_v or self._home.nominal_voltage_v) * 1000),
            round(power_factor_ratio * POWER_FACTOR_ONE),
            traits.cadence,
            traits.gap_limit_ms,
        )
