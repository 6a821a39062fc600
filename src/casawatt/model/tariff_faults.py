"""What makes no sense in a tariff."""

from decimal import Decimal

from casawatt.model.tariff import WEEKDAYS, Band, Tariff, Weekday

MAY_BE_NEGATIVE = frozenset({"rate_per_kwh", "markup_per_kwh", "levies_per_kwh"})
AMOUNT_MAX = 1_000_000
"""No rate, charge or power of a home is beyond this."""

DIGITS_MAX = 12
"""So many digits after the point are taken; a number with more is refused, not rounded."""

Fault = tuple[tuple[str, ...], str]
"""The option at fault, e.g. `("band", "0", "rate_per_kwh")`, and why."""

MINUTES_A_DAY = 24 * 60

ITALIAN_NAMES = ("F1", "F2", "F3", "F23")
"""The Italian bands; F23 is F2 and F3 together."""


def fault_of(tariff: Tariff) -> Fault | None:
    """Return what is wrong with a tariff that each option alone does not show; None if nothing."""
    for number, band in enumerate(tariff.band):
        if fault := _fault_of_number(band.rate_per_kwh, -AMOUNT_MAX):
            return ("band", str(number), "rate_per_kwh"), fault
    for name in tariff.__struct_fields__:
        value = getattr(tariff, name)
        least = -AMOUNT_MAX if name in MAY_BE_NEGATIVE else 0
        if isinstance(value, Decimal) and (fault := _fault_of_number(value, least)):
            return (name,), fault
    if tariff.contracted_w == 0 or tariff.vat_percent > 100:
        name = "vat_percent" if tariff.vat_percent > 100 else "contracted_w"
        return (name,), f"cannot be {getattr(tariff, name)}"
    return _fault_of_energy(tariff) or _fault_of_company(tariff)


def _fault_of_number(value: Decimal, least: int) -> str | None:
    """Return why a number can be no rate, charge or power, None when it can."""
    if not value.is_finite() or not least <= value <= AMOUNT_MAX:
        return f"{value} is out of range: it must be {least} to {AMOUNT_MAX}"
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -DIGITS_MAX:
        return f"{value} has more than {DIGITS_MAX} digits after the point"
    return None


def _fault_of_company(tariff: Tariff) -> Fault | None:
    """Return an option that does nothing without another one, which is not there."""
    needs = (
        ("factor", tariff.factor != 1, "prices", tariff.prices),
        ("markup_per_kwh", tariff.markup_per_kwh, "prices", tariff.prices),
        ("excise_free_kwh_per_month", tariff.excise_free_kwh_per_month, "excise_per_kwh", tariff.excise_per_kwh),
        ("vat_free", tariff.vat_free, "vat_percent", tariff.vat_percent),
    )
    for name, is_given, other, company in needs:
        if is_given and not company:
            return (name,), f"does nothing without {other}"
    return None


def _fault_of_energy(tariff: Tariff) -> Fault | None:
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
    return _fault_of_bands(tariff.band)


def _fault_of_bands(bands: tuple[Band, ...]) -> Fault | None:
    for number, band in enumerate(bands):
        place = "band", str(number)
        if not band.days or _minute(band.from_) == _minute(band.to) or _minute(band.from_) == MINUTES_A_DAY:
            return place, "is empty: it needs days, and an end other than its beginning"
        rates = {each.rate_per_kwh for each in bands if each.name == band.name}
        if len(rates) > 1:
            return (*place, "rate_per_kwh"), f"{band.name!r} has another rate in another place"
    if bands and (hole := _hole(bands)) is not None:
        day, minute = hole
        when = f"{'a holiday' if day == 'holiday' else day} at {minute // 60:02d}:{minute % 60:02d}"
        return ("band", "0"), f"no band holds on {when}: a last one without days and times is the rate of the rest"
    return None


def _hole(bands: tuple[Band, ...]) -> tuple[Weekday, int] | None:
    """Return the first quarter-hour of a kind of day at which it is not sure that a band holds; None for none."""
    for place, day in enumerate(WEEKDAYS):
        # The day before a holiday may be any; the day before any other may be a holiday too.
        before = set(WEEKDAYS) if day == "holiday" else {WEEKDAYS[(place - 1) % 7], "holiday"}
        for minute in range(0, MINUTES_A_DAY, 15):
            held = [_held(band, day, minute) for band in bands]
            after = {kind for _, kinds in held for kind in kinds}
            if not any(today for today, _ in held) and not before <= after:
                return day, minute
    return None


def _held(band: Band, day: Weekday, minute: int) -> tuple[bool, tuple[Weekday, ...]]:
    """Return whether a band of the day itself holds then, and after which days one that began the day before does."""
    first, last = _minute(band.from_), _minute(band.to)
    past_midnight = last <= first
    today = day in band.days and minute >= first and (past_midnight or minute < last)
    return today, band.days if past_midnight and minute < last else ()


def _minute(wall: str) -> int:
    hour, minute = wall.split(":")
    return int(hour) * 60 + int(minute)


def _fault_of_rates(rates: dict[str, Decimal]) -> Fault | None:
    for name, rate in rates.items():
        if name not in ITALIAN_NAMES:
            return ("rates_per_kwh", name), f"no such band; there are: {', '.join(ITALIAN_NAMES)}"
        if fault := _fault_of_number(rate, -AMOUNT_MAX):
            return ("rates_per_kwh", name), fault
    if set(rates) not in ({"F1", "F2", "F3"}, {"F1", "F23"}):
        return ("rates_per_kwh",), "must name F1, F2 and F3, or F1 and F23"
    return None
