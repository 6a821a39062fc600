"""What people decide about readings that are recorded: what counts of them, and which device they should be of.

Each decision is a dated record. The figures that it touches are derived anew at once; should the process end before
they are sealed, the next start does it again.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from casawatt.config_edit import ConfigFile
from casawatt.engine.localtime import day_edges
from casawatt.model.dated import Action, Bind, Correction, DayChange, Rebound, Repaired
from casawatt.model.errors import RegistryError, TakenError, UnknownDecisionError
from casawatt.model.meter import Binding, Device, Meter
from casawatt.model.ports import Clock
from casawatt.model.suspect import Suspect
from casawatt.recorder.recorder import Recorder
from casawatt.registry import Registry
from casawatt.store.store import Store

Made = TypeVar("Made", Correction, Bind)


class Repairs:
    """Makes and takes back decisions. Everything runs on the recorder's thread."""

    def __init__(self, store: Store, registry: Registry, recorder: Recorder, clock: Clock, config: ConfigFile) -> None:
        self._store = store
        self._dated = store.registry.dated
        self._registry = registry
        self._recorder = recorder
        self._clock = clock
        self._config = config

    def suspects(self, meter: Meter, start_ms: int, end_ms: int) -> list[Suspect]:
        """Return what is set aside of the readings with `start_ms <= time_ms < end_ms`, in ascending time."""
        self._recorder.settle()
        return self._store.suspects.between(meter.meter_id, start_ms, end_ms)

    def corrections(self, meter: Meter) -> list[Correction]:
        """Return the corrections of the meter that stand, in the order they were made."""
        return self._registry.corrections(meter)

    def correct(self, meter: Meter, action: Action, from_ms: int, to_ms: int, note: str | None) -> Repaired:
        """Make a correction of the readings with `from_ms <= time_ms < to_ms`.

        Raises RegistryError when there is nothing to correct, StoreError.
        """
        if action is Action.RESTORE and not self.suspects(meter, from_ms, to_ms):
            message = f"nothing that {meter.slug} said then is set aside"
            raise RegistryError(message)
        last = self._store.last_record(meter.meter_id, to_ms)
        if last is None or last.time_ms < from_ms:
            message = f"{meter.slug} has no reading of that time"
            raise RegistryError(message)
        now_ms = self._clock.now_ms()
        correction, days = self._change(
            [meter],
            (from_ms, to_ms),
            lambda: self._dated.add_correction(meter.meter_id, action, from_ms, to_ms, made_ms=now_ms, note=note),
        )
        return Repaired(correction, days)

    def undo_correction(self, meter: Meter, correction_id: int) -> Repaired:
        """Take a correction back. Raises UnknownDecisionError when the meter has none of that number that stands."""
        found = [each for each in self._registry.corrections(meter) if each.correction_id == correction_id]
        if not found:
            message = f"{meter.slug} has no correction {correction_id} that stands"
            raise UnknownDecisionError(message)

        def retract() -> Correction:
            self._dated.retract_correction(correction_id, self._clock.now_ms())
            return found[0]

        correction, days = self._change([meter], (found[0].from_ms, found[0].to_ms), retract)
        return Repaired(correction, days)

    def bind(self, meter: Meter, source: str, address: str, from_ms: int | None, *, move: bool) -> Rebound:
        """Let a device measure for a meter from `from_ms` on, now when None; the meter's history goes on.

        What the meter's devices of before said since then counts no more. `move`: the device may be taken from another
        meter. Raises RegistryError when that cannot be, TakenError when the device would have to be taken, ConfigError
        when the config says otherwise and cannot be changed, StoreError.
        """
        now_ms = self._clock.now_ms()
        start_ms = now_ms if from_ms is None else from_ms
        self._registry.check_source(source)
        if from_ms is not None:
            self._check_time(meter, from_ms, now_ms)
        device = self._registry.device(source, address)
        held = [each for each in self._dated.bindings_of(device.device_id) if _reaches_past(each, start_ms)]
        if any(each.meter_id == meter.meter_id and each.from_ms <= start_ms and each.to_ms is None for each in held):
            message = f"{source} {address} already measures for {meter.slug!r}"
            raise RegistryError(message)
        others = [self._registry.by_id(each.meter_id) for each in held if each.meter_id != meter.meter_id]
        if others and not move:
            raise TakenError(
                "address", f"{source} {address} measures for {others[0].slug!r}, and would do so no longer"
            )
        return self._rebind([meter, *others], start_ms, lambda: self._registry.bind(meter, device, start_ms, now_ms))

    def undo_bind(self, meter: Meter, binding_id: int | None) -> Rebound:
        """Take a decision about a meter's device back, its newest one when None: all is as if it had never been made.

        Raises UnknownDecisionError when there is none that stands, RegistryError for the first one, which the meter
        was made with, ConfigError when the config says otherwise and cannot be changed, StoreError.
        """
        standing = [bind for bind in self._dated.binds(meter.meter_id) if bind.retracted_ms is None]
        later = standing[1:]
        if binding_id is not None and standing and standing[0].binding_id == binding_id:
            message = f"{meter.slug} was made with its first device; that cannot be taken back"
            raise RegistryError(message)
        found = [bind for bind in later if binding_id in (None, bind.binding_id)]
        if not found:
            which = "was never given another device" if binding_id is None else f"has no binding {binding_id}"
            message = f"{meter.slug} {which}; there is nothing to take back"
            raise UnknownDecisionError(message)
        bind = found[-1]

        def retract() -> Bind:
            self._dated.retract_bind(bind.binding_id, self._clock.now_ms())
            return bind

        owners = {each.meter_id for each in self._dated.binds_of(bind.device.device_id)} | {meter.meter_id}
        meters = [meter, *(self._registry.by_id(each) for each in sorted(owners - {meter.meter_id}))]
        return self._rebind(meters, bind.from_ms, retract)

    def _check_time(self, meter: Meter, from_ms: int, now_ms: int) -> None:
        if from_ms > now_ms:
            message = "a device can be bound from now or from a time past on, not from a time to come"
            raise RegistryError(message)
        first_ms = self._store.first_time_ms(meter.meter_id)
        if first_ms is not None and from_ms <= first_ms:
            message = f"{meter.slug} was not measured before then: nothing of its history would be left"
            raise RegistryError(message)

    def _rebind(self, meters: list[Meter], from_ms: int, decide: Callable[[], Bind]) -> Rebound:
        """Decide which device measures for the first of the meters; the others are those that it may change too."""
        before = {meter.slug: self._present(meter) for meter in meters}

        def and_follow() -> Bind:
            bind = decide()
            for meter in meters:
                device = self._present(meter)
                if device is not None:
                    self._registry.follow(meter, device, self._clock.now_ms())
            self._bring_config_up_to(meters)
            return bind

        lasts = [self._store.last_record(meter.meter_id) for meter in meters]
        to_ms = max([self._clock.now_ms(), *(last.time_ms for last in lasts if last)]) + 1
        with self._config.kept_on_error():
            bind, days = self._change(meters, (from_ms, to_ms), and_follow)
        bereft = [meter.slug for meter in meters if before[meter.slug] and self._present(meter) is None]
        return Rebound(bind, self._present(meters[0]), bereft, days)

    def _present(self, meter: Meter) -> Device | None:
        """Return the device that measures for a meter now."""
        return next((each.device for each in self._registry.bindings(meter) if each.to_ms is None), None)

    def _bring_config_up_to(self, meters: Iterable[Meter]) -> None:
        """Let the config say what was decided, or the next start would decide otherwise. Raises ConfigError."""
        configured = self._config.meters()
        for meter in meters:
            want = configured.get(meter.slug)
            device = self._present(meter)
            if want is None or (device is not None and (want.source, want.address) == (device.source, device.address)):
                continue
            if device is None:
                message = (
                    f"[meter.{meter.slug}] stands in the config and would have no device: take it out of there first"
                )
                raise RegistryError(message)
            self._config.set_device(meter.slug, device.source, device.address)

    def _change(
        self, meters: list[Meter], span: tuple[int, int], decide: Callable[[], Made]
    ) -> tuple[Made, list[DayChange]]:
        """Make a decision that touches a span of the meters' readings; returns it and what it changed."""
        self._recorder.settle()
        before = [self._days(meter, span[0]) for meter in meters]
        with self._registry.changing():
            made = decide()
            for meter in meters:
                self._dated.touch(meter.meter_id, *span)
        self._recorder.derive_anew([meter.meter_id for meter in meters], *span)
        return made, [
            DayChange(meter.slug, *day, was.get(day, 0), energy_mwh)
            for meter, was in zip(meters, before, strict=True)
            for day, energy_mwh in self._days(meter, span[0]).items()
            if was.get(day, 0) != energy_mwh
        ]

    def _days(self, meter: Meter, from_ms: int) -> dict[tuple[int, int], int]:
        """Return the energy (mWh) of a meter by local day, from the last reading before `from_ms` on."""
        meter_id = meter.meter_id
        before, last = self._store.last_record(meter_id, from_ms), self._store.last_record(meter_id)
        first_ms = before.time_ms if before else self._store.first_time_ms(meter_id)
        if last is None or first_ms is None:
            return {}
        edges_ms = day_edges(self._store.zone, first_ms, last.time_ms + 1)
        buckets = self._store.buckets(meter_id, edges_ms, self._registry.calibrations(meter))
        return {(bucket.start_ms, bucket.end_ms): bucket.energy_mwh for bucket in buckets}


def _reaches_past(binding: Binding, time_ms: int) -> bool:
    return binding.to_ms is None or binding.to_ms > time_ms
