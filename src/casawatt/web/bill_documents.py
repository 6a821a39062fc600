"""Bills and tariffs as the API answers them. Amounts are decimal numbers written as text."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from casawatt.answers.bills import Compared
from casawatt.answers.tariffs import Correction, MonthChange, Waiting
from casawatt.engine.periods import Period
from casawatt.engine.pricing import MWH_PER_KWH
from casawatt.model.bill import Bill, Line
from casawatt.model.money import as_money, plain
from casawatt.model.tariff import DatedTariff, Tariff
from casawatt.web.documents import Coverage, Time
from casawatt.web.ports import Ports
from casawatt.web.times import format_time, share

Day = Annotated[str, Meta(description="A local day", extra_json_schema={"format": "date"})]
Amount = Annotated[
    str, Meta(description="Money, in the document's currency, to its smallest unit", pattern=r"^-?\d+(\.\d+)?$")
]
Number = Annotated[str, Meta(description="A decimal number", pattern=r"^-?\d+(\.\d+)?$")]


class BillLineDocument(msgspec.Struct, frozen=True):
    """A charge, from `start` until before `end`, by one tariff. The `amount`s of all lines add up to the total.

    `charge` says what it is for; `why` is its arithmetic, in which the amount is exact. VAT has lines of its own.
    """

    charge: str
    label: str
    tariff: str
    start: Day
    end: Day
    quantity: Number
    unit: str
    amount: Amount
    why: str


class BillTotalDocument(msgspec.Struct, frozen=True):
    """What another period came to. `difference` is this bill's total less that one's."""

    start: Day
    end: Day
    energy_kwh: float
    coverage: Coverage
    total: Amount
    difference: Amount
    difference_kwh: float
    complete: bool


class BillDocument(msgspec.Struct, frozen=True):
    """What the consumption from `start` until before `end` cost.

    `ends`: where the billing month ends, when these are only the first days of one; else null. `complete` is false
    while some energy has no price (`unpriced_kwh`) or some days no tariff (`untariffed_days`). `returned_kwh` flowed
    back into the grid and is not paid for. Energy that was not measured is not in it: `coverage`. `notes` says all this
    in sentences.
    """

    billed: str
    start: Day
    end: Day
    ends: Day | None
    currency: str
    energy_kwh: float
    coverage: Coverage
    lines: list[BillLineDocument]
    total: Amount
    exact_total: Number
    complete: bool
    unpriced_kwh: float
    untariffed_days: int
    returned_kwh: float
    notes: list[str]
    before: BillTotalDocument | None
    year_before: BillTotalDocument | None


class TariffDocument(msgspec.Struct, frozen=True):
    """A tariff on record; it holds until before `until`, for good when null. `charges` are written as in the config.

    `id` is null for one of the config that the next start will take on record.
    """

    id: int | None
    name: str
    start: Day
    until: Day | None
    made: Time
    charges: dict[str, Any]


class WaitingDocument(msgspec.Struct, frozen=True):
    """A tariff of the config that would change what time past cost since `changes_from`, and so is not taken."""

    name: str
    start: Day
    changes_from: Day
    instead_of: str | None
    charges: dict[str, Any]


class TariffsDocument(msgspec.Struct, frozen=True):
    """The tariffs that hold, and those that wait for a correction."""

    currency: str
    tariffs: list[TariffDocument]
    waiting: list[WaitingDocument]


class MonthChangeDocument(msgspec.Struct, frozen=True):
    """What a billing month came to, and what it comes to after the correction."""

    start: Day
    end: Day
    before: Amount
    after: Amount
    difference: Amount


class TariffCorrectionDocument(msgspec.Struct, frozen=True):
    """A correction of tariffs and the months that cost something else by it. `applied`: it was done."""

    currency: str
    applied: bool
    tariffs: list[WaitingDocument]
    months: list[MonthChangeDocument]


def kwh(energy_mwh: int) -> float:
    """Return mWh as kWh."""
    return energy_mwh / MWH_PER_KWH


def money(units: int, digits: int) -> str:
    """Return whole smallest units as text."""
    return str(as_money(units, digits))


def bill_document(ports: Ports, compared: Compared) -> BillDocument:
    """Return a bill beside those of before."""
    bill, bills = compared.bill, ports.answers.bills
    ends = bills.ends(Period(bill.start, bill.end))
    return BillDocument(
        bills.billed().name,
        bill.start.isoformat(),
        bill.end.isoformat(),
        None if ends is None else ends.isoformat(),
        bill.currency,
        kwh(bill.energy_mwh),
        share(bill.measured_ms, bill.length_ms),
        [_line(line, bill.digits) for line in bill.lines],
        money(bill.units, bill.digits),
        plain(bill.amount),
        bill.complete,
        kwh(bill.unpriced_mwh),
        bill.untariffed_days,
        kwh(bill.returned_mwh),
        list(bill.notes),
        _total(bill, compared.before),
        _total(bill, compared.year_before),
    )


def _line(line: Line, digits: int) -> BillLineDocument:
    return BillLineDocument(
        line.charge.value,
        line.label,
        line.tariff,
        line.start.isoformat(),
        line.end.isoformat(),
        plain(line.quantity),
        line.unit,
        money(line.units, digits),
        line.why,
    )


def _total(bill: Bill, other: Bill | None) -> BillTotalDocument | None:
    if other is None:
        return None
    return BillTotalDocument(
        other.start.isoformat(),
        other.end.isoformat(),
        kwh(other.energy_mwh),
        share(other.measured_ms, other.length_ms),
        money(other.units, bill.digits),
        money(bill.units - other.units, bill.digits),
        kwh(bill.energy_mwh - other.energy_mwh),
        other.complete,
    )


def charges_of(tariff: Tariff) -> dict[str, Any]:
    """Return a tariff as the config has it, what it leaves out left out; numbers as text."""
    fields = {field.name: field for field in msgspec.structs.fields(Tariff)}
    written: dict[str, Any] = {}
    for name, field in fields.items():
        value = getattr(tariff, name)
        if name not in {"from_", "name"} and value != field.default and value not in ((), {}):
            written[field.encode_name] = msgspec.to_builtins(value)
    return written


def tariffs_document(ports: Ports) -> TariffsDocument:
    """Return all tariffs that hold or wait."""
    zone = ports.home.zone
    return TariffsDocument(
        ports.home.currency,
        [_tariff(each, format_time(each.made_ms, zone)) for each in ports.answers.tariffs.standing()],
        [_waiting(each) for each in ports.answers.tariffs.waiting()],
    )


def _tariff(dated: DatedTariff, made: str) -> TariffDocument:
    tariff = dated.tariff
    until = None if dated.until is None else dated.until.isoformat()
    return TariffDocument(
        dated.tariff_id or None, tariff.name, tariff.from_.isoformat(), until, made, charges_of(tariff)
    )


def _waiting(each: Waiting) -> WaitingDocument:
    tariff = each.tariff
    return WaitingDocument(
        tariff.name, tariff.from_.isoformat(), each.changes_from.isoformat(), each.instead_of, charges_of(tariff)
    )


def correction_document(ports: Ports, correction: Correction) -> TariffCorrectionDocument:
    """Return a correction."""
    months = [month_document(each, correction.digits) for each in correction.months]
    waiting = [_waiting(each) for each in correction.waiting]
    return TariffCorrectionDocument(ports.home.currency, correction.applied, waiting, months)


def month_document(change: MonthChange, digits: int) -> MonthChangeDocument:
    """Return a month before and after a correction."""
    period = change.period
    return MonthChangeDocument(
        period.start.isoformat(),
        period.end.isoformat(),
        money(change.before_units, digits),
        money(change.after_units, digits),
        money(change.after_units - change.before_units, digits),
    )
