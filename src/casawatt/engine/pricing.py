"""What a kWh costs in each quarter-hour: all charges on energy and the VAT on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import lcm
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from casawatt.engine.bands import NONE, band_places, hours_of
from casawatt.engine.localtime import day_start
from casawatt.model.columns import BoolArray, Int64Array
from casawatt.model.prices import PriceSeries
from casawatt.model.quarters import Quarters
from casawatt.model.tariff import DatedTariff, Tariff, Taxable

MWH_PER_KWH = 1_000_000

Integers = NDArray[np.object_]
"""Whole numbers of any size, so that no sum overflows."""

ALWAYS = "energy"
"""What the energy is called where one rate holds at all times."""


@dataclass(frozen=True, slots=True)
class Market:
    """All that says what a kWh costs and when. `tariffs` ascend by their `from`; `prices` are by their names."""

    zone: ZoneInfo
    tariffs: Sequence[DatedTariff]
    holidays: Collection[date] = ()
    prices: Mapping[str, PriceSeries] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnergyRates:
    """What energy itself costs, without VAT and other charges, in each of N quarter-hours of one tariff.

    The rate is `scaled / scale` per kWh where it is `known`. `place` is that of its band in `labels`.
    """

    place: Int64Array
    labels: tuple[str, ...]
    scaled: Integers
    scale: int
    known: BoolArray


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """What a kWh costs in each of N quarter-hours, `scaled / scale` of the currency where it is `known`.

    All charges by the kWh are in it (energy, levies, excise as if nothing were free of it) and the VAT on them.
    """

    start_ms: Int64Array
    scaled: Integers
    scale: int
    known: BoolArray

    def cost(self, quarters: Quarters) -> Fraction:
        """Return what the energy of quarter-hours costs, exactly; that of those without a price costs nothing.

        Raises ValueError for a quarter-hour that there is no price for, known or not.
        """
        places = self._places(quarters.start_ms)
        return Fraction(int(np.dot(quarters.energy_mwh.astype(object), self.scaled[places])), self.scale * MWH_PER_KWH)

    def costs(self, quarters: Quarters) -> Integers:
        """Return the cost of each quarter-hour, in parts of the currency of which `cost_scale` make one."""
        costs: Integers = quarters.energy_mwh.astype(object) * self.scaled[self._places(quarters.start_ms)]
        return costs

    @property
    def cost_scale(self) -> int:
        """How many of the parts that `costs` are in make one of the currency."""
        return self.scale * MWH_PER_KWH

    def unknown(self, quarters: Quarters) -> BoolArray:
        """Return which quarter-hours have no price."""
        return ~self.known[self._places(quarters.start_ms)]

    def _places(self, start_ms: Int64Array) -> Int64Array:
        places = np.searchsorted(self.start_ms, start_ms)
        if len(start_ms) and (places[-1] >= len(self.start_ms) or (self.start_ms[places] != start_ms).any()):
            message = "there are quarter-hours that no prices were asked for"
            raise ValueError(message)
        return places


def unit_prices(market: Market, start_ms: Int64Array) -> UnitPrices:
    """Return what a kWh costs in each of N quarter-hours (ascending, UTC ms), by the tariffs that hold then."""
    parts: list[tuple[slice, Integers, int, BoolArray]] = []
    for dated in market.tariffs:
        here = held(market.zone, dated, start_ms)
        if here.start == here.stop:
            continue
        rates = energy_rates(market, dated.tariff, start_ms[here])
        tax, other = _factor(dated.tariff, "energy"), _added(dated.tariff)
        scale = lcm(rates.scale * tax.denominator, other.denominator)
        times, added = int(tax * scale / rates.scale), int(other * scale)
        parts.append((here, np.where(rates.known, rates.scaled * times + added, 0), scale, rates.known))
    scale = lcm(*(part[2] for part in parts)) if parts else 1
    scaled = np.zeros(len(start_ms), object)
    known = np.zeros(len(start_ms), np.bool_)
    for here, mine, its_scale, is_known in parts:
        scaled[here] = mine * (scale // its_scale)
        known[here] = is_known
    return UnitPrices(start_ms, scaled, scale, known)


def _factor(tariff: Tariff, charge: Taxable) -> Fraction:
    """Return what VAT makes of one of the currency."""
    return 1 + Fraction(tariff.vat_percent_on(charge)) / 100


def _added(tariff: Tariff) -> Fraction:
    """Return what is charged on each kWh beside the energy itself, with VAT."""
    levies = Fraction(tariff.levies_per_kwh) * _factor(tariff, "levies")
    return levies + Fraction(tariff.excise_per_kwh) * _factor(tariff, "excise")


def held(zone: ZoneInfo, dated: DatedTariff, start_ms: Int64Array) -> slice:
    """Return in which of the quarter-hours (ascending, UTC ms) a tariff holds."""
    first = np.searchsorted(start_ms, day_start(zone, dated.tariff.from_))
    last = len(start_ms) if dated.until is None else np.searchsorted(start_ms, day_start(zone, dated.until))
    return slice(int(first), int(last))


def energy_rates(market: Market, tariff: Tariff, start_ms: Int64Array) -> EnergyRates:
    """Return what energy itself costs by a tariff in each of N quarter-hours (ascending, UTC ms)."""
    if tariff.prices is not None:
        return _by_quarter(tariff, market.prices.get(tariff.prices), start_ms)
    labels: tuple[str, ...] = (ALWAYS,)
    if tariff.rate_per_kwh is not None:
        rates = [Fraction(tariff.rate_per_kwh)]
        place = np.zeros(len(start_ms), np.int64)
    else:
        place, labels = band_places(market.zone, start_ms, hours_of(tariff), market.holidays)
        own = {band.name: band.rate_per_kwh for band in reversed(tariff.band)}
        rates = [Fraction((tariff.rates_per_kwh if tariff.bands else own)[label]) for label in labels]
    scale = lcm(*(rate.denominator for rate in rates)) if rates else 1
    table = np.array([*(int(rate * scale) for rate in rates), 0], object)
    return EnergyRates(place, labels, table[place], scale, place != NONE)


def _by_quarter(tariff: Tariff, series: PriceSeries | None, start_ms: Int64Array) -> EnergyRates:
    """Return the rates of a tariff whose prices change by the quarter-hour; unknown where the series has none."""
    labels = (tariff.prices or ALWAYS,)
    place = np.zeros(len(start_ms), np.int64)
    if series is None or not len(series.start_ms):
        none = np.zeros(len(start_ms), np.bool_)
        return EnergyRates(place, labels, np.zeros(len(start_ms), object), 1, none)
    row = np.searchsorted(series.start_ms, start_ms, side="right") - 1
    known = (row >= 0) & (start_ms < series.end_ms[row])
    factor, markup = Fraction(tariff.factor), Fraction(tariff.markup_per_kwh)
    scale = lcm(series.scale * factor.denominator, markup.denominator)
    scaled = series.scaled[row].astype(object) * int(factor * scale / series.scale) + int(markup * scale)
    return EnergyRates(place, labels, np.where(known, scaled, 0), scale, known)
