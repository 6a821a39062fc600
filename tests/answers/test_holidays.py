"""Which days are holidays, as tariffs by band count them."""

from datetime import date

import pytest
from holidays import country_holidays

from casawatt.answers.holidays import holidays_between

YEAR = date(2026, 1, 1), date(2026, 12, 31)
ST_FRANCIS = date(2026, 10, 4)


def test_italys_are_those_of_the_bands_not_all_public_ones() -> None:
    found = holidays_between("IT", *YEAR)
    assert len(found) == 11
    assert set(country_holidays("IT", years=2026)) - found == {ST_FRANCIS}


def test_another_countrys_are_its_public_ones() -> None:
    assert date(2026, 10, 3) in holidays_between("DE", *YEAR)
    assert date(2026, 10, 26) in holidays_between("AT", *YEAR)


def test_a_day_can_be_added_and_another_left_out() -> None:
    found = holidays_between("IT", *YEAR, extra=[ST_FRANCIS], without=[date(2026, 1, 6)])
    assert found == (holidays_between("IT", *YEAR) | {ST_FRANCIS}) - {date(2026, 1, 6)}


def test_only_those_of_the_span_are_given_its_edges_among_them() -> None:
    found = holidays_between("IT", date(2025, 12, 26), date(2026, 1, 6), extra=[ST_FRANCIS])
    assert sorted(found) == [date(2025, 12, 26), date(2026, 1, 1), date(2026, 1, 6)]


def test_a_country_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="the holidays of 'XX' are not known"):
        holidays_between("XX", *YEAR)
