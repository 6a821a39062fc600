"""What a period's consumption cost, line by line, exactly; only the total is rounded.

A period is made of local days. Each tariff charges the days on which it holds. A charge by the month or year is shared
out by days: of a month's charge, the part that the days are of that month's days. So the bills of two adjacent periods
sum to the bill of both, but for what is defined by the calendar month: what is free of excise, and the capacity charge.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

import msgspec
import numpy as np

from casawatt.engine.billing_words import Words, notes_of
from casawatt.engine.capacity import monthly_charges
from casawatt.engine.largest_remainder import apportion, half_up
from casawatt.engine.localtime import day_start
from casawatt.engine.pricing import MWH_PER_KWH, Market, energy_rates
from casawatt.model.bill import Bill, Charge, Line
from casawatt.model.money import digits_of
from casawatt.model.quarters import Quarters
from casawatt.model.tariff import DatedTariff, Tariff, Taxable

MONTHS_A_YEAR = 12

TAXED_AS: dict[Charge, Taxable] = {
    Charge.ENERGY: "energy",
    Charge.LEVIES: "levies",
    Charge.EXCISE: "excise",
    Charge.ALLOWANCE: "excise",
    Charge.FIXED: "fixed",
    Charge.POWER: "power",
    Charge.CAPACITY: "capacity",
}
"""What a tariff calls each kind of charge that VAT may be due on."""


@dataclass(frozen=True, slots=True)
class Span:
    """Local days, `start` until before `end`, on which one tariff holds."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.end - self.start).days

    def months(self) -> Iterator["Span"]:
        """Yield the days of each calendar month."""
        start = self.start
        while start < self.end:
            end = min(first_of_next_month(start), self.end)
            yield Span(start, end)
            start = end


@dataclass(frozen=True, slots=True)
class Home:
    """What else a bill depends on: prices and tariffs, the currency, and the power that is contracted, if any (W)."""

    market: Market
    currency: str
    contracted_w: int | None = None


def bill(quarters: Quarters, start: date, end: date, home: Home) -> Bill:
    """Return the bill of the local days `start` until before `end`.

    `quarters` is the consumption of those days and, for capacity charges, of the calendar months that they are in and
    of the eleven before them, as far as it is known. What flows back into the grid in a quarter-hour is not paid for.
    Raises ValueError when the end is not after the start.
    """
    if end <= start:
        message = f"a bill from {start} must end after that, not on {end}"
        raise ValueError(message)
    zone = home.market.zone
    start_ms, end_ms = day_start(zone, start), day_start(zone, end)
    net = quarters.between(start_ms, end_ms)
    used = drawn(quarters)
    lines: list[Line] = []
    unpriced_mwh = used.between(start_ms, end_ms).energy_sum_mwh
    untariffed_days = (end - start).days
    for span, dated in spans(home.market.tariffs, start, end):
        charging = _Charging(home, dated.tariff, span, used)
        lines += charging.lines()
        unpriced_mwh -= charging.priced_mwh
        untariffed_days -= span.days
    digits = digits_of(home.currency)
    amount = sum((line.amount for line in lines), Fraction(0))
    units = half_up(amount * 10**digits)
    shown = apportion([line.amount * 10**digits for line in lines], units)
    made = Bill(
        start,
        end,
        home.currency,
        digits,
        tuple(msgspec.structs.replace(line, units=each) for line, each in zip(lines, shown, strict=True)),
        amount,
        units,
        used.between(start_ms, end_ms).energy_sum_mwh,
        net.measured_sum_ms,
        end_ms - start_ms,
        unpriced_mwh,
        untariffed_days,
        -int(np.minimum(net.energy_mwh, 0).sum()),
        int(net.energy_mwh[net.measured_ms == 0].sum()),
    )
    return msgspec.structs.replace(made, notes=tuple(notes_of(made)))


def drawn(quarters: Quarters) -> Quarters:
    """Return what was drawn from the grid in each quarter-hour: nothing where more flowed back than was drawn."""
    if not (quarters.energy_mwh < 0).any():
        return quarters
    energy_mwh = np.maximum(quarters.energy_mwh, 0)
    return Quarters(quarters.start_ms, energy_mwh, quarters.measured_ms, quarters.max_mw)


def spans(tariffs: Sequence[DatedTariff], start: date, end: date) -> list[tuple[Span, DatedTariff]]:
    """Return the days of a period on which each tariff holds, ascending."""
    found = []
    for dated in tariffs:
        first = max(start, dated.tariff.from_)
        last = end if dated.until is None else min(end, dated.until)
        if first < last:
            found.append((Span(first, last), dated))
    return found


def first_of_next_month(day: date) -> date:
    """Return the first day of the calendar month after a day's."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month_days(day: date) -> int:
    """Return how many days a day's calendar month has."""
    return (first_of_next_month(day) - timedelta(days=1)).day


