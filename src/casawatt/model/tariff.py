"""What electricity costs: dated sets of charges."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
"""A public holiday is a `holiday` and no other day of the week."""

WallTime = Annotated[str, Meta(pattern="^([01]?[0-9]|2[0-4]):(00|15|30|45)$")]
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """`[[tariff.band]]`: a rate that holds on some days from one wall-clock time until another.

    The first band of a tariff that holds at a quarter-hour counts. Several spans of a band are several of them with
    the same name. `to` earlier than `from` goes on past midnight, on the next day, whatever day that is.
    """

    name: Name
    rate_per_kwh: Decimal
    days: tuple[Weekday, ...] = WEEKDAYS
    from_: WallTime = "00:00"
    to: WallTime = "24:00"


class Tariff(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """`[[tariff]]`: what electricity costs from a local day on, until the next tariff. Rates are without VAT.

    Energy costs one of: `rate_per_kwh` at all times; `rates_per_kwh` of the built-in `bands`; the `band`s written out;
    or the price that the series `prices` has for the quarter-hour, times `factor`, plus `markup_per_kwh`.
    """

    from_: date
    name: Name
    rate_per_kwh: Decimal | None = None
    bands: Literal["italian"] | None = None
    rates_per_kwh: dict[str, Decimal] = {}
    band: tuple[Band, ...] = ()
    prices: Name | None = None
    factor: Decimal = Decimal(1)
    markup_per_kwh: Decimal = Decimal(0)
    levies_per_kwh: Decimal = Decimal(0)
    excise_per_kwh: Decimal = Decimal(0)
    excise_free_kwh_per_month: Decimal = Decimal(0)
    fixed_per_month: Decimal = Decimal(0)
    fixed_per_day: Decimal = Decimal(0)
    power_per_kw_year: Decimal = Decimal(0)
    contracted_w: Decimal | None = None
    capacity_per_kw_year: Decimal = Decimal(0)
    capacity_least_w: Decimal = Decimal(2500)
    vat_percent: Decimal = Decimal(0)


class StoredTariff(msgspec.Struct, frozen=True):
    """A tariff as it was taken on record at `made_ms`; `retracted_ms`: when it was taken back, None while it stands."""

    tariff_id: int
    tariff: Tariff
    made_ms: int
    retracted_ms: int | None = None


class DatedTariff(msgspec.Struct, frozen=True):
    """A tariff that holds until the local day `until`, on which another takes its place; None for none."""

    tariff_id: int
    tariff: Tariff
    made_ms: int
    until: date | None = None


MAY_BE_NEGATIVE = frozenset({"rate_per_kwh", "markup_per_kwh", "levies_per_kwh"})
AMOUNT_MAX = 1_000_000
"""No rate, charge or power of a home is beyond this."""

ITALIAN_NAMES = ("F1", "F2", "F3", "F23")
"""The Italian bands; F23 is F2 and F3 together."""


def is_amount(value: Decimal, least: int = 0) -> bool:
    """Return whether a number can be a rate, a charge or a power: no less than `least`, finite, not immense."""
    return value.is_finite() and least <= value <= AMOUNT_MAX


def fault_of(tariff: Tariff) -> tuple[tuple[str, ...], str] | None:
    """Return what is wrong with a tariff that each option alone does not show: the option, and why; None if nothing."""
    for number, band in enumerate(tariff.band):
        if not is_amount(band.rate_per_kwh, -AMOUNT_MAX):
            return ("band", str(number), "rate_per_kwh"), f"{band.rate_per_kwh} is no rate"
    for name in tariff.__struct_fields__:
        value = getattr(tariff, name)
        least = -AMOUNT_MAX if name in MAY_BE_NEGATIVE else 0
        if isinstance(value, Decimal) and not is_amount(value, least):
            return (name,), f"{value} is out of range: it must be {least} to {AMOUNT_MAX}"
    if tariff.contracted_w == 0 or tariff.vat_percent > 100:
        name = "vat_percent" if tariff.vat_percent > 100 else "contracted_w"
        return (name,), f"cannot be {getattr(tariff, name)}"
    return _fault_of_energy(tariff)


def _fault_of_energy(tariff: Tariff) -> tuple[tuple[str, ...], str] | None:
    ways = {
        "rate_per_kwh": tariff.rate_per_kwh is not None,
        "bands": tariff.bands is not None,
        "band": bool(tariff.band),
        "prices": tariff.prices is not None,
    }
    given = [name for name, is_given in ways.items() if is_given]
    if len(given) != 1:
        what = f"{' and '.join(given)} at once" if given else "nothing says what energy costs"
        return tuple(given[1:2]), f"{what}: give one of rate_per_kwh, bands, [[tariff.band]] and prices"
    if tariff.bands is None and tariff.rates_per_kwh:
        return ("rates_per_kwh",), 'are those of built-in bands, so they need bands = "italian"'
    if tariff.bands is not None:
        return _fault_of_rates(tariff.rates_per_kwh)
    for number, band in enumerate(tariff.band):
        if band.from_ == band.to or not band.days:
            return ("band", str(number)), "is empty: it needs days, and an end other than its beginning"
        rates = {each.rate_per_kwh for each in tariff.band if each.name == band.name}
        if len(rates) > 1:
            return ("band", str(number), "rate_per_kwh"), f"{band.name!r} has another rate in another place"
    return None


def _fault_of_rates(rates: dict[str, Decimal]) -> tuple[tuple[str, ...], str] | None:
    for name, rate in rates.items():
        if name not in ITALIAN_NAMES:
            return ("rates_per_kwh", name), f"no such band; there are: {', '.join(ITALIAN_NAMES)}"
        if not is_amount(rate, -AMOUNT_MAX):
            return ("rates_per_kwh", name), f"{rate} is no rate"
    if set(rates) not in ({"F1", "F2", "F3"}, {"F1", "F23"}):
        return ("rates_per_kwh",), "must name F1, F2 and F3, or F1 and F23"
    return None
