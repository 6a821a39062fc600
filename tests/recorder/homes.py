"""A home on a real store in a temporary folder, for tests of the recorder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.config_sections import HomeConfig
from casawatt.model.interval import Interval
from casawatt.model.meter import Cadence, Traits
from casawatt.model.reading import Reading
from casawatt.recorder import keeper
from casawatt.recorder.recorder import Recorder
from casawatt.registry import Adoption, Registry
from casawatt.sources import ecms_udp
from casawatt.store.store import Store
from tests.fakes.clock import ManualClock

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z, a whole multiple of six hours."""

FAR_MS = 1 << 62

TRAITS = {
    "change": Traits(Cadence.CHANGE, gap_limit_ms=60_000),
    "polled": Traits(Cadence.POLLED, gap_limit_ms=60_000, time_grid_ms=1000),
    "ecms_udp": ecms_udp.Config().traits,
}


class TestHome:
    """Store, registry and recorder of one data folder."""

    __test__ = False

    def __init__(self, folder: Path, **settings: int) -> None:
        self.store = Store.open(folder, zone=ZoneInfo("Europe/Rome"), **settings)  # type: ignore[arg-type] # see there
        self.clock = ManualClock(START_MS)
        self.registry = Registry(self.store.registry, HomeConfig(), TRAITS)
        self.recorder = Recorder(self.store, self.registry, self.clock)
        self.recorder.recover()

    def adopt(self, slug: str = "fridge", source: str = "change", address: str = "a1") -> None:
        """Make a meter of a device."""
        self.registry.adopt(Adoption(slug, slug, source, address), START_MS)

    def put(self, time_ms: int, power_w: float | None, *, source: str = "change", address: str = "a1") -> int:
        """Let a device say its power at `START_MS + time_ms`."""
        at_ms = START_MS + time_ms
        reading = Reading(source=source, address=address, received_ms=at_ms, time_ms=at_ms, power_w=power_w)
        return self.recorder.put(reading)

    def intervals(self, slug: str = "fridge") -> list[Interval]:
        """Return every quarter-hour of a meter, late readings worked in."""
        self.recorder.settle()
        return self.store.intervals(self.registry.meter(slug).meter_id, -FAR_MS, FAR_MS)

    def energy_wh(self, slug: str = "fridge") -> float:
        """Return all energy of a meter in Wh."""
        return sum(interval.energy_mwh for interval in self.intervals(slug)) / 1000

    def seal(self) -> None:
        """Move everything into segments."""
        keeper.seal(self.store, self.recorder)


@contextmanager
def home_in(folder: Path, **settings: int) -> Iterator[TestHome]:
    """Yield a home whose data is in `folder`; `settings` are those of `Store.open`."""
    home = TestHome(folder, **settings)
    try:
        yield home
    finally:
        home.store.close()
