"""Where prices come from and which days are holidays, as the config says it."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import list_supported_countries

from casawatt.config_document import Document
from casawatt.config_sections import HomeConfig, PricesConfig
from casawatt.model.meter import SLUG
from casawatt.model.price import PriceFormat

_ONLY = {
    "area": PriceFormat.ENTSOE,
    "token_file": PriceFormat.ENTSOE,
    "unit": PriceFormat.CSV,
    "timezone": PriceFormat.CSV,
}
"""Options that only one format has."""


def check_holidays(document: Document, home: HomeConfig) -> None:
    """Raise ConfigError when the holidays of the home's country are not known."""
    if home.country is not None and home.country not in countries():
        why = f"the holidays of {home.country!r} are not known; write the two letters of a country, like IT or DE"
        raise document.error(("home", "country"), why)


@cache
def countries() -> frozenset[str]:
    """Return the codes (ISO 3166-1, two letters) of all countries whose holidays are known."""
    return frozenset(code for code in list_supported_countries(include_aliases=False) if len(code) == 2)


def check_prices(document: Document, prices: dict[str, PricesConfig]) -> None:
    """Raise ConfigError for series of prices that could not be fetched."""
    for name, options in prices.items():
        fault = _fault(name, options)
        if fault is not None:
            option, why = fault
            raise document.error(("prices", name, option) if option else ("prices", name), why)


def _fault(name: str, options: PricesConfig) -> tuple[str, str] | None:
    """Return the first option that is wrong, empty for one that is missing, and why; None when all is well."""
    form, fetched = options.format, options.file is None
    faults = [
        ("", f"{name!r} cannot name prices: use words of a-z and 0-9 joined by hyphens, as in [prices.spot]")
        if len(name) > 64 or not SLUG.fullmatch(name)
        else None,
        ("file", "prices come from a url or a file, not from both") if options.url and not fetched else None,
        ("", "needs a url or a file to read the table from")
        if form is PriceFormat.CSV and fetched and options.url is None
        else None,
        ("", "needs area, the code of the bidding zone, like 10YAT-APG------L")
        if form is PriceFormat.ENTSOE and fetched and options.area is None
        else None,
        *(
            (option, f"is only for the format {only.value!r}")
            for option, only in _ONLY.items()
            if getattr(options, option) is not None and form is not only
        ),
        ("timezone", f"no time zone is called {options.timezone!r}; write it like 'Europe/Rome'")
        if options.timezone is not None and not _is_zone(options.timezone)
        else None,
    ]
    return next((fault for fault in faults if fault), None)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False
    return True
