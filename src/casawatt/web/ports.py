"""What the web layer asks of the rest: values and protocols that the app fulfils.

All calls happen on the event loop that serves the requests too; those that are not `async` must answer at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from casawatt.answers.home import Answers
from casawatt.answers.splits import Splits
from casawatt.model.columns import Columns
from casawatt.model.interval import Bucket, Interval
from casawatt.model.meter import Binding, Calibration, Meter, NewDevice
from casawatt.model.ports import Clock
from casawatt.transports.push import Desk
from casawatt.web.events_port import EventsPort
from casawatt.web.findings import DiscoveryPort
from casawatt.web.import_port import ImportPort
from casawatt.web.repair_port import RepairPort
from casawatt.web.runs_port import ProgrammesPort, RunsPort
from casawatt.web.supply_port import SupplyPort


@dataclass(frozen=True, slots=True)
class Home:
    """What holds for the whole home. `demo`: its readings come from virtual devices."""

    name: str
    zone: ZoneInfo
    currency: str
    demo: bool
    home_id: str
    contracted_w: float | None = None


@dataclass(frozen=True, slots=True)
class LiveValue:
    """The newest power of a meter. `silent`: nothing was heard for longer than its source allows."""

    power_w: float | None
    time_ms: int
    silent: bool


class MetersPort(Protocol):
    """The meters of the home and the devices behind them."""

    def meters(self) -> list[Meter]:
        """Return all meters in the order in which they are shown."""
        ...

    def meter(self, slug: str) -> Meter:
        """Return the meter called `slug`; raises UnknownMeterError."""
        ...

    def bindings(self, meter: Meter) -> list[Binding]:
        """Return the meter's bindings, oldest first."""
        ...

    def calibrations(self, meter: Meter) -> list[Calibration]:
        """Return what the meter's readings are counted by, oldest first; there is at least one."""
        ...

    def own_calibrations(self, meter: Meter) -> list[Calibration]:
        """Return the same as they are without corrections."""
        ...

    def new_devices(self) -> list[NewDevice]:
        """Return the devices that were heard and belong to no meter."""
        ...

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
        """Make a meter and bind the device to it; raises RegistryError. `gap_limit_s` None: as the source says."""
        ...


class Watcher(Protocol):
    """Who wants to be told that something has changed. The calls are cheap, never raise and never wait."""

    def meter(self, meter_id: int) -> None:
        """Hear that the live value, the energy or the description of a meter has changed, or that it is new."""
        ...

    def new_devices(self) -> None:
        """Hear that the list of new devices, or a value in it, has changed."""
        ...

    def health(self) -> None:
        """Hear that the health has changed in a way that a person should see."""
        ...

    def discovery(self) -> None:
        """Hear that the search for devices has begun, found something, or ended."""
        ...


class LivePort(Protocol):
    """What the meters say now."""

    def now(self, meter_id: int) -> LiveValue | None:
        """Return the newest value, None when the meter was never heard."""
        ...

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every change from now on; it bounds and coalesces by itself."""
        ...

    def unwatch(self, watcher: Watcher) -> None:
        """Tell `watcher` no more."""
        ...


class Minutes(Protocol):
    """Columns of N minutes in ascending time, as the store answers them; `ABSENT` where nothing was measured."""

    @property
    def time_ms(self) -> NDArray[np.int64]:
        """Beginning of each minute, UTC ms."""
        ...

    @property
    def power_mw(self) -> NDArray[np.int64]:
        """Mean power while measured."""
        ...

    @property
    def min_mw(self) -> NDArray[np.int64]:
        """Lowest power."""
        ...

    @property
    def max_mw(self) -> NDArray[np.int64]:
        """Highest power."""
        ...

    @property
    def measured_ms(self) -> NDArray[np.int64]:
        """How much of the minute was measured."""
        ...


class Questions(Protocol):
    """The part of the store that answers questions. Spans are `start_ms <= t < end_ms`; all raise StoreError."""

    def columns(self, meter_id: int, start_ms: int, end_ms: int) -> Columns:
        """Return the raw records."""
        ...

    def by_minute(self, meter_id: int, start_ms: int, end_ms: int, calibrations: Sequence[Calibration]) -> Minutes:
        """Return the power minute by minute."""
        ...

    def intervals(self, meter_id: int, start_ms: int, end_ms: int) -> list[Interval]:
        """Return the quarter-hours, the open one among them."""
        ...

    def energy(self, meter_id: int, start_ms: int, end_ms: int, calibrations: Sequence[Calibration]) -> Bucket:
        """Return the energy between two instants."""
        ...

    def buckets(self, meter_id: int, edges_ms: Sequence[int], calibrations: Sequence[Calibration]) -> list[Bucket]:
        """Return the energy between each edge and the next."""
        ...


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """How the store is. `trouble` is a sentence for a person, None when there is none."""

    trouble: str | None
    written_seq: int
    durable_seq: int


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source is. `since_ms`: when it came into this state; `failures`: since the service started."""

    name: str
    state: Literal["running", "restarting", "ended"]
    since_ms: int
    failures: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is. `failing` means that it does not do what it is for."""

    status: Literal["ok", "degraded", "failing"]
    since_ms: int
    store: StoreHealth
    sources: Sequence[SourceHealth]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric, told from the others by its labels."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric for Prometheus. `name` carries the prefix `casawatt_` and the unit; a counter ends in `_total`."""

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    samples: Sequence[Sample]


class StatusPort(Protocol):
    """How the service is and what it has counted."""

    def health(self) -> Health:
        """Return how the service is now."""
        ...

    def metrics(self) -> list[Metric]:
        """Return what was counted since the start: readings by verdict, what was refused by source, sender and cause.

        The web layer adds those of meters, health and requests by itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All that the web layer sees of the rest. `desk`: where readings are handed in; None when none are taken."""

    home: Home
    clock: Clock
    meters: MetersPort
    live: LivePort
    store: Questions
    status: StatusPort
    imports: ImportPort
    repairs: RepairPort
    runs: RunsPort
    programmes: ProgrammesPort
    discovery: DiscoveryPort
    answers: Answers
    splits: Splits
    events: EventsPort
    supply: SupplyPort
    desk: Desk | None = None
