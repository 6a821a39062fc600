"""A home for the web layer to serve: ports over a real store, moved by the test's own clock."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import numpy as np
from litestar import Litestar

from casawatt.answers.home import answers_of
from casawatt.config import parse
from casawatt.config_sections import HomeConfig
from casawatt.engine import pipeline
from casawatt.model.columns import Columns, Int64Array
from casawatt.model.dated import Correction, Rebound, Repaired
from casawatt.model.errors import RegistryError, UnknownMeterError
from casawatt.model.meter import Binding, Calibration, Device, Meter, NewDevice
from casawatt.model.run import State
from casawatt.model.run_answer import Comparison, Doing, ProgrammeAnswer, RunAnswer
from casawatt.model.suspect import Suspect
from casawatt.recorder.events import Events
from casawatt.recorder.power_watch import PowerWatch, Watched
from casawatt.recorder.recorder import Recorder
from casawatt.registry import Registry
from casawatt.store.store import Store
from casawatt.transports.push import Desk
from casawatt.web import create_app, running_server
from casawatt.web.findings import Search
from casawatt.web.import_port import ImportReport, ReadingColumns, Rejected
from casawatt.web.ports import Health, Home, LiveValue, Metric, Ports, Sample, SourceHealth, StoreHealth, Watcher
from casawatt.web.times import parse_time

ROME = ZoneInfo("Europe/Rome")


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


class TestRepairs:
    """What is set aside in a home where nothing is decided; `test_repair` has one where it is."""

    __test__ = False

    def __init__(self) -> None:
        self.aside: list[Suspect] = []

    def suspects(self, meter: Meter, start_ms: int, end_ms: int) -> list[Suspect]:
        assert meter.slug
        return [each for each in self.aside if start_ms <= each.time_ms < end_ms]

    def corrections(self, meter: Meter) -> list[Correction]:
        assert meter.slug
        return []

    def correct(self, *_: object) -> Repaired:
        raise AssertionError

    undo_correction = correct

    def bind(self, *_: object, move: bool) -> Rebound:
        raise AssertionError(move)

    def undo_bind(self, *_: object) -> Rebound:
        raise AssertionError


class TestRuns:
    """The runs of a home; nothing is used in it but what a test says that a meter does."""

    __test__ = False

    def __init__(self) -> None:
        self.now: dict[str, Doing] = {}

    def doing(self, meter: Meter) -> Doing | None:
        return self.now.get(meter.slug)

    def state(self, meter: Meter) -> State | None:
        doing = self.now.get(meter.slug)
        return doing.state if doing else None

    def foretold(self, answer: RunAnswer) -> RunAnswer:
        return answer

    def answers(self, meters: Iterable[Meter], *_: int) -> list[RunAnswer]:
        return [doing.run for meter in meters if (doing := self.doing(meter)) and doing.run]

    def all(self, _: Meter) -> list[ProgrammeAnswer]:
        return []

    def rebuild(self, _: Meter) -> list[str]:
        return []

    def count(self, _: Meter) -> int:
        return 0

    def look_on(self, _: Meter) -> bool:
        return False

    def find(self, *_: object) -> RunAnswer:
        raise AssertionError

    def compare(self, *_: object) -> Comparison:
        raise AssertionError

    def name(self, *_: object) -> ProgrammeAnswer:
        raise AssertionError

    def take_name_back(self, *_: object) -> str:
        raise AssertionError


class TestHome:
    """All ports of a home with a washing machine (heard) and a freezer (never heard)."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.clock = TestClock(at("2026-03-10T12:00:00+01:00"))
        self.store = Store.open(folder, zone=ROME)
        self.washer = Meter(1, "washing-machine", "Lavatrice", "washing_machine", "mains")
        self.freezer = Meter(2, "freezer", "Freezer")
        self.all = [self.washer, self.freezer]
        self.devices = {1: Device(1, "ecms_udp", "5c:cf:7f:01:02:03"), 2: Device(2, "tasmota", "plug2")}
        self.fresh = [NewDevice("ecms_udp", "5c:cf:7f:0a:0b:0c", 46.0, 0.2, self.clock.time_ms, "fridge")]
        self.values: dict[int, LiveValue] = {}
        self.watchers: list[Watcher] = []
        self.gap_limits_s: dict[str, float | None] = {}
        self.desk: Desk | None = None
        self.events = Events(self.store.book.events)
        self.repairs = TestRepairs()
        self.runs = TestRuns()
        self.imported: list[tuple[str, ReadingColumns]] = []
        self.searching = Search(None, None, [], [], [])
        self.timeouts_s: list[float] = []
        self.state = Health("ok", at("2026-03-01T00:00:00Z"), StoreHealth(None, 12, 10), [self.source("running")])

    def ports(self) -> Ports:
        home = Home("Casa Rossi", ROME, "EUR", demo=False, home_id="5f0e")
        registry = Registry(self.store.registry, HomeConfig(), {})
        config = parse('[prices.spot]\nformat = "awattar"', "no config")
        recorder = Recorder(self.store, registry, self.clock)
        answers = answers_of(config, self.store, registry, recorder, self.clock)
        return Ports(
            home=home,
            clock=self.clock,
            meters=self,
            live=self,
            store=self.store,
            status=self,
            imports=self,
            repairs=self.repairs,
            runs=self.runs,
            programmes=self.runs,
            answers=answers,
            splits=answers.splits,
            discovery=self,
            events=self.events,
            supply=PowerWatch(self.store, registry, recorder, Watched(None, None, (), ROME)),
            desk=self.desk,
        )

    def put(self, meter: Meter, time_ms: Sequence[int] | Int64Array, **channels: Sequence[int] | Int64Array) -> None:
        """Record columns under a meter, in order of time."""
        times = np.asarray(time_ms, np.int64)
        arrays = {name: np.asarray(values, np.int64) for name, values in channels.items()}
        records = list(Columns(times, np.ones_like(times), arrays).records())
        for record in records:
            self.store.append(meter.meter_id, record)
        state, closed = pipeline.run(pipeline.START, records, self.calibrations(meter))
        self.store.put_intervals(meter.meter_id, closed, pipeline.open_intervals(state))

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
        assert meter in self.all
        return [Calibration(0, 230_000, 9_500)]

    def own_calibrations(self, meter: Meter) -> list[Calibration]:
        return self.calibrations(meter)

    def new_devices(self) -> list[NewDevice]:
        return self.fresh

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
        self.gap_limits_s[slug] = gap_limit_s
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

    # discovery
    def search(self) -> Search:
        return self.searching

    def start(self, timeout_s: float) -> bool:
        self.timeouts_s.append(timeout_s)
        self.searching = Search(self.clock.time_ms, None, ["shelly"], [], [])
        for watcher in self.watchers:
            watcher.discovery()
        return True

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
