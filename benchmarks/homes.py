"""Homes filled by casawatt's own recorder, store and engine, as fast as they can."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.readings import START_MS, Trace
from casawatt.config_sections import HomeConfig
from casawatt.engine import pipeline
from casawatt.model.interval import INTERVAL_MS, MICROJOULES_PER_MWH, How, Interval
from casawatt.model.meter import Cadence, Meter, Traits
from casawatt.model.reading import Reading, Record
from casawatt.recorder import keeper
from casawatt.recorder.recorder import Recorder
from casawatt.registry import Adoption, Registry
from casawatt.store.store import Store

ZONE = ZoneInfo("Europe/Rome")
SOURCE = "ecms_udp"
TRAITS = Traits(Cadence.POLLED, gap_limit_ms=60_000, time_grid_ms=1000)
STEP_S = 60
"""One reading a minute is enough history where nobody asks for the raw readings."""

DAY_S = 86_400


@dataclass(slots=True)
class HomeClock:
    """A clock that shows what it is set to."""

    time_ms: int = START_MS

    def now_ms(self) -> int:
        """Return the time it is set to."""
        return self.time_ms


@dataclass(frozen=True, slots=True)
class BenchHome:
    """An open home with its meters adopted."""

    store: Store
    registry: Registry
    recorder: Recorder
    clock: HomeClock
    meters: tuple[Meter, ...]


@contextmanager
def open_home(folder: Path, addresses: Sequence[str], *, sync_s: float = 10.0) -> Iterator[BenchHome]:
    """Open a home with a meter for each device address, made when it is not there yet."""
    store = Store.open(folder, zone=ZONE, sync_s=sync_s)
    try:
        clock = HomeClock()
        registry = Registry(store.registry, HomeConfig(timezone=ZONE.key), {SOURCE: TRAITS})
        known = {meter.slug for meter in registry.meters()}
        for number, address in enumerate(addresses):
            if f"meter-{number}" not in known:
                adoption = Adoption(f"meter-{number}", f"Meter {number}", SOURCE, address)
                registry.adopt(adoption, clock.now_ms())
        recorder = Recorder(store, registry, clock)
        recorder.recover()
        meters = tuple(registry.meter(f"meter-{number}") for number in range(len(addresses)))
        yield BenchHome(store, registry, recorder, clock, meters)
    finally:
        store.close()


def feed(home: BenchHome, address: str, trace: Trace, start_s: int, seconds: int) -> None:
    """Let a device say a second's reading after the other; `start_s` counts from where the readings are laid."""
    put = home.recorder.put
    time_ms = START_MS + start_s * 1000
    for power_mw in trace.mw(start_s, seconds):
        put(Reading(source=SOURCE, address=address, received_ms=time_ms, time_ms=time_ms, power_w=power_mw / 1000))
        time_ms += 1000
    home.clock.time_ms = time_ms


def seal(home: BenchHome) -> None:
    """Seal everything, as the service does once an hour, and force it to the disk."""
    home.store.flush()
    home.store.sync()
    keeper.seal(home.store, home.recorder)


def add_history(home: BenchHome, trace: Trace, days: int) -> None:
    """Lay `days` of one reading a minute before the beginning, with their quarter-hours, through the store itself.

    The meter's power repeats; nothing but readings, quarter-hours and seals is given to the store.
    """
    store, meter = home.store, home.meters[0]
    device = home.registry.bindings(meter)[0].device
    state = pipeline.dump(pipeline.START)
    whole_days = max(1, len(trace.power_w) // DAY_S)
    minutes_mw = np.resize(trace.power_w, whole_days * DAY_S)[::STEP_S] * 1000
    day_minutes = DAY_S // STEP_S
    for day in range(days):
        start_ms = START_MS - (days - day) * DAY_S * 1000
        power_mw = np.take(minutes_mw, np.arange(day * day_minutes, (day + 1) * day_minutes), mode="wrap")
        for minute, value in enumerate(power_mw.tolist()):
            store.append(meter.meter_id, Record(start_ms + minute * 60_000, device.device_id, power_mw=value))
        store.put_intervals(meter.meter_id, _quarters(start_ms, power_mw.reshape(-1, 15)), ())
        if day % 30 == 29 or day == days - 1:
            store.flush()
            cut = store.begin_seal(meter.meter_id, state, ())
            store.commit_seal(cut)
            store.finish_seal(cut)


def _quarters(start_ms: int, power_mw: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[Interval]:
    """Return the quarter-hours of rows of fifteen minutes' powers, each held for its minute."""
    energy_mwh = (power_mw.sum(axis=1) * STEP_S * 1000 + MICROJOULES_PER_MWH // 2) // MICROJOULES_PER_MWH
    rows = zip(energy_mwh.tolist(), power_mw.min(axis=1).tolist(), power_mw.max(axis=1).tolist(), strict=True)
    return [
        Interval(start_ms + number * INTERVAL_MS, energy, INTERVAL_MS, low, high, int(How.HOLD))
        for number, (energy, low, high) in enumerate(rows)
    ]
