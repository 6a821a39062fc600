"""A real day of each of ten appliances, played through replay, recorder and store, against an independent integral.

The recordings are as they are: seconds told twice, with the same or another value, and gaps of minutes to hours.
"""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.config_sections import HomeConfig
from casawatt.model.interval import Bucket
from casawatt.model.ports import Clock
from casawatt.model.reading import Reading
from casawatt.recorder import keeper
from casawatt.recorder.recorder import Recorder
from casawatt.registry import Adoption, Registry
from casawatt.sources import replay
from casawatt.store.store import Store
from tests.fakes.clock import ManualClock

DAYS = [
    "Dishwasher/dev_995BAC_2012.06.16",
    "Dishwasher/dev_B81D04_2012.05.23",
    "LaundryDryer/_D36122_2012.01.21",
    "Freezer/dev_D36601_2011.12.16",
    "Washingmachine/dev_D31FFD_2012.06.11",
    "Washingmachine/dev_D338C9_2012.05.24",
    "Refrigerator/dev_B7E6F4_2012.01.15",
    "WaterKettle/dev_D330A3_2012.01.15",
    "TV-LCD/dev_D33097_2012.01.15",
    "PC-Desktop/dev_59ADA7_2012.01.15",
]
BERLIN = ZoneInfo("Europe/Berlin")
GAP_LIMIT_S = 60
RELATIVE_ERROR_MAX = 0.001


class HomeInbox:
    """A source's inbox that hands everything to the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.refused: list[str] = []

    @property
    def clock(self) -> Clock:
        return self._recorder.clock

    def put(self, reading: Reading, *, hint: str | None = None) -> int:
        return self._recorder.put(reading, hint)

    def safe_ticket(self) -> int:
        return 0

    def when_safer(self, listener: Callable[[int], None]) -> None:
        del listener

    async def kept(self) -> None:
        pass

    def presence(self, address: str, *, online: bool) -> None:
        self._recorder.presence("replay", address, online=online)

    def refuse(self, sender: str, cause: str, detail: str) -> None:
        self.refused.append(f"{sender} {cause} {detail}")


def rows_of(path: Path) -> Iterator[tuple[datetime, float]]:
    with gzip.open(path, "rt") as file:
        for line in file:
            stamp, power_w, _ = line.split(";")
            yield datetime.strptime(stamp, "%d/%m/%Y %H:%M:%S").replace(tzinfo=BERLIN), float(power_w)


def left_hold_integral(path: Path) -> tuple[float, float]:
    """Return energy in Wh and how many seconds were measured: sorted by time, of one second the later row counts."""
    power_at = dict(rows_of(path))
    energy_wh = measured_s = 0.0
    for before, now in pairwise(sorted(power_at)):
        step_s = (now - before).total_seconds()
        if step_s <= GAP_LIMIT_S:
            energy_wh += power_at[before] * step_s / 3600
            measured_s += step_s
    return energy_wh, measured_s


def day_of(path: Path) -> tuple[int, int]:
    """Return the recording's local day as UTC milliseconds."""
    first, _ = next(rows_of(path))
    midnight = first.replace(hour=0, minute=0, second=0)
    tomorrow = midnight + timedelta(days=1)
    return round(midnight.timestamp() * 1000), round(tomorrow.timestamp() * 1000)


def check(bucket: Bucket, path: Path) -> None:
    energy_wh, measured_s = left_hold_integral(path)
    assert bucket.energy_wh == pytest.approx(energy_wh, rel=RELATIVE_ERROR_MAX)
    assert bucket.measured_s == measured_s
    assert (bucket.end_ms - bucket.start_ms) / 1000 == 86_400


@contextmanager
def home_in(folder: Path, config: replay.Config, now_ms: int) -> Iterator[tuple[Store, Registry, Recorder]]:
    store = Store.open(folder, zone=BERLIN)
    registry = Registry(store.registry, HomeConfig(timezone=BERLIN.key), {"replay": config.traits})
    recorder = Recorder(store, registry, ManualClock(now_ms))
    recorder.recover()
    try:
        yield store, registry, recorder
    finally:
        store.close()


@pytest.mark.parametrize("name", DAYS)
async def test_a_recorded_day_gives_its_exact_energy_and_its_uncovered_time(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "tracebase" / f"{name}.csv.gz"
    config = replay.Config(path=str(path), address=name, speed=0, gap_limit_s=GAP_LIMIT_S)
    start_ms, end_ms = day_of(path)
    with home_in(tmp_path, config, end_ms) as (store, registry, recorder):
        meter = registry.adopt(Adoption("appliance", "Appliance", "replay", name), start_ms)
        inbox = HomeInbox(recorder)
        await replay.run(config, inbox)
        recorder.settle()
        assert inbox.refused == []
        check(store.energy(meter.meter_id, start_ms, end_ms, registry.calibrations(meter)), path)
        keeper.seal(store, recorder)
    with home_in(tmp_path, config, end_ms) as (store, registry, _):
        check(store.energy(meter.meter_id, start_ms, end_ms, registry.calibrations(meter)), path)


def test_the_recordings_are_as_hostile_as_they_should_be(shared_data: Path) -> None:
    repeated = gaps = 0
    for name in DAYS:
        times = [time for time, _ in rows_of(shared_data / "tracebase" / f"{name}.csv.gz")]
        repeated += len(times) - len(set(times))
        gaps += sum((b - a).total_seconds() > GAP_LIMIT_S for a, b in pairwise(sorted(times)))
    assert repeated > 1000
    assert gaps > 50
