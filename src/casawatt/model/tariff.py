"""What electricity costs: dated sets of charges."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
"""A public holiday is a `holiday` and no other day of the week."""

Taxable = Literal["energy", "levies", "excise", "fixed", "power", "capacity"]
"""The kinds of charges that VAT may be due on."""

WallTime = Annotated[str, Meta(pattern="^(([01]?[0-9]|2[0-3]):(00|15|30|45)|24:00)$")]
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
    or the price that the series `prices` has for the quarter-hour, times `factor`, plus `markup_per_kwh`. There is no
    VAT on the kinds of charges that are `vat_free`. `model.tariff_faults` tells what makes no sense.
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
    vat_free: tuple[Taxable, ...] = ()

    def vat_percent_on(self, charge: Taxable) -> Decimal:
        """Return the VAT on a kind of charge."""
        return Decimal(0) if charge in self.vat_free else self.vat_percent


UNRECORDED = 0
"""The number of a tariff that is not on record."""


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
