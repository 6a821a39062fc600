"""Made-up consumption and tariffs, for tests of what they cost."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.engine.localtime import day_start
from casawatt.engine.pricing import Market
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters
from casawatt.model.tariff import DatedTariff, Tariff

ROME = ZoneInfo("Europe/Rome")


def steady(start: date, end: date, energy_mwh: int = 100_000, zone: ZoneInfo = ROME) -> Quarters:
    """Return the quarter-hours of local days, each with the same energy (100 Wh), measured throughout."""
    return varied(start, end, [energy_mwh], zone)


def varied(start: date, end: date, energies_mwh: list[int], zone: ZoneInfo = ROME) -> Quarters:
    """Return the quarter-hours of local days, with these energies again and again, measured throughout."""
    start_ms = np.arange(day_start(zone, start), day_start(zone, end), INTERVAL_MS, dtype=np.int64)
    energy_mwh = np.resize(np.array(energies_mwh, np.int64), len(start_ms))
    return Quarters(start_ms, energy_mwh, np.full(len(start_ms), INTERVAL_MS), energy_mwh * 4)


def one(**charges: object) -> Tariff:
    """Return a tariff that holds since 2000, with these charges written as text or numbers."""
    words = {"name", "bands", "prices"}
    values = {
        name: Decimal(value) if isinstance(value, str) and name not in words else value
        for name, value in charges.items()
    }
    return Tariff(**({"from_": date(2000, 1, 1), "name": "plain"} | values))  # type: ignore[arg-type] # as they are


def market(*tariffs: Tariff, zone: ZoneInfo = ROME, holidays: tuple[date, ...] = ()) -> Market:
    """Return a market in which these tariffs hold one after the other."""
    until = [*(tariff.from_ for tariff in tariffs[1:]), None]
    dated = [DatedTariff(i, tariff, 0, end) for i, (tariff, end) in enumerate(zip(tariffs, until, strict=True), 1)]
    return Market(zone, dated, holidays)
