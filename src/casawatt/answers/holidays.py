"""Which days are holidays, as tariffs by band count them."""

from collections.abc import Collection
from datetime import date
from functools import lru_cache

from holidays import country_holidays

from casawatt.config_prices import countries
from casawatt.engine.italian_holidays import italian_band_holidays

ITALY = "IT"


def holidays_between(
    country: str | None, first: date, last: date, *, extra: Collection[date] = (), without: Collection[date] = ()
) -> frozenset[date]:
    """Return the holidays from `first` to `last`, both among them; `extra` are added and `without` left out.

    Those of Italy are the regulator's for the bands; those of another country its public holidays; None has none.
    Raises ValueError for a country whose holidays are not known.
    """
    if country is not None and country not in countries():
        message = f"the holidays of {country!r} are not known"
        raise ValueError(message)
    years = range(first.year, last.year + 1) if country else ()
    days = {day for year in years for day in _holidays_of(country or "", year)}
    return frozenset(day for day in (days | set(extra)) - set(without) if first <= day <= last)


@lru_cache(maxsize=256)
def _holidays_of(country: str, year: int) -> frozenset[date]:
    if country == ITALY:
        return italian_band_holidays(year)
    return frozenset(country_holidays(country, years=year))