def year_days(day: date) -> int:
    """Return how many days a day's calendar year has."""
    return (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days


class _Charging:
    """The lines that one tariff makes of the days on which it holds. `priced_mwh`: the energy that has a price."""

    def __init__(self, home: Home, tariff: Tariff, span: Span, used: Quarters) -> None:
        self._home = home
        self._tariff = tariff
        self._span = span
        self._used = used
        self._words = Words(home.currency)
        self._mine = self._between(span)
        self.priced_mwh = 0

    def lines(self) -> list[Line]:
        """Return all lines, those of the VAT last."""
        lines = [*self._energy(), *self._by_kwh(), *self._fixed(), *self._power(), *self._capacity()]
        taxed = [line.amount for line in lines if line.vat_percent]
        net = sum(taxed, Fraction(0))
        rate = self._tariff.vat_percent
        if taxed:
            tax = net * Fraction(rate) / 100
            why = self._words.percent(rate, net, tax)
            lines.append(self._line(Charge.VAT, "VAT", tax, why, net, self._home.currency))
        return lines

    def _between(self, span: Span) -> Quarters:
        zone = self._home.market.zone
        return self._used.between(day_start(zone, span.start), day_start(zone, span.end))

    def _line(self, charge: Charge, label: str, amount: Fraction, why: str, quantity: Fraction, unit: str) -> Line:
        span, tariff = self._span, self._tariff
        vat_percent = tariff.vat_percent_on(TAXED_AS[charge]) if charge in TAXED_AS else Decimal(0)
        return Line(
            charge, label, tariff.name, span.start, span.end, amount, why, quantity, unit, vat_percent=vat_percent
        )

    def _energy(self) -> Iterator[Line]:
        """Yield a line for each band, or one for all energy at the prices of its quarter-hours."""
        mine = self._mine
        rates = energy_rates(self._home.market, self._tariff, mine.start_ms)
        self.priced_mwh = int(mine.energy_mwh[rates.known].sum())
        for place, label in enumerate(rates.labels):
            here = rates.known & (rates.place == place)
            energy_mwh = int(mine.energy_mwh[here].sum())
            if not here.any():
                continue
            weighed = int(np.dot(mine.energy_mwh[here].astype(object), rates.scaled[here]))
            amount = Fraction(weighed, rates.scale * MWH_PER_KWH)
            kwh = Fraction(energy_mwh, MWH_PER_KWH)
            if self._tariff.prices is None:
                why = self._words.product(kwh, "kWh", Fraction(int(rates.scaled[here][0]), rates.scale), "kWh", amount)
            else:
                why = self._words.at_prices(kwh, label, amount)
            yield self._line(Charge.ENERGY, label, amount, why, kwh, "kWh")

    def _by_kwh(self) -> Iterator[Line]:
        tariff, kwh = self._tariff, Fraction(self._mine.energy_sum_mwh, MWH_PER_KWH)
        for charge, rate in ((Charge.LEVIES, tariff.levies_per_kwh), (Charge.EXCISE, tariff.excise_per_kwh)):
            if rate:
                amount = kwh * Fraction(rate)
                why = self._words.product(kwh, "kWh", Fraction(rate), "kWh", amount)
                yield self._line(charge, charge.value, amount, why, kwh, "kWh")
        if not tariff.excise_per_kwh or not tariff.excise_free_kwh_per_month:
            return
        for month in self._span.months():
            allowed = Fraction(tariff.excise_free_kwh_per_month) * Fraction(month.days, month_days(month.start))
            free = min(allowed, Fraction(self._between(month).energy_sum_mwh, MWH_PER_KWH))
            amount = -free * Fraction(tariff.excise_per_kwh)
            why = self._words.allowance(month.start, month.days, free, allowed, Fraction(tariff.excise_per_kwh), amount)
            yield self._line(Charge.ALLOWANCE, f"free of excise {month.start:%Y-%m}", amount, why, -free, "kWh")

    def _fixed(self) -> Iterator[Line]:
        tariff, span = self._tariff, self._span
        if tariff.fixed_per_day:
            amount = span.days * Fraction(tariff.fixed_per_day)
            why = self._words.product(Fraction(span.days), "days", Fraction(tariff.fixed_per_day), "day", amount)
            yield self._line(Charge.FIXED, "fixed charge", amount, why, Fraction(span.days), "day")
        if tariff.fixed_per_month:
            months = sum((Fraction(each.days, month_days(each.start)) for each in span.months()), Fraction(0))
            amount = months * Fraction(tariff.fixed_per_month)
            why = self._words.parts(list(span.months()), months, "months", Fraction(tariff.fixed_per_month), amount)
            yield self._line(Charge.FIXED, "fixed charge", amount, why, months, "month")

    def _power(self) -> Iterator[Line]:
        tariff = self._tariff
        contracted_w = tariff.contracted_w or self._home.contracted_w
        if not tariff.power_per_kw_year or not contracted_w:
            return
        kw = Fraction(contracted_w) / 1000
        years = sum(
            (
                Fraction(sum(each.days for each in months), year_days(date(year, 1, 1)))
                for year, months in groupby(self._span.months(), lambda each: each.start.year)
            ),
            Fraction(0),
        )
        amount = kw * years * Fraction(tariff.power_per_kw_year)
        why = self._words.power(kw, Fraction(tariff.power_per_kw_year), self._span.days, years, amount)
        yield self._line(Charge.POWER, "contracted power", amount, why, kw * years, "kW a year")

    def _capacity(self) -> Iterator[Line]:
        tariff = self._tariff
        if not tariff.capacity_per_kw_year:
            return
        for month in self._span.months():
            charged = monthly_charges(self._used, month.start, self._home.market.zone, tariff.capacity_least_w)
            share = Fraction(month.days, month_days(month.start)) / MONTHS_A_YEAR
            amount = charged.mean_kw * share * Fraction(tariff.capacity_per_kw_year)
            why = self._words.capacity(charged, Fraction(tariff.capacity_per_kw_year), share, amount)
            quantity = charged.mean_kw * share
            yield self._line(Charge.CAPACITY, f"capacity {month.start:%Y-%m}", amount, why, quantity, "kW a year")
