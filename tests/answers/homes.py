"""A home of a mains meter and a washing machine, billed by a config's tariffs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from casawatt.answers.home import Answers, answers_of
from casawatt.app_home import OpenHome, open_home
from casawatt.config import parse
from casawatt.engine.localtime import day_start
from casawatt.model.interval import How, Interval
from casawatt.model.quarters import Quarters
from tests.engine.homes_and_bills import ROME
from tests.fakes.clock import ManualClock

METERS = """\
[meter.mains]
name = "Mains"
appliance = "mains"
source = "ecms_udp"
address = "m"

[meter.washing-machine]
appliance = "washing_machine"
source = "ecms_udp"
address = "w"
parent = "mains"
"""


def flat(start: str, rate: str, name: str = "flat") -> str:
    """Return a tariff's section."""
    return f'[[tariff]]\nfrom = {start}\nname = "{name}"\nrate_per_kwh = {rate}\n'


@contextmanager
def billed_home(folder: Path, tariffs: str, today: str, meters: str = METERS) -> Iterator[OpenHome]:
    """Open a home at noon of a local day."""
    text = f"{tariffs}\n{meters}"
    (folder / "home.toml").write_text(text, encoding="utf-8")
    clock = ManualClock(at_noon(today))
    with open_home(parse(text, str(folder / "home.toml")), folder / "data", clock) as home:
        yield home


def at_noon(day: str) -> int:
    """Return noon (UTC ms) of a day in Rome."""
    return day_start(ROME, date.fromisoformat(day)) + 12 * 3_600_000


def answers(home: OpenHome) -> Answers:
    """Return what answers for it."""
    return answers_of(home.config, home.store, home.registry, home.recorder, home.clock)


def used(home: OpenHome, slug: str, quarters: Quarters) -> None:
    """Let a meter have used this."""
    rows = zip(
        *(column.tolist() for column in (quarters.start_ms, quarters.energy_mwh, quarters.measured_ms)), strict=True
    )
    intervals = [
        Interval(start, energy, measured, energy * 4, energy * 4, How.REGISTER) for start, energy, measured in rows
    ]
    home.store.put_intervals(home.registry.meter(slug).meter_id, intervals, ())
