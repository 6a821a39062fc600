"""Which device measures for which meter, from when, and what makes watts of its readings.

Everything here is a dated record in the store. A device that belongs to no meter is remembered
for the *new devices* list and nothing of it is recorded.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from casawatt.config_sections import HomeConfig, MeterConfig
from casawatt.engine.manner import calibration_of, manner_of
from casawatt.model.dated import Bind, Correction
from casawatt.model.errors import RegistryError, TakenError, UnknownMeterError
from casawatt.model.meter import (
    IMPORT_SOURCE,
    LIMIT_W,
    Binding,
    Cadence,
    Calibration,
    Device,
    Manner,
    Meter,
    NewDevice,
    Traits,
    check_slug,
)
from casawatt.model.reading import POWER_FACTOR_ONE, Reading
from casawatt.newcomers import Adoption, NewDevices, as_adoption
from casawatt.store.rows import RegistryRows

__all__ = ["BEGINNING_MS", "IMPORT_SOURCE", "Adoption", "Registry"]

BEGINNING_MS = 0
"""The start of a first binding or calibration: it holds for all that the device ever measured."""


class Registry:
    """The meters of a home and the devices behind them.

    `traits` tells what each source declares about its readings, `traits_of` where it differs from device to device; a
    source that is not configured has none, and its devices are held to be change-driven. More than `supply_limit_w`
    cannot flow through any meter that is not told otherwise.
    """

    def __init__(
        self,
        rows: RegistryRows,
        home: HomeConfig,
        traits: dict[str, Traits],
        *,
        traits_of: Mapping[str, Callable[[str], Traits]] | None = None,
        supply_limit_w: float = LIMIT_W,
    ) -> None:
        self._rows = rows
        self._dated = rows.dated
        self._home = home
        self._traits = traits
        self._traits_of = traits_of or {}
        self._supply_limit_w = supply_limit_w
        self._configured: dict[str, MeterConfig] = {}
        self._new = NewDevices()
        self._meters: dict[str, Meter] = {meter.slug: meter for meter in rows.meters()}
        self._by_id: dict[int, Meter] = {meter.meter_id: meter for meter in self._meters.values()}
        self._devices: dict[tuple[str, str], Device] = {
            (device.source, device.address): device for device in rows.devices()
        }
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

    def by_id(self, meter_id: int) -> Meter:
        """Return the meter of that number; raises UnknownMeterError."""
        try:
            return self._by_id[meter_id]
        except KeyError:
            message = f"there is no meter number {meter_id}"
            raise UnknownMeterError(message) from None

    def bindings(self, meter: Meter | None = None) -> list[Binding]:
        """Return the bindings that hold of one meter, or of all, oldest first."""
        return self._dated.bindings(meter.meter_id if meter else None)

    def calibrations(self, meter: Meter) -> list[Calibration]:
        """Return what the meter's readings are counted by, corrections included, oldest first; there is always one."""
        return self._dated.calibrations(meter.meter_id) or [self._by_default]

    def own_calibrations(self, meter: Meter) -> list[Calibration]:
        """Return the same as it would be without corrections and without devices that measure no longer."""
        return self._dated.own_calibrations(meter.meter_id) or [self._by_default]

    @property
    def _by_default(self) -> Calibration:
        return calibration_of(BEGINNING_MS, self._home.nominal_voltage_v, 1.0, self._manner(self.traits("", "")))

    def corrections(self, meter: Meter) -> list[Correction]:
        """Return the corrections of the meter's readings that stand, in the order they were made."""
        return self._dated.corrections(meter.meter_id)

    def traits(self, source: str, address: str) -> Traits:
        """Return what the source declares about the readings of a device."""
        if source in self._traits_of:
            return self._traits_of[source](address)
        return self._traits.get(source, Traits(Cadence.CHANGE, gap_limit_ms=60_000))

    def device(self, source: str, address: str) -> Device:
        """Return the device of that source and address, made known if it was not."""
        key = source, address
        if key not in self._devices:
            self._devices[key] = self._rows.device(source, address)
        return self._devices[key]

    def new_devices(self) -> list[NewDevice]:
        """Return the devices that were heard and belong to no meter, last heard first."""
        return self._new.all()

    def heard(self, reading: Reading, hint: str | None) -> bool:
        """Remember a device that belongs to no meter; returns whether it was not known before."""
        return self._new.heard(reading, hint)

    def owner(self, source: str, address: str) -> Meter | None:
        """Return the meter for which the device measures now, if any."""
        device = self._devices.get((source, address))
        held = [] if device is None else self._dated.bindings_of(device.device_id)
        return next((self.by_id(each.meter_id) for each in held if each.to_ms is None), None)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Write down all that is changed inside, or nothing of it; then views of the registry are to be renewed."""
        meters = dict(self._meters)
        try:
            with self._rows.together():
                yield
        except BaseException:
            self._meters = meters
            self._by_id = {meter.meter_id: meter for meter in meters.values()}
            self._devices = {(each.source, each.address): each for each in self._rows.devices()}
            raise
        finally:
            self.version += 1

    def adopt(self, adoption: Adoption, now_ms: int) -> Meter:
        """Make a meter and bind the device to it.

        A device that never measured for a meter is bound for all its time, so that what it still
        holds from before comes in as well; otherwise from `now_ms` on.
        Raises TakenError if the slug is taken or the device is bound, RegistryError if source or parent are unknown.
        """
        check_slug(adoption.slug)
        self.check_source(adoption.source)
        if adoption.slug in self._meters:
            raise TakenError("slug", f"there is a meter {adoption.slug!r} already")
        self._check_parent(adoption.slug, adoption.parent)
        owner = self.owner(adoption.source, adoption.address)
        if owner is not None:
            raise TakenError("address", f"{adoption.source} {adoption.address} already measures for {owner.slug!r}")
        return self._make(adoption, None, now_ms)

    def check_source(self, source: str) -> None:
        """Raise RegistryError for a source that is not configured."""
        if source not in (*self._traits, IMPORT_SOURCE):
            message = f"there is no source {source!r}; there are: {', '.join(self._traits) or 'none'}"
            raise RegistryError(message)

    def _make(self, adoption: Adoption, options: MeterConfig | None, now_ms: int) -> Meter:
        """Write a meter, its device and its calibration down: all of it or, when the disk is full, nothing."""
        manner = self._manner(adoption.traits or self.traits(adoption.source, adoption.address), options)
        with self.changing():
            meter = self._rows.add_meter(adoption.slug, adoption.name, adoption.appliance, adoption.parent)
            self._meters[meter.slug] = self._by_id[meter.meter_id] = meter
            self._bind(meter, adoption.source, adoption.address, manner, now_ms)
            self._calibrate(meter, manner, adoption.nominal_voltage_v, adoption.power_factor_ratio, now_ms)
        self._new.forget(adoption.source, adoption.address)
        return meter

    def apply(self, configured: dict[str, MeterConfig], now_ms: int) -> list[str]:
        """Bring the records up to what the config says; returns what was changed, in words.

        A meter that is no longer in the config stays, with its history and its device.
        """
        self._configured = configured
        changes = []
        with self.changing():
            for slug, want in configured.items():
                if slug not in self._meters:
                    self._make(as_adoption(slug, want), want, now_ms)
                    changes.append(f"meter {slug} made, measured by {want.source} {want.address}")
                else:
                    changes += self._bring_up_to(slug, want, now_ms)
            return changes + self._follow_traits(now_ms)

    def _bring_up_to(self, slug: str, want: MeterConfig, now_ms: int) -> list[str]:
        """Bring the records of a meter that exists up to what the config says; returns what was changed."""
        changes = []
        name = want.name or slug
        meter = self._meters[slug]
        if Meter(meter.meter_id, slug, name, want.appliance, want.parent) != meter:
            meter = self._rows.update_meter(
                meter.meter_id, slug=slug, name=name, appliance=want.appliance, parent=want.parent
            )
            self._meters[slug] = self._by_id[meter.meter_id] = meter
            changes.append(f"meter {slug} renamed or moved")
        manner = self.manner(meter, want.source, want.address)
        owner = self.owner(want.source, want.address)
        if owner is None or owner.meter_id != meter.meter_id:
            self._bind(meter, want.source, want.address, manner, now_ms)
            changes.append(f"meter {slug} from now on measured by {want.source} {want.address}")
        if self._calibrate(meter, manner, want.nominal_voltage_v, want.power_factor_ratio, now_ms):
            changes.append(f"meter {slug} from now on calibrated anew")
        return changes

    def _follow_traits(self, now_ms: int) -> list[str]:
        """Calibrate anew the meters outside the config whose source or supply now says something else."""
        changes = []
        for binding in self.bindings():
            meter = self.by_id(binding.meter_id)
            if binding.to_ms is not None or meter.slug in self._configured:
                continue
            if self.follow(meter, binding.device, now_ms):
                source = binding.device.source
                changes.append(f"meter {meter.slug} from now on calibrated anew, as [source.{source}] declares")
        return changes

    def follow(self, meter: Meter, device: Device, now_ms: int) -> bool:
        """Take a device's readings from now on as its source declares, if it is configured; returns if that is new."""
        if device.source not in self._traits:
            return False
        newest = self.own_calibrations(meter)[-1]
        ratio = newest.power_factor_e4 / POWER_FACTOR_ONE
        manner = self.manner(meter, device.source, device.address)
        return self._calibrate(meter, manner, newest.nominal_voltage_mv / 1000, ratio, now_ms)

    def _check_parent(self, slug: str, parent: str | None) -> None:
        if parent is None:
            return
        if parent == slug:
            message = f"meter {slug!r} cannot be part of itself"
            raise RegistryError(message)
        if parent not in self._meters:
            message = f"there is no meter {parent!r} for {slug!r} to be part of"
            raise RegistryError(message)

    def manner(self, meter: Meter, source: str, address: str) -> Manner:
        """Return how a device's readings are taken when it measures for a meter, by the meter's own options first."""
        return self._manner(self.traits(source, address), self._configured.get(meter.slug))

    def _manner(self, traits: Traits, options: MeterConfig | None = None) -> Manner:
        if options is None:
            return manner_of(traits, self._supply_limit_w)
        return manner_of(
            traits,
            self._supply_limit_w,
            cadence=options.cadence,
            gap_limit_s=options.gap_limit_s,
            limit_w=options.limit_w,
        )

    def bind(self, meter: Meter, device: Device, from_ms: int, now_ms: int) -> Bind:
        """Let a device measure for a meter from `from_ms` on (UTC ms), with its readings taken as its source declares.

        Raises StoreError. `engine.bindings` says what becomes of other bindings.
        """
        manner = self.manner(meter, device.source, device.address)
        self._new.forget(device.source, device.address)
        return self._dated.bind(meter.meter_id, device, from_ms, made_ms=now_ms, manner=manner)

    def _bind(self, meter: Meter, source: str, address: str, manner: Manner, now_ms: int) -> None:
        """Bind a device from now on, or for all its time when neither it nor the meter was ever bound."""
        device = self.device(source, address)
        used = self._dated.bindings(meter.meter_id) or self._dated.bindings_of(device.device_id)
        from_ms = now_ms if used else BEGINNING_MS
        self._dated.bind(meter.meter_id, device, from_ms, made_ms=now_ms, manner=manner)

    def _calibrate(
        self, meter: Meter, manner: Manner, voltage_v: float | None, power_factor_ratio: float, now_ms: int
    ) -> bool:
        """Add a calibration if the newest says otherwise; returns whether one was added."""
        known = self._dated.own_calibrations(meter.meter_id)
        from_ms = now_ms if known else BEGINNING_MS
        wanted = calibration_of(from_ms, voltage_v or self._home.nominal_voltage_v, power_factor_ratio, manner)
        if known:
            newest = known[-1]
            wanted_then = msgspec.structs.replace(wanted, from_ms=newest.from_ms, moved_ms=newest.moved_ms)
            if wanted_then == newest:
                return False
        self._dated.add_calibration(meter.meter_id, wanted, now_ms)
        return True
