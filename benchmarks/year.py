"""How long a year of a home with ten meters takes to be billed, split among its members, and summed up day by day."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks.homes import ZONE, HomeClock
from benchmarks.outcome import Context, Section, at_most
from benchmarks.timing import each_s, median, took_s
from casawatt.answers.home import Answers, answers_of
from casawatt.app_home import OpenHome, open_home
from casawatt.config import parse
from casawatt.engine.billing import first_of_next_month
from casawatt.engine.localtime import day_start
from casawatt.engine.periods import Period
from casawatt.model.columns import Int64Array
from casawatt.model.interval import INTERVAL_MS, How, Interval
from casawatt.recorder import keeper

YEAR = 2025
TOTAL_S = 2.0
SEED = 2025
MAINS = "mains"
HOLD = int(How.HOLD)

CONFIG = """
[home]
timezone = "Europe/Rome"
currency = "EUR"

[supply]
contracted_w = 4500

[[tariff]]
from = 2024-01-01
name = "Bands"
bands = "italian"
rates_per_kwh = {F1 = 0.30, F2 = 0.27, F3 = 0.24}
excise_per_kwh = 0.0227
excise_free_kwh_per_month = 150
fixed_per_month = 9.30
power_per_kw_year = 21.90
vat_percent = 10

[[tariff]]
from = 2025-07-01
name = "One price"
rate_per_kwh = 0.26
fixed_per_month = 11.10
vat_percent = 10

[member.anna]
room_m2 = 14

[member.bruno]
room_m2 = 18

[member.carla]
room_m2 = 11
joined = 2025-03-15

[split]
rest = "days"

[source.ecms_udp]
host = "127.0.0.1"
port = 0
announce = false
"""

METERS: tuple[tuple[str, str, str], ...] = (
    ("mains", "mains", ""),
    ("fridge", "fridge", ""),
    ("freezer", "freezer", ""),
    ("washing-machine", "washing_machine", "shares = {anna = 1, bruno = 1, carla = 1}"),
    ("dishwasher", "dishwasher", ""),
    ("oven", "oven", ""),
    ("desk-anna", "computer", 'owner = "anna"'),
    ("desk-bruno", "computer", 'owner = "bruno"'),
    ("printer", "3d_printer", 'owner = "carla"'),
    ("boiler", "water_heater", ""),
)
"""Slug, appliance, and whose its energy is."""


def run(context: Context) -> Section:
    """Measure."""
    section = Section("year", "A year of ten meters")
    days = context.sized(365, 3)
    first, end = date(YEAR, 1, 1), date(YEAR, 1, 1) + timedelta(days=days)
    months = [Period(each, min(first_of_next_month(each), end)) for each in firsts(first, end)]
    section.notes.append(
        f"{len(METERS)} meters, {days} days of quarter-hours made up with a fixed seed and sealed; two tariffs, "
        f"one with three bands, and three members. {len(months)} monthly bills and splits, and a digest of each day "
        "without what only readings tell. The bar is for the first time; the rest are medians of five."
    )
    with context.folder() as folder, a_year(folder, days) as home:
        answers = answers_of(home.config, home.store, home.registry, home.recorder, home.clock)
        parts: dict[str, Callable[[], Sequence[object]]] = {
            "bills": lambda: [answers.bills.bill(each) for each in months],
            "splits": lambda: [answers.splits.statement(*each) for each in months],
            "digests": lambda: list(answers.digests.between(first, end - timedelta(days=1), brief=True)),
        }
        first_s = sum(took_s(work) for work in parts.values())
        check(answers, months, days)
        section.add("billed, split and digested", first_s, "s", at_most(TOTAL_S))
        for what, work in parts.items():
            section.add(f"{len(work())} {what}", median(each_s([work] * 5)) * 1000, "ms")
        section.add("one bill of all of it", took_s(lambda: answers.bills.bill(Period(first, end))) * 1000, "ms")
    return section


def firsts(first: date, end: date) -> list[date]:
    """Return the first days of the calendar months from `first` until before `end`."""
    months = []
    while first < end:
        months.append(first)
        first = first_of_next_month(first)
    return months


@contextmanager
def a_year(folder: Path, days: int) -> Iterator[OpenHome]:
    """Yield a home whose meters have `days` of whole quarter-hours from the beginning of the year, all sealed."""
    start_ms = day_start(ZONE, date(YEAR, 1, 1))
    end_ms = day_start(ZONE, date(YEAR, 1, 1) + timedelta(days=days))
    sections = [section_of(number, *meter) for number, meter in enumerate(METERS)]
    config = parse(CONFIG + "".join(sections), "year.toml")
    with open_home(config, folder, HomeClock(end_ms)) as home:
        for slug, power_mw in powers((end_ms - start_ms) // INTERVAL_MS).items():
            rows = enumerate(power_mw.tolist())
            intervals = [
                Interval(start_ms + place * INTERVAL_MS, mw // 4, INTERVAL_MS, mw, mw, HOLD) for place, mw in rows
            ]
            home.store.put_intervals(home.registry.meter(slug).meter_id, intervals, ())
        keeper.seal(home.store, home.recorder)
        yield home


def section_of(number: int, slug: str, appliance: str, whose: str) -> str:
    """Return a meter's section of the config."""
    parent = "" if slug == MAINS else f'parent = "{MAINS}"'
    named = f'[meter.{slug}]\nappliance = "{appliance}"\nsource = "ecms_udp"\naddress = "5c:cf:7f:00:00:{number:02x}"'
    return f"\n{named}\n{parent}\n{whose}\n"


def powers(count: int) -> dict[str, Int64Array]:
    """Return each meter's power in so many quarter-hours, mW: standby and uses of an hour; the mains have them all."""
    pick = np.random.default_rng(SEED)
    found: dict[str, Int64Array] = {}
    for slug, _, _ in METERS[1:]:
        power_mw = pick.integers(500, 30_000) + pick.integers(0, 2_000, count)
        for begin in pick.integers(0, count, count // 96):
            power_mw[begin : begin + 4] += pick.integers(50_000, 2_000_000)
        found[slug] = power_mw
    rest_mw = pick.integers(60_000, 200_000, count)
    return {MAINS: rest_mw + sum(found.values())} | found


def check(answers: Answers, months: Sequence[Period], days: int) -> None:
    """Make sure that what was measured did what it should: all parts agree on the energy and on the money."""
    whole = answers.bills.bill(Period(months[0].start, months[-1].end))
    bills = [answers.bills.bill(each) for each in months]
    splits = [answers.splits.statement(*each).split for each in months]
    digests = list(answers.digests.between(months[0].start, months[-1].end - timedelta(days=1), brief=True))
    assert sum(bill.amount for bill in bills) == whole.amount
    assert [split.units for split in splits] == [bill.units for bill in bills]
    assert len(digests) == days
    assert sum(digest.home.energy_mwh for digest in digests) == whole.energy_mwh
    assert whole.measured_ms == whole.length_ms
    assert whole.untariffed_days == whole.unpriced_mwh == 0
