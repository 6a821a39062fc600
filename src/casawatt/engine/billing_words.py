"""The arithmetic of a bill's lines in words."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from casawatt.engine.capacity import Capacity
from casawatt.model.bill import Bill
from casawatt.model.money import plain

MWH_PER_KWH = 1_000_000
HOUR_MS = 3_600_000


class Days(Protocol):
    """Some days of one calendar month."""

    @property
    def start(self) -> date:
        """The first of them."""
        ...

    @property
    def days(self) -> int:
        """How many they are."""
        ...


class Words:
    """Says how amounts come about, in one currency."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def money(self, amount: Fraction) -> str:
        """Return an amount to at most six places."""
        return f"{plain(amount, 2)} {self._currency}"

    def product(self, quantity: Fraction, unit: str, rate: Fraction, per: str, amount: Fraction) -> str:
        """Return `412.35 kWh × 0.31 EUR/kWh = 127.8285 EUR`."""
        return f"{plain(quantity)} {unit} × {plain(rate)} {self._currency}/{per} = {self.money(amount)}"

    def at_prices(self, kwh: Fraction, series: str, amount: Fraction) -> str:
        """Return the same for energy whose price changes from quarter-hour to quarter-hour."""
        mean = f", {plain(amount / kwh)} {self._currency}/kWh in the mean" if kwh else ""
        return f"{plain(kwh)} kWh at the prices of {series} of its quarter-hours = {self.money(amount)}{mean}"

    def allowance(
        self, month: date, days: int, free: Fraction, allowed: Fraction, rate: Fraction, amount: Fraction
    ) -> str:
        """Return why some kWh of a month are free of excise."""
        return (
            f"{plain(free)} kWh of {plain(allowed)} free in {days} days of {month:%Y-%m} × "
            f"-{plain(rate)} {self._currency}/kWh = {self.money(amount)}"
        )

    def parts(self, months: Sequence[Days], total: Fraction, unit: str, rate: Fraction, amount: Fraction) -> str:
        """Return the arithmetic of a charge by the month."""
        days = ", ".join(f"{each.days} days of {each.start:%Y-%m}" for each in months)
        return f"{days}: {plain(total)} {unit} × {plain(rate)} {self._currency}/month = {self.money(amount)}"

    def power(self, kw: Fraction, rate: Fraction, days: int, years: Fraction, amount: Fraction) -> str:
        """Return the arithmetic of a charge by the contracted kW and year."""
        return (
            f"{plain(kw)} kW × {plain(rate)} {self._currency} per kW and year × "
            f"{days} days ({plain(years)} of a year) = {self.money(amount)}"
        )

    def capacity(self, capacity: Capacity, rate: Fraction, share: Fraction, amount: Fraction) -> str:
        """Return the arithmetic of a charge on monthly peaks."""
        own = capacity.peaks[-1]
        when = f" at {own.at:%Y-%m-%d %H:%M}" if own.at else ", nothing known"
        return (
            f"peak {plain(own.peak_kw, 0, 3)} kW{when}; mean of {len(capacity.peaks)} monthly peaks, each at least "
            f"{plain(capacity.least_kw)} kW: {plain(capacity.mean_kw, 0, 4)} kW × {plain(rate)} {self._currency} "
            f"per kW and year × {plain(share)} of a year = {self.money(amount)}"
        )

    def percent(self, rate: Decimal, net: Fraction, tax: Fraction) -> str:
        """Return the arithmetic of a tax."""
        return f"{plain(rate)} % of {self.money(net)} = {self.money(tax)}"


def notes_of(bill: Bill) -> Iterator[str]:
    """Yield in sentences what people should know of a bill before they pay by it."""
    if bill.untariffed_days:
        days = f"{bill.untariffed_days} of {(bill.end - bill.start).days} days"
        yield f"No tariff holds on {days}: nothing is charged for them."
    if bill.unpriced_mwh:
        yield f"{kwh(bill.unpriced_mwh)} have no price: they are not in the bill, which is not complete."
    if missing_ms := bill.length_ms - bill.measured_ms:
        share = plain(Fraction(100 * bill.measured_ms, bill.length_ms), 0, 2)
        hours = plain(Fraction(missing_ms, HOUR_MS), 0, 2)
        yield f"{share} % of the time was measured. Of the other {hours} hours only what a register counted is in it."
    if bill.unplaced_mwh > 0:
        yield f"{kwh(bill.unplaced_mwh)} were counted over time in which nothing was heard, and are spread over it."
    if bill.returned_mwh:
        yield f"{kwh(bill.returned_mwh)} flowed back into the grid: nothing is paid for them."


def kwh(energy_mwh: int) -> str:
    """Return energy as `12.345 kWh`."""
    return f"{plain(Fraction(energy_mwh, MWH_PER_KWH), 0, 3)} kWh"
