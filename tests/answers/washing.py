"""A home with a washing machine that washes when a test says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.answers.home import answers_of
from casawatt.app_home import OpenHome, open_home
from casawatt.config import parse
from casawatt.model.meter import Meter
from casawatt.model.reading import Reading
from tests.fakes.clock import ManualClock

ROME = ZoneInfo("Europe/Rome")
START_MS = 1_773_097_200_000
"""2026-03-10T00:00:00+01:00."""

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

CONFIG = """\
[home]
timezone = "Europe/Rome"

[source.ecms_udp]

[[tariff]]
from = 2026-03-01
name = "One rate"
rate_per_kwh = 0.30

[meter.washer]
source = "ecms_udp"
address = "a1"
appliance = "washing_machine"

[meter.mains]
source = "ecms_udp"
address = "a2"
appliance = "mains"
"""

COTTON = ((4, 12), (24, 2000), (50, 150), (10, 400))
ECO = ((4, 12), (10, 2000), (130, 120), (12, 400))
"""Minutes and watts, one after the other."""


class Flat:
    """A home with a washing machine that washes when a test says so."""

    def __init__(self, home: OpenHome, clock: ManualClock) -> None:
        self.home = home
        self.clock = clock
        answers = answers_of(home.config, home.store, home.registry, home.recorder, clock)
        self.runs, self.programmes = answers.runs, answers.programmes
        self.washer: Meter = home.registry.meter("washer")

    def say(self, at_ms: int, power_w: float) -> None:
        self.clock.time_ms = max(self.clock.time_ms, at_ms)
        self.home.recorder.put(
            Reading(source="ecms_udp", address="a1", received_ms=at_ms, time_ms=at_ms, power_w=power_w)
        )

    def wash(self, start_ms: int, blocks: tuple[tuple[int, float], ...], minutes: int | None = None) -> int:
        """Stand still, then wash, only the first minutes if so asked, then stand still; returns when that ended."""
        for at_ms in range(start_ms - 30 * MINUTE_MS, start_ms, 10_000):
            self.say(at_ms, 0.4)
        at_ms = start_ms
        until_ms = start_ms + (sum(length for length, _ in blocks) if minutes is None else minutes) * MINUTE_MS
        for length, power_w in blocks:
            for _ in range(6 * length):
                if at_ms < until_ms:
                    self.say(at_ms, power_w)
                    at_ms += 10_000
        if minutes is None:
            for _ in range(90):
                self.say(at_ms, 0.4)
                at_ms += 10_000
        return at_ms


@contextmanager
def flat_in(folder: Path) -> Iterator[Flat]:
    """Yield such a home, its data in `folder`; its clock goes with its readings."""
    clock = ManualClock(START_MS)
    with open_home(parse(CONFIG, "test"), folder, clock) as home:
        yield Flat(home, clock)
