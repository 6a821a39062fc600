"""A flat of three with a mains meter, a heater, a freezer and a washing machine, on a real store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.answers.home import answers_of
from casawatt.answers.splits import splits_of
from casawatt.app_home import OpenHome, open_home
from casawatt.config import parse
from casawatt.model.interval import INTERVAL_MS, Interval
from casawatt.model.meter import Meter
from tests.engine.homes_and_bills import one
from tests.fakes.clock import ManualClock

ROME = ZoneInfo("Europe/Rome")
KWH = 1_000_000

CONFIG = """\
[source.ecms_udp]

[[tariff]]
name = "Plain"
from = 2026-01-01
rate_per_kwh = "0.25"
fixed_per_day = "0.30"

[split]
rest = "person"

[member.anna]
name = "Anna"
joined = 2025-09-01

[member.bruno]
name = "Bruno"
left = 2026-03-12

[member.carla]
name = "Carla"

[meter.mains]
name = "Mains"
appliance = "mains"
source = "ecms_udp"
address = "a0"

[meter.heater]
name = "Heater"
source = "ecms_udp"
address = "a1"
parent = "mains"
owner = "anna"

[meter.freezer]
name = "Freezer"
source = "ecms_udp"
address = "a2"
shares = {anna = 1, carla = 2}

[meter.washer]
name = "Washer"
source = "ecms_udp"
address = "a3"
claimed = true
"""


def at(text: str) -> int:
    """Return UTC ms of a local time of Rome."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ROME).timestamp()) * 1000


@dataclass(frozen=True, slots=True)
class Span:
    """When the washing machine ran."""

    start_ms: int
    end_ms: int | None


class Flat:
    """The flat while its store is open. `runs`: those of the washing machine."""

    def __init__(self, home: OpenHome, clock: ManualClock) -> None:
        self.home = home
        self.clock = clock
        self.runs: list[Span] = []
        bills = answers_of(home.config, home.store, home.registry, home.recorder, clock).bills
        self.splits = splits_of(home.config, home.store, home.registry, bills, self.runs_of, clock)
        self.claims = self.splits.claims

    def runs_of(self, meter: Meter, start_ms: int, end_ms: int) -> Sequence[Span]:
        assert meter.slug == "washer"
        return [run for run in self.runs if run.start_ms < end_ms and (run.end_ms is None or run.end_ms > start_ms)]

    def reprice(self, **charges: object) -> None:
        """Correct the tariff: all the time past costs something else."""
        rows = self.home.store.book.tariffs
        rows.replace([each.tariff_id for each in rows.standing()], [one(**charges)], self.clock.now_ms())

    def used(self, slug: str, **kwh: float) -> None:
        """Let a meter have used some kWh in quarter-hours: `at_0310_1815=0.5` on 10 March 2026 from 18:15."""
        meter = self.home.registry.meter(slug)
        quarters = []
        for name, energy in kwh.items():
            _, day, clock = name.split("_")
            start_ms = at(f"2026-{day[:2]}-{day[2:]}T{clock[:2]}:{clock[2:]}")
            quarters.append(Interval(start_ms, round(energy * KWH), INTERVAL_MS, 0, 0, 1))
        self.home.store.put_intervals(meter.meter_id, sorted(quarters, key=lambda each: each.start_ms), [])


@contextmanager
def flat_in(folder: Path, config: str = CONFIG, now: str = "2026-04-02T12:00") -> Iterator[Flat]:
    """Yield the flat whose data is in `folder`."""
    clock = ManualClock(at(now))
    with open_home(parse(config, "home.toml"), folder, clock) as home:
        yield Flat(home, clock)
