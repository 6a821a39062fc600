"""The holidays of the Italian bands."""

from datetime import date, timedelta

import pytest

from casawatt.engine.italian_holidays import easter, italian_band_holidays


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (1818, 3, 22),
        (1943, 4, 25),
        (2000, 4, 23),
        (2024, 3, 31),
        (2025, 4, 20),
        (2026, 4, 5),
        (2027, 3, 28),
        (2038, 4, 25),
    ],
)
def test_easter_is_when_the_church_says(year: int, month: int, day: int) -> None:
    assert easter(year) == date(year, month, day)


def test_easter_is_always_a_sunday_from_22_march_to_25_april() -> None:
    for year in range(1583, 3000):
        found = easter(year)
        assert found.isoweekday() == 7
        assert date(year, 3, 22) <= found <= date(year, 4, 25)


def test_the_holidays_of_2026_are_the_regulators_eleven() -> None:
    assert [f"{day:%m-%d}" for day in sorted(italian_band_holidays(2026))] == [
        "01-01", "01-06", "04-06", "04-25", "05-01", "06-02", "08-15", "11-01", "12-08", "12-25", "12-26",
    ]  # fmt: skip


def test_the_fourth_of_october_is_none_of_them() -> None:
    assert date(2026, 10, 4) not in italian_band_holidays(2026)
    assert date(2027, 10, 4) not in italian_band_holidays(2027)


def test_a_year_without_a_gregorian_easter_is_refused() -> None:
    with pytest.raises(ValueError, match="no Gregorian Easter in the year 1500"):
        easter(1500)
    assert easter(9999) + timedelta(days=1) in italian_band_holidays(9999)
