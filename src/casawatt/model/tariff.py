"""What electricity costs: dated sets of charges."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
"""A public holiday is a `holiday` and no other day of the week."""

Rate = Annotated[Decimal, Meta(ge=-1000, le=1000)]
Charge = Annotated[Decimal, Meta(ge=0, le=100_000)]
WallTime = Annotated[str, Meta(pattern="^([01]?[0-9]|2[0-4]):(00|15|30|45)$")]
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """`[[tariff.band]]`: a rate that holds on some days from one wall-clock time until another.

    The first band of a tariff that holds at a quarter-hour counts. Several spans of a band are several of them with
    the same name. `to` earlier than `from` goes on past midnight, on the next day, whatever day that is.
    """

    name: Name
    rate_per_kwh: Rate
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
    rate_per_kwh: Rate | None = None
    bands: Literal["italian"] | None = None
    rates_per_kwh: dict[str, Rate] = {}
    band: tuple[Band, ...] = ()
    prices: Name | None = None
    factor: Charge = Decimal(1)
    markup_per_kwh: Rate = Decimal(0)
    levies_per_kwh: Rate = Decimal(0)
    excise_per_kwh: Rate = Decimal(0)
    excise_free_kwh_per_month: Charge = Decimal(0)
    fixed_per_month: Charge = Decimal(0)
    fixed_per_day: Charge = Decimal(0)
    power_per_kw_year: Charge = Decimal(0)
    contracted_w: Annotated[Decimal, Meta(gt=0, le=1_000_000)] | None = None
    capacity_per_kw_year: Charge = Decimal(0)
    capacity_least_w: Charge = Decimal(2500)
    vat_percent: Annotated[Decimal, Meta(ge=0, le=100)] = Decimal(0)


class DatedTariff(msgspec.Struct, frozen=True):
    """A tariff as it was taken on record. `until`: the local day on which another takes its place, None for none."""

    tariff_id: int
    tariff: Tariff
    made_ms: int
    until: date | None = None
