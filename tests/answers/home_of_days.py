"""A home with a past made up by hand, for tests and worked examples of days."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.app_home import OpenHome, open_home
from casawatt.config import parse
from casawatt.engine.localtime import day_start
from casawatt.model.interval import Interval
from casawatt.model.reading import Reading
from casawatt.recorder.keeper import seal
from tests.fakes.clock import ManualClock

ROME = ZoneInfo("Europe/Rome")

CONFIG = """\
[home]
name = "Casa"
timezone = "Europe/Rome"
currency = "EUR"

[web]
port = 0

[[tariff]]
name = "Flat"
from = "2019-01-01"
rate_per_kwh = "0.20"
vat_percent = "10"

[source.ecms_udp]
host = "127.0.0.1"
port = {port}
gap_limit_s = 3600
announce = false

[meter.mains]
name = "Mains"
appliance = "mains"
source = "ecms_udp"
address = "5c:cf:7f:00:00:01"

cadence = "change"

[meter.fridge]
name = "Fridge"
appliance = "fridge"
source = "ecms_udp"
address = "5c:cf:7f:00:00:02"
parent = "mains"
cadence = "change"
"""

Watts = Callable[[datetime], float | None]


def at(text: str) -> int:
    """Return the UTC ms of a local time in Rome, or of a local midnight."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ROME).timestamp() * 1000)


@contextmanager
def home_at(folder: Path, now: str, config: str = CONFIG) -> Iterator[OpenHome]:
    """Yield an open home whose clock stands at a local time."""
    with open_home(parse(config.format(port=0), "casawatt.toml"), folder, ManualClock(at(now))) as home:
        yield home


def put(home: OpenHome, slug: str, start_ms: int, end_ms: int, step_s: int, watts: Watts) -> None:
    """Let a meter's device say its power every `step_s` from `start_ms` to `end_ms`; nothing where that is None."""
    (binding,) = home.registry.bindings(home.registry.meter(slug))
    device = binding.device
    for time_ms in range(start_ms, end_ms + 1, step_s * 1000):
        power_w = watts(datetime.fromtimestamp(time_ms / 1000, ROME))
        if power_w is not None:
            reading = Reading(
                source=device.source, address=device.address, received_ms=time_ms, time_ms=time_ms, power_w=power_w
            )
            home.recorder.put(reading)
    home.recorder.settle()


def put_days(home: OpenHome, slug: str, first: date, last: date, watts: Watts, step_s: int = 60) -> None:
    """Let it say so on the days from `first` to `last`, to the last midnight."""
    put(home, slug, day_start(ROME, first), day_start(ROME, last + timedelta(days=1)), step_s, watts)


def past(home: OpenHome, slug: str, first: date, last: date, watts: Watts) -> None:
    """Give a meter wholly measured quarter-hours of the days from `first` to `last`, without the readings of them."""
    meter_id = home.registry.meter(slug).meter_id
    starts_ms = range(day_start(ROME, first), day_start(ROME, last + timedelta(days=1)), 900_000)
    intervals = []
    for start_ms in starts_ms:
        power_mw = round((watts(datetime.fromtimestamp(start_ms / 1000, ROME)) or 0) * 1000)
        intervals.append(Interval(start_ms, power_mw // 4, 900_000, power_mw, power_mw, 1))
    home.store.put_intervals(meter_id, intervals, ())
    seal(home.store, home.recorder)
