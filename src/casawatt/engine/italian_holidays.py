"""The days that count as holidays in the Italian bands F1, F2 and F3, as dated data of casawatt's own."""

from datetime import date, timedelta

FIXED = ((1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), (12, 25), (12, 26))
"""Month and day of those of every year, by decision 181/06 of the Italian regulator; Easter Monday beside them.

4 October is a public holiday again from 2026 on (law 151 of 2025). The decision's list does not name it, so it is no
holiday of the bands until the regulator says so.
"""


def italian_band_holidays(year: int) -> frozenset[date]:
    """Return the holidays of a year. Raises ValueError outside the years 1583 to 9999."""
    return frozenset({*(date(year, month, day) for month, day in FIXED), easter(year) + timedelta(days=1)})


def easter(year: int) -> date:
    """Return Easter Sunday of a year of the Gregorian calendar, by the anonymous algorithm that Meeus gives.

    Raises ValueError outside the years 1583 to 9999.
    """
    if not 1583 <= year <= 9999:
        message = f"there is no Gregorian Easter in the year {year}"
        raise ValueError(message)
    golden = year % 19
    century, rest = divmod(year, 100)
    leaps, years = divmod(rest, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - century // 4 - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * leaps - moon - years) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
