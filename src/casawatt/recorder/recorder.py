"""The way of each reading: which meter, is it sound, keep it, count it."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from casawatt.engine import clean, pipeline
from casawatt.engine.clean import Verdict
from casawatt.model.errors import StoreFullError
from casawatt.model.event import Event
from casawatt.model.interval import INTERVAL_MS, Interval
from casawatt.model.meter import Binding, Device, Meter, Traits
from casawatt.model.ports import NEVER, NOT_NOW, Clock
from casawatt.model.reading import Reading, Record
from casawatt.recorder.line import FAR_MS, Line
from casawatt.recorder.new_devices_log import NewDevicesLog
from casawatt.recorder.rebuild import rebuild
from casawatt.recorder.refusals import Refusals
from casawatt.recorder.routes import Route, choose
from casawatt.recorder.run_options import by_appliance
from casawatt.recorder.run_watch import SettingsOf
from casawatt.recorder.runs import RunKeeper
from casawatt.recorder.silence import BACK, SILENT, Silences
from casawatt.registry import Registry
from casawatt.store.store import Store

log = logging.getLogger(__name__)

USED = (Verdict.FRESH, Verdict.LATE, Verdict.DUPLICATE)


class Recorder:
    """Takes readings in for all meters of the home.

    Everything runs on one thread: nothing here waits.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        settings_of: SettingsOf = by_appliance,
    ) -> None:
        """Take in readings for the meters of `registry`; `settings_of` gives what a meter's runs are found with."""
        self.clock = clock
        self.refusals = Refusals()
        self.recorded = self.duplicates = 0
        self._new_devices = NewDevicesLog()
        self.runs = RunKeeper(store, clock, settings_of)
        self._store = store
        self._registry = registry
        self._lines: dict[int, Line] = {}
        self._routes: dict[tuple[str, str], list[Route]] = {}
        self._registry_version = -1
        self._listeners: list[Callable[[int | None], None]] = []
        self._silences = Silences(clock)

    def put(self, reading: Reading, hint: str | None = None) -> int:
        """Take in one reading; returns its sequence number, or `NOT_NOW` or `NEVER` when it was not recorded.

        A repeated reading gets the number under which the meter's newest record was kept.
        """
        if self._registry.version != self._registry_version:
            self.renew()
        route = choose(self._routes.get((reading.source, reading.address), ()), reading)
        if route is None:
            return self._heard(reading, hint)
        line = route.line
        line.heard_ms = max(line.heard_ms, reading.received_ms)
        line.gone = False
        try:
            verdict = self._take(line, reading, route.device, route.traits)
        except StoreFullError as error:
            self.refusals.add(reading.source, reading.address, "disk_full", str(error))
            return NOT_NOW
        if verdict in USED:
            return line.sequence
        self.refusals.add(reading.source, reading.address, verdict.value, f"{reading}")
        return NEVER

    def _heard(self, reading: Reading, hint: str | None) -> int:
        """Remember a device that belongs to no meter, if what it says could be recorded."""
        _, cleaned = clean.step(clean.START, reading, 0, self._registry.traits(reading.source, reading.address))
        if cleaned.record is None:
            self.refusals.add(reading.source, reading.address, cleaned.verdict.value, f"{reading}")
            return NEVER
        for route in self._routes.get((reading.source, reading.address), ()):
            if route.to_ms != FAR_MS:
                continue
            detail = f"it measures for {route.line.meter.slug}, and did not yet at the time of this: {reading}"
            self.refusals.add(reading.source, reading.address, "unbound", detail)
            return NEVER
        if self._registry.heard(reading, hint):
            self._new_devices.name(reading)
        self.tell(None)
        return NOT_NOW

    def put_under(self, meter: Meter, reading: Reading, known: Mapping[int, Record]) -> Verdict:
        """Record a reading from a file under a meter, whatever device measures for it; returns what became of it.

        `known` are records that the meter has already, by their time: these stay, whatever the file says of that time.
        A time before 2000 or in the future is out of range: here nothing stands in for it.
        Raises StoreFullError when it could not be kept.
        """
        if self._registry.version != self._registry_version:
            self.renew()
        if not clean.BEGINNING_MS <= (reading.time_ms or 0) <= reading.received_ms + clean.AHEAD_MAX_MS:
            return Verdict.OUT_OF_RANGE
        device = self._registry.device(reading.source, reading.address)
        traits = self._registry.traits(reading.source, reading.address)
        line = self._lines[meter.meter_id]
        there = known.get(reading.time_ms or 0)
        if there is not None:
            alone = clean.step(clean.START, reading, device.device_id, traits)[1].record
            verdict = Verdict.LATE if alone is None else clean.against(there, alone)
            if verdict is not Verdict.LATE:
                self.duplicates += verdict is Verdict.DUPLICATE
                return verdict
        return self._take(line, reading, device, traits)

    def _take(self, line: Line, reading: Reading, device: Device, traits: Traits) -> Verdict:
        after, cleaned = clean.step(line.clean, reading, device.device_id, traits)
        record = cleaned.record
        verdict = cleaned.verdict
        if cleaned.clock_corrected:
            self.refusals.add(reading.source, reading.address, "clock", f"its stamp was {reading.time_ms} ms")
        if verdict is Verdict.DUPLICATE:
            self.duplicates += 1
        elif record is not None:
            line.sequence = self._store.append(line.meter_id, record)
            line.clean = after  # only now: a reading that the store refused is no duplicate when it is sent again
            self.recorded += 1
            if verdict is Verdict.LATE:
                line.mark_dirty(record.time_ms)
            else:
                self._advance(line, record)
        return verdict

    def _advance(self, line: Line, record: Record) -> None:
        closed = line.advance(record)
        line.fresh.append(record)
        if closed:
            self._keep(line, closed)
        if line.aside:
            self._set_aside(line)
        line.changed = True
        for listener in self._listeners:
            listener(line.meter_id)

    def _keep(self, line: Line, closed: Sequence[Interval]) -> None:
        """Hand closed quarter-hours to the store; one without `how` was closed before and is taken back."""
        for interval in closed:
            if not interval.how:
                start_ms = interval.start_ms
                self._store.replace_intervals(line.meter_id, start_ms, start_ms + INTERVAL_MS, ())
        self._store.put_intervals(line.meter_id, [interval for interval in closed if interval.how], ())
        self.runs.follow(line)

    def _set_aside(self, line: Line) -> None:
        """Hand what was set aside to the store."""
        for time_ms, suspects in line.taken_aside().items():
            self._store.suspects.put(line.meter_id, time_ms, suspects)

    def recover(self) -> int:
        """Bring every meter's state up to what the store holds; returns how many records the log gave back."""
        self.renew()
        count = 0
        for _sequence, meter_id, record in self._store.tail_records():
            line = self._lines[meter_id]
            count += 1
            if record.time_ms < line.newest_ms:
                line.mark_dirty(record.time_ms)
            else:
                line.fresh.append(record)
                if closed := line.advance(record):
                    self._keep(line, closed)
        for meter_id, from_ms, to_ms in self._store.registry.dated.touched():
            self._lines[meter_id].mark_dirty(from_ms)
            self._lines[meter_id].mark_dirty(to_ms)
        for line in self._lines.values():
            self._set_aside(line)
            newest = self._store.last_record(line.meter_id)
            line.clean = clean.CleanState(newest)
            line.sequence = self._store.durable_seq
            if newest and newest.device_id in self._devices_of(line):  # no file's: it was heard, and when
                line.heard_ms = line.newest_ms
            self._store.put_intervals(line.meter_id, (), pipeline.open_intervals(line.state))
        self._silences.resume(self._lines.values(), self._store.book.events.newest_of_each(SILENT, BACK))
        self.settle()
        return count

    def _devices_of(self, line: Line) -> set[int]:
        return {binding.device.device_id for binding in self._registry.bindings(line.meter)}

    def renew(self) -> None:
        """Take over what the registry says now: meters, devices, bindings, calibrations."""
        for meter in self._registry.meters():
            calibrations = self._registry.calibrations(meter)
            line = self._lines.get(meter.meter_id)
            if line is None:
                line = self._lines[meter.meter_id] = Line(meter, calibrations)
                saved = self._store.engine_state(meter.meter_id)
                if saved is not None:
                    self._resume(line, saved)
            line.meter = meter
            line.calibrate(calibrations)
            self.runs.renew(line)
        self._routes = {}
        for binding in self._registry.bindings():
            self._routes.setdefault((binding.device.source, binding.device.address), []).append(self._route(binding))
        for routes in self._routes.values():
            routes.sort(key=lambda route: route.from_ms)
        self._registry_version = self._registry.version

    def _resume(self, line: Line, saved: bytes) -> None:
        """Go on from a saved state; one of another version of the engine has all figures derived anew."""
        state = pipeline.load(saved)
        if state is not None:
            line.resume(state)
            return
        log.info("%s: the figures are derived anew, by another version of the engine", line.meter.slug)
        line.mark_dirty(-FAR_MS)
        line.mark_dirty(FAR_MS)

    def _route(self, binding: Binding) -> Route:
        to_ms = FAR_MS if binding.to_ms is None else binding.to_ms
        traits = self._registry.traits(binding.device.source, binding.device.address)
        return Route(binding.from_ms, to_ms, self._lines[binding.meter_id], binding.device, traits)

    def derive_anew(self, meter_ids: Iterable[int], from_ms: int, to_ms: int) -> None:
        """Take over what the registry says now, and derive the figures of a span anew that this changes."""
        self.renew()
        for meter_id in meter_ids:
            line = self._lines[meter_id]
            line.mark_dirty(from_ms)
            line.mark_dirty(to_ms)
            self.settle_line(line)
        self.tell(None)

    def settle(self) -> None:
        """Rebuild what late readings touched, and let the open quarter-hours of changed meters be seen."""
        for line in self._lines.values():
            self.settle_line(line)

    def settle_line(self, line: Line) -> None:
        """Do the same for one meter."""
        if line.dirty_from_ms is not None:
            rebuild(line, self._store)
            self.tell(line.meter_id)
        elif line.changed:
            self._store.put_intervals(line.meter_id, (), pipeline.open_intervals(line.state))
        line.changed = False
        self.runs.follow(line)

    def lines(self) -> list[Line]:
        """Return every meter's line."""
        return list(self._lines.values())

    def line(self, meter_id: int) -> Line | None:
        """Return one meter's line, None when nothing is known of the meter yet."""
        return self._lines.get(meter_id)

    def presence(self, source: str, address: str, *, online: bool) -> None:
        """Note that the device which measures for a meter now has gone, or is back; nothing for any other device."""
        if self._registry.version != self._registry_version:
            self.renew()
        now = Reading(source=source, address=address, received_ms=self.clock.now_ms())
        route = choose(self._routes.get((source, address), ()), now)
        if route is not None:
            route.line.gone = not online
            if online:
                route.line.heard_ms = max(route.line.heard_ms, now.received_ms)

    def is_silent(self, line: Line) -> bool:
        """Return whether the meter's device has gone, or nothing was heard of it for longer than its source allows."""
        return line.gone or self.clock.now_ms() - line.heard_ms > line.calibration.gap_limit_ms

    def watch_silence(self) -> list[Event]:
        """Return an event for each meter that has fallen silent, or is back, since the last call or the last start."""
        routes = (route for those in self._routes.values() for route in those)
        measured = {route.line.meter_id for route in routes if route.to_ms == FAR_MS}
        events = []
        for line, event in self._silences.watch(self._lines.values(), measured):
            events.append(event)
            self.tell(line.meter_id)
        return events

    def on_change(self, listener: Callable[[int | None], None]) -> None:
        """Call `listener(meter_id)` whenever a meter has something new, `listener(None)` for the new devices."""
        self._listeners.append(listener)

    def tell(self, meter_id: int | None) -> None:
        """Let the listeners know that a meter, or with None the list of new devices, has changed."""
        for listener in self._listeners:
            listener(meter_id)
