"""What the web layer asks of the rest, answered by registry, recorder, keeper and store."""

import asyncio
from collections.abc import Sequence

import msgspec

from casawatt.engine.clean import Verdict
from casawatt.model.meter import Binding, Calibration, Meter, NewDevice
from casawatt.model.ports import Clock
from casawatt.model.reading import Reading, Record
from casawatt.recorder.keeper import Keeper
from casawatt.recorder.line import FAR_MS
from casawatt.recorder.recorder import Recorder
from casawatt.registry import IMPORT_SOURCE, Adoption, Registry
from casawatt.store.store import Store
from casawatt.supervisor import Supervisor
from casawatt.web.import_port import ImportReport, ReadingColumns, Rejected
from casawatt.web.ports import Health, LiveValue, Metric, Sample, SourceHealth, StoreHealth, Watcher

YIELD_EVERY = 500
"""After so many imported readings other work gets its turn."""


class HomeMeters:
    """The meters, as the pages see them."""

    def __init__(self, registry: Registry, recorder: Recorder, clock: Clock) -> None:
        self._registry = registry
        self._recorder = recorder
        self._clock = clock

    def meters(self) -> list[Meter]:
        """Return all meters in the order in which they were made."""
        return self._registry.meters()

    def meter(self, slug: str) -> Meter:
        """Return the meter called `slug`; raises UnknownMeterError."""
        return self._registry.meter(slug)

    def bindings(self, meter: Meter) -> list[Binding]:
        """Return the meter's bindings, oldest first."""
        return self._registry.bindings(meter)

    def calibrations(self, meter: Meter) -> list[Calibration]:
        """Return what the meter's readings are counted by, oldest first."""
        return self._registry.calibrations(meter)

    def own_calibrations(self, meter: Meter) -> list[Calibration]:
        """Return the same as they are without corrections."""
        return self._registry.own_calibrations(meter)

    def new_devices(self) -> list[NewDevice]:
        """Return the devices that were heard and belong to no meter."""
        return self._registry.new_devices()

    def adopt(
        self,
        *,
        slug: str,
        name: str,
        appliance: str | None,
        parent: str | None,
        source: str,
        address: str,
        gap_limit_s: float | None,
    ) -> Meter:
        """Make a meter and bind the device to it; raises RegistryError when slug or device are taken."""
        traits = self._registry.traits(source, address)
        if gap_limit_s is not None:
            traits = msgspec.structs.replace(traits, gap_limit_ms=round(gap_limit_s * 1000))
        adoption = Adoption(slug, name, source, address, appliance, parent, traits=traits)
        meter = self._registry.adopt(adoption, self._clock.now_ms())
        self._recorder.renew()
        self._recorder.tell(None)
        self._recorder.tell(meter.meter_id)
        return meter


class Live:
    """What the meters say now, and who wants to hear of it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._watchers: list[Watcher] = []
        recorder.on_change(self._changed)

    def now(self, meter_id: int) -> LiveValue | None:
        """Return the newest value, None when the meter was never heard."""
        line = self._recorder.line(meter_id)
        if line is None or line.newest_ms == -FAR_MS:
            return None
        power_mw = line.power_mw()
        power_w = None if power_mw is None else power_mw / 1000
        return LiveValue(power_w, line.newest_ms, self._recorder.is_silent(line))

    def is_speaking(self, meter: Meter) -> bool:
        """Return whether the meter was heard and has not fallen silent."""
        live = self.now(meter.meter_id)
        return live is not None and not live.silent

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every change from now on."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Tell `watcher` no more."""
        self._watchers.remove(watcher)

    def health_changed(self) -> None:
        """Tell the watchers that the health may have changed."""
        for watcher in self._watchers:
            watcher.health()

    def discovery_changed(self) -> None:
        """Tell the watchers how the search for devices is going."""
        for watcher in self._watchers:
            watcher.discovery()

    def _changed(self, meter_id: int | None) -> None:
        for watcher in self._watchers:
            if meter_id is None:
                watcher.new_devices()
            else:
                watcher.meter(meter_id)


