"""What the config says of prices and holidays is checked, and each error names its line."""

from datetime import date

import pytest

from casawatt.config import parse
from casawatt.model.errors import ConfigError
from casawatt.model.price import PriceFormat, PriceUnit

PRICES = """\
[home]
country = "DE"
holidays_extra = [2026-06-04]
holidays_not = [2026-01-01]

[prices.spot]
format = "entsoe"
area = "10Y1001A1001A82H"

[prices.supplier]
format = "csv"
file = "supplier.csv"
unit = "ct_per_kwh"
timezone = "Europe/Berlin"
"""


def test_prices_and_holidays_are_read_with_defaults_for_the_rest() -> None:
    config = parse(PRICES, "home.toml")
    spot, supplier = config.prices["spot"], config.prices["supplier"]
    assert (spot.format, spot.area, spot.sequence, spot.refresh_s) == (PriceFormat.ENTSOE, "10Y1001A1001A82H", 1, 3600)
    assert (supplier.file, supplier.unit) == ("supplier.csv", PriceUnit.CT_PER_KWH)
    assert config.home.holiday_country == "DE"
    assert config.home.holidays_extra == [date(2026, 6, 4)]
    assert config.home.holidays_not == [date(2026, 1, 1)]


def test_italys_holidays_count_in_its_time_zone_and_none_elsewhere_unless_a_country_is_named() -> None:
    assert parse("", "home.toml").home.holiday_country == "IT"
    assert parse('[home]\ntimezone = "Europe/Berlin"', "home.toml").home.holiday_country is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[home]\ncountry = "Italy"', r"home\.toml:2: home\.country: the holidays of 'Italy' are not known"),
        ("[home]\nholidays_extra = ['soon']", r"home\.toml:2: home\.holidays_extra"),
        ("[prices.spot]\n", r"home\.toml:1: prices\.spot"),
        ('[prices.spot]\nformat = "nordpool"', r"home\.toml:2: prices\.spot\.format"),
        ('[prices.spot]\nformat = "csv"', r"home\.toml:1: prices\.spot: needs a url or a file"),
        ('[prices.spot]\nformat = "entsoe"', r"home\.toml:1: prices\.spot: needs area"),
        ('[prices.spot]\nformat = "entsoe"\narea = "DE"', r"home\.toml:3: prices\.spot\.area"),
        (
            '[prices.spot]\nformat = "awattar"\narea = "10Y1001A1001A82H"',
            r"home\.toml:3: .*only for the format 'entsoe'",
        ),
        ('[prices.spot]\nformat = "awattar"\nunit = "per_kwh"', r"home\.toml:3: .*only for the format 'csv'"),
        ('[prices.spot]\nformat = "awattar"\nurl = "ftp://x/"', r"home\.toml:3: prices\.spot\.url"),
        ('[prices.spot]\nformat = "awattar"\nurl = "http://x/"\nfile = "y"', r"home\.toml:4: .*from a url or a file"),
        ('[prices.spot]\nformat = "awattar"\nrefresh_s = 60', r"home\.toml:3: prices\.spot\.refresh_s"),
        ('[prices.spot]\nformat = "awattar"\ntoken = "secret"', r"home\.toml:3: prices\.spot\.token: no such option"),
        (
            '[prices.spot]\nformat = "csv"\nfile = "y"\ntimezone = "Rome"',
            r"home\.toml:4: .*no time zone is called 'Rome'",
        ),
        ('[prices."My Prices"]\nformat = "awattar"', r"home\.toml:1: .*cannot name prices"),
    ],
)
def test_what_could_not_be_fetched_is_an_error_that_names_its_line(text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        parse(text, "home.toml")
