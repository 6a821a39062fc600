"""A home for the web layer to serve: ports over a small store in memory, moved by the test's own clock."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import numpy as np
from litestar import Litestar

from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.model.errors import RegistryError, UnknownMeterError
from casawatt.model.interval import INTERVAL_MS, Bucket, How, Interval
from casawatt.model.meter import Binding, Calibration, Device, Meter, NewDevice
from casawatt.web import create_app, running_server
from casawatt.web.ports import (
    Health,
    Home,
    ImportReport,
    LiveValue,
    Metric,
    Ports,
    ReadingColumns,
    Rejected,
    Sample,
    SourceHealth,
    StoreHealth,
    Watcher,
)
from casawatt.web.times import parse_time

ROME = ZoneInfo("Europe/Rome")
GAP_LIMIT_MS = 60_000
MINUTE_MS = 60_000


def at(text: str) -> int:
    """Return the UTC ms of an RFC 3339 time, or of a local midnight in Rome."""
    return parse_time("test", text, ROME)


class TestClock:
    """A clock that stands until it is set."""

    __test__ = False

    def __init__(self, now_ms: int) -> None:
        self.time_ms = now_ms

    def now_ms(self) -> int:
        return self.time_ms


@dataclass(frozen=True)
class MemoryMinutes:
    """Minutes as columns."""

    time_ms: Int64Array
    power_mw: Int64Array
    min_mw: Int64Array
    max_mw: Int64Array
    measured_ms: Int64Array


class MemoryStore:
    """Keeps columns in memory and holds each power until the next reading, never across a gap."""

    def __init__(self) -> None:
        self.kept: dict[int, Columns] = {}
        self.trouble: Exception | None = None

    def put(self, meter_id: int, time_ms: Sequence[int] | Int64Array, **channels: Sequence[int] | Int64Array) -> None:
        times = np.asarray(time_ms, np.int64)
        arrays = {name: np.asarray(values, np.int64) for name, values in channels.items()}
        self.kept[meter_id] = Columns(times, np.ones_like(times), arrays)

    def columns(self, meter_id: int, start_ms: int, end_ms: int) -> Columns:
        self._check()
        empty = np.empty(0, np.int64)
        return self.kept.get(meter_id, Columns(empty, empty, {})).between(start_ms, end_ms)

    def energy(self, meter_id: int, start_ms: int, end_ms: int, calibrations: Sequence[Calibration]) -> Bucket:
        self._check()
        assert calibrations
        kept = self.kept.get(meter_id)
        if kept is None or len(kept) < 2:
            return Bucket(start_ms, end_ms)
        lengths = np.diff(kept.time_ms)
        from_ms = np.maximum(kept.time_ms[:-1], start_ms)
        held_ms = np.minimum(kept.time_ms[1:], end_ms) - from_ms
        held_ms = np.where(lengths <= GAP_LIMIT_MS, np.maximum(held_ms, 0), 0)
        power_mw = kept.channels["power_mw"][:-1]
        seen = power_mw[held_ms > 0]
        if not len(seen):
            return Bucket(start_ms, end_ms)
        energy_mwh = round(int((held_ms * power_mw).sum()) / 3_600_000)
        extremes = int(seen.min()), int(seen.max())
        return Bucket(start_ms, end_ms, energy_mwh, int(held_ms.sum()), *extremes, How.HOLD)

    def buckets(self, meter_id: int, edges_ms: Sequence[int], calibrations: Sequence[Calibration]) -> list[Bucket]:
        pairs = pairwise(edges_ms)
        return [self.energy(meter_id, start_ms, end_ms, calibrations) for start_ms, end_ms in pairs]

    def by_minute(
        self, meter_id: int, start_ms: int, end_ms: int, calibrations: Sequence[Calibration]
    ) -> MemoryMinutes:
        edges_ms = [start_ms, *range(start_ms - start_ms % MINUTE_MS + MINUTE_MS, end_ms, MINUTE_MS), end_ms]
        rows = [bucket for bucket in self.buckets(meter_id, edges_ms, calibrations) if bucket.measured_ms]
        return MemoryMinutes(
            np.array([row.start_ms for row in rows], np.int64),
            np.array([row.energy_mwh * 3_600_000 // row.measured_ms for row in rows], np.int64),
            np.array([ABSENT if row.min_mw is None else row.min_mw for row in rows], np.int64),
            np.array([ABSENT if row.max_mw is None else row.max_mw for row in rows], np.int64),
            np.array([row.measured_ms for row in rows], np.int64),
        )

    def intervals(self, meter_id: int, start_ms: int, end_ms: int) -> list[Interval]:
        edges_ms = list(range(start_ms, end_ms + 1, INTERVAL_MS))
        return [
            Interval(row.start_ms, row.energy_mwh, row.measured_ms, row.min_mw, row.max_mw, row.how)
            for row in self.buckets(meter_id, edges_ms, [Calibration(0)])
        ]

    def _check(self) -> None:
        if self.trouble is not None:
            raise self.trouble


class TestHome:
    """All ports of a home with a washing machine (heard) and a freezer (never heard)."""

    __test__ = False

    def __init__(self, now: str = "2026-03-10T12:00:00+01:00") -> None:
        self.clock = TestClock(at(now))
        self.store = MemoryStore()
        self.washer = Meter(1, "washing-machine", "Lavatrice", "washing_machine", "mains")
        self.freezer = Meter(2, "freezer", "Freezer")
        self.all = [self.washer, self.freezer]
        self.devices = {1: Device(1, "ecms_udp", "5c:cf:7f:01:02:03"), 2: Device(2, "tasmota", "plug2")}
        self.fresh = [NewDevice("ecms_udp", "5c:cf:7f:0a:0b:0c", 46.0, 0.2, self.clock.time_ms, "fridge")]
        self.values: dict[int, LiveValue] = {}
        self.watchers: list[Watcher] = []
        self.imported: list[tuple[str, ReadingColumns]] = []
        self.state = Health("ok", at("2026-03-01T00:00:00Z"), StoreHealth(None, 12, 10), [self.source("running")])

    def ports(self) -> Ports:
        home = Home("Casa Rossi", ROME, "EUR", demo=False, home_id="5f0e")
        return Ports(home, self.clock, self, self, self.store, self, self)

    @staticmethod
    def source(state: str, error: str | None = None) -> SourceHealth:
        assert state in {"running", "restarting", "ended"}
        return SourceHealth("ecms_udp", state, at("2026-03-01T00:00:00Z"), 2, error)  # type: ignore[arg-type]

    # meters
    def meters(self) -> list[Meter]:
        return self.all

    def meter(self, slug: str) -> Meter:
        for meter in self.all:
            if meter.slug == slug:
                return meter
        message = f"there is no meter {slug!r}"
        raise UnknownMeterError(message)

    def bindings(self, meter: Meter) -> list[Binding]:
        device = self.devices[meter.meter_id]
        moved_ms = at("2026-02-01")
        return [
            Binding(1, meter.meter_id, Device(9, "ecms_udp", "old"), 0, moved_ms),
            Binding(2, meter.meter_id, device, moved_ms, None),
        ]

    def calibrations(self, meter: Meter) -> list[Calibration]:
        assert meter
        return [Calibration(0, 230_000, 9_500)]

    def new_devices(self) -> list[NewDevice]:
        return self.fresh

    def adopt(
        self, *, slug: str, name: str, appliance: str | None, parent: str | None, source: str, address: str
    ) -> Meter:
        if any(meter.slug == slug for meter in self.all):
            message = f"there is a meter {slug!r} already"
            raise RegistryError(message)
        meter = Meter(len(self.all) + 1, slug, name, appliance, parent)
        self.all.append(meter)
        self.devices[meter.meter_id] = Device(meter.meter_id, source, address)
        self.fresh = [device for device in self.fresh if device.address != address]
        return meter

    # live
    def now(self, meter_id: int) -> LiveValue | None:
        return self.values.get(meter_id)

    def watch(self, watcher: Watcher) -> None:
        self.watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        self.watchers.remove(watcher)

    def says(self, meter: Meter, power_w: float) -> None:
        """Let a meter say something now."""
        self.values[meter.meter_id] = LiveValue(power_w, self.clock.time_ms, silent=False)
        for watcher in self.watchers:
            watcher.meter(meter.meter_id)

    # status and import
    def health(self) -> Health:
        return self.state

    def metrics(self) -> list[Metric]:
        labels = {"source": "ecms_udp", "sender": '10.0.0.9"\n', "cause": "length"}
        return [Metric("casawatt_refused_total", "What could not be used.", "counter", [Sample(labels, 3)])]

    async def record(self, slug: str, columns: ReadingColumns) -> ImportReport:
        self.imported.append((slug, columns))
        return ImportReport(len(columns.time_ms) - 1, 0, [Rejected(0, "out_of_range")])


@asynccontextmanager
async def serving(home: TestHome, pages: Path | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a home on loopback and give a client of it."""
    app = create_app(home.ports(), pages=pages or Path("nowhere"))
    async with client_of(app) as client:
        yield client


@asynccontextmanager
async def client_of(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with running_server(app, "127.0.0.1", 0) as url, httpx.AsyncClient(base_url=url, timeout=10) as client:
        yield client
