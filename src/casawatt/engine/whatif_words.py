"""Why a bill would have been another one, in a sentence."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from casawatt.engine.largest_remainder import half_up
from casawatt.engine.pricing import MWH_PER_KWH
from casawatt.model.bill import Bill, Charge
from casawatt.model.money import as_money, plain
from casawatt.model.whatif import MovedRun

GROUPS = (
    ("energy", frozenset({Charge.ENERGY, Charge.LEVIES, Charge.EXCISE, Charge.ALLOWANCE})),
    ("fixed charges", frozenset({Charge.FIXED})),
    ("contracted power", frozenset({Charge.POWER})),
    ("capacity", frozenset({Charge.CAPACITY})),
)
"""What the difference of two bills is told by; VAT is in each."""

NO_RUN = "There was no such run."
"""Why nothing would have been otherwise when no run is chosen."""


def of_tariff(bill: Bill, other: Bill) -> str:
    """Return why another tariff makes another bill of the same consumption."""
    parts = [
        f"{name} {_more(bill, other.amount_of(charges) - bill.amount_of(charges))}"
        for name, charges in GROUPS
        if other.amount_of(charges) != bill.amount_of(charges)
    ]
    kwh = plain(Fraction(bill.energy_mwh, MWH_PER_KWH), 0, 3)
    told = f"The same {kwh} kWh would have cost {total(other)} instead of {total(bill)}"
    told += f": {', '.join(parts)}." if parts else "."
    return told + _lacking(bill, other)


class Power(NamedTuple):
    """The highest power, in how many quarter-hours it was above what is contracted, how often the limiter had acted.

    None is what is not known.
    """

    peak_mw: int | None
    quarters_above: int
    trips: int | None


def of_power(bill: Bill, other: Bill, contracted_w: int, drawn: Power) -> str:
    """Return what another contracted power costs, and whether it would have been enough."""
    power = GROUPS[2][1]
    difference = other.amount_of(power) - bill.amount_of(power)
    told = f"The charge on {contracted_w} W would have been {_more(bill, difference)}"
    if drawn.peak_mw is None:
        return f"{told}; what power there was is not known."
    kw = plain(Fraction(drawn.peak_mw, 1_000_000), 0, 2)
    if not drawn.quarters_above:
        return f"{told}; power was never above it, {kw} kW at most."
    many = "1 quarter-hour" if drawn.quarters_above == 1 else f"{drawn.quarters_above} quarter-hours"
    told = f"{told}; power was above it in {many}, {kw} kW at most"
    if drawn.trips is None:
        return f"{told}, and the limiter could have tripped."
    if not drawn.trips:
        return f"{told}; the limiter would never have tripped."
    return f"{told}; the limiter would have tripped {'once' if drawn.trips == 1 else f'{drawn.trips} times'}."


def of_runs(bill: Bill, other: Bill, moved: Sequence[MovedRun], left: int, unseen_mwh: int) -> str:
    """Return what runs cost, and would have cost at other hours; `left` of them could not be moved."""
    kwh = plain(Fraction(sum(run.energy_mwh for run in moved), MWH_PER_KWH), 0, 3)
    before, after = (sum(amounts, Fraction(0)) for amounts in ([r.before for r in moved], [r.after for r in moved]))
    told = f"{_runs(len(moved))} of {kwh} kWh would have cost {money(bill, after)} instead of {money(bill, before)}."
    if not moved:
        told = "No run would have been at another hour."
    capacity = GROUPS[3][1]
    if difference := other.amount_of(capacity) - bill.amount_of(capacity):
        told += f" The charge on the monthly peak would have been {_more(bill, difference)}."
    if left:
        told += f" {_runs(left)} could not be moved: no place in the period was free and had a price."
    if unseen_mwh:
        unseen = plain(Fraction(unseen_mwh, MWH_PER_KWH), 0, 3)
        told += f" {unseen} kWh of them are not in what is billed, and stay out of it."
    return told + _lacking(bill, other)


def money(bill: Bill, amount: Fraction) -> str:
    """Return an amount rounded to the currency's smallest unit, with the currency."""
    return f"{as_money(half_up(amount * 10**bill.digits), bill.digits)} {bill.currency}"


def total(bill: Bill) -> str:
    """Return a bill's total, with the currency."""
    return f"{as_money(bill.units, bill.digits)} {bill.currency}"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _more(bill: Bill, difference: Fraction) -> str:
    return f"{money(bill, abs(difference))} {'more' if difference >= 0 else 'less'}"


def _lacking(bill: Bill, other: Bill) -> str:
    """Return what a bill lacks that the real one has."""
    unpriced_mwh = other.unpriced_mwh - bill.unpriced_mwh
    if unpriced_mwh <= 0:
        return ""
    return f" But {plain(Fraction(unpriced_mwh, MWH_PER_KWH), 0, 3)} kWh have no price there, so it is not comparable."