class ServiceStatus:
    """How the service is and what it has counted."""

    def __init__(
        self, store: Store, recorder: Recorder, supervisor: Supervisor, since_ms: int, keeper: Keeper | None = None
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._recorder = recorder
        self._supervisor = supervisor
        self._since_ms = since_ms

    def health(self) -> Health:
        """Return how the service is: failing when nothing can be kept, degraded when something is missing."""
        sources = [
            SourceHealth(status.name, status.state, status.since_ms, status.failures, status.last_error)
            for status in self._supervisor.statuses
        ]
        trouble = self._keeper.trouble if self._keeper else self._store.trouble
        store = StoreHealth(trouble, self._store.written_seq, self._store.durable_seq)
        troubled = store.trouble is not None or any(source.state == "restarting" for source in sources)
        failing = self._store.full
        return Health("failing" if failing else "degraded" if troubled else "ok", self._since_ms, store, sources)

    def metrics(self) -> list[Metric]:
        """Return what was counted since the start."""
        recorder = self._recorder
        refused = [
            Sample({"source": refusal.source, "sender": refusal.sender, "cause": refusal.cause}, count)
            for refusal, count in sorted(recorder.refusals.counts.items())
        ]
        return [
            Metric(
                "casawatt_readings_total",
                "Readings that were recorded, or repeated one that was.",
                "counter",
                [
                    Sample({"verdict": "recorded"}, recorder.recorded),
                    Sample({"verdict": "duplicate"}, recorder.duplicates),
                ],
            ),
            Metric(
                "casawatt_refused_total",
                "What could not be used, by source, sender and cause.",
                "counter",
                refused,
            ),
        ]


class Imports:
    """Records readings that come from a file or a person under a meter."""

    def __init__(self, store: Store, registry: Registry, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._registry = registry
        self._recorder = recorder
        self._clock = clock

    async def record(self, slug: str, columns: ReadingColumns) -> ImportReport:
        """Record readings under a meter; raises UnknownMeterError, StoreError. Other work goes on in between.

        What the meter has at a time already stays: what says otherwise is rejected. Afterwards its figures hold all.
        """
        meter = self._registry.meter(slug)
        recorded = duplicates = 0
        rejected: list[Rejected] = []
        known = self._known(meter, columns.time_ms)
        taken: set[int] = set()
        for index, reading in enumerate(rows(columns, slug, self._clock.now_ms())):
            if index % YIELD_EVERY == YIELD_EVERY - 1:
                await asyncio.sleep(0)
            time_ms = columns.time_ms[index]
            if time_ms in taken:
                known |= self._known(meter, [time_ms])
            verdict = self._recorder.put_under(meter, reading, known)
            if verdict is Verdict.DUPLICATE:
                duplicates += 1
            elif verdict in (Verdict.FRESH, Verdict.LATE):
                recorded += 1
                taken.add(time_ms)
            else:
                rejected.append(Rejected(index, verdict.value))
        line = self._recorder.line(meter.meter_id)
        if line is not None:
            self._recorder.settle_line(line)
        return ImportReport(recorded, duplicates, rejected)

    def _known(self, meter: Meter, times_ms: list[int]) -> dict[int, Record]:
        """Return what the meter has recorded at the times of an import already, by time."""
        start_ms, end_ms = max(min(times_ms, default=0), -FAR_MS), min(max(times_ms, default=0) + 1, FAR_MS)
        wanted = set(times_ms)
        records = self._store.columns(meter.meter_id, start_ms, end_ms).records()
        return {record.time_ms: record for record in records if record.time_ms in wanted}


def rows(columns: ReadingColumns, slug: str, received_ms: int) -> Sequence[Reading]:
    """Return each row of the columns as a reading of the import device of a meter."""
    count = len(columns.time_ms)
    names = ("power_w", "register_wh", "voltage_v", "current_a", "power_factor_ratio", "charge_as", "boot_id")
    given = {name: column for name in names if (column := getattr(columns, name)) is not None}
    return [
        Reading(
            source=IMPORT_SOURCE,
            address=f"{slug}/{columns.device}" if columns.device else slug,
            received_ms=received_ms,
            time_ms=columns.time_ms[index],
            **{name: column[index] for name, column in given.items()},
        )
        for index in range(count)
    ]
