"""Tariffs in the config: exact numbers, and errors that name the line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from casawatt.config import parse
from casawatt.config_tariffs import load_alternatives
from casawatt.model.errors import ConfigError
from casawatt.model.tariff import Tariff

FLAT = '[[tariff]]\nfrom = 2026-01-01\nname = "flat"\n'
ITALIAN = '[[tariff]]\nfrom = 2026-01-01\nname = "it"\nbands = "italian"\n'
BAND = '[[tariff.band]]\nname = "night"\nrate_per_kwh = 0.1\n'


def tariffs(text: str) -> tuple[Tariff, ...]:
    return parse(text, "home.toml").tariffs


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        tariffs(text)
    return str(caught.value)


def test_rates_are_the_decimal_numbers_that_are_written_as_numbers_or_as_text() -> None:
    for written in ("0.1", '"0.1"'):
        assert tariffs(f"{FLAT}rate_per_kwh = {written}\n")[0].rate_per_kwh == Decimal("0.1")
    assert tariffs(f"{FLAT}rate_per_kwh = 1\n")[0].rate_per_kwh == 1
    assert tariffs(f"{ITALIAN}rates_per_kwh = {{F1 = 0.30, F23 = 0.25}}\n")[0].rates_per_kwh["F1"] == Decimal("0.30")


def test_tariffs_are_in_order_of_their_days_whatever_the_order_in_the_file() -> None:
    text = FLAT.replace("2026", "2027") + "rate_per_kwh = 2\n" + FLAT + "rate_per_kwh = 1\n"
    assert [each.from_ for each in tariffs(text)] == [date(2026, 1, 1), date(2027, 1, 1)]


def test_bands_are_read_in_the_order_that_they_stand_in() -> None:
    night, rest = BAND + 'days = ["mon", "holiday"]\nfrom = "23:00"\nto = "7:00"\n', BAND.replace("night", "rest")
    read = tariffs(FLAT + night + rest)[0].band
    assert [(each.name, each.days, each.from_, each.to) for each in read] == [
        ("night", ("mon", "holiday"), "23:00", "7:00"),
        ("rest", ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"), "00:00", "24:00"),
    ]


def test_bands_that_reach_past_midnight_leave_no_hour_out() -> None:
    night = BAND + 'from = "23:00"\nto = "6:00"\n'
    day = BAND.replace("night", "day") + 'from = "6:00"\nto = "23:00"\n'
    assert [each.name for each in tariffs(FLAT + night + day)[0].band] == ["night", "day"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FLAT, "home.toml:1: tariff.0: nothing says what energy costs: give one of rate_per_kwh, bands"),
        (
            FLAT + "rate_per_kwh = 0.1\nprices = 'spot'\n",
            "home.toml:5: tariff.0.prices: rate_per_kwh and prices at once",
        ),
        (FLAT + "rate_per_kwh = nan\n", "home.toml:4: tariff.0.rate_per_kwh: NaN is out of range"),
        (FLAT + "rate_per_kwh = 'dear'\n", "home.toml:4: tariff.0.rate_per_kwh: invalid decimal string"),
        (FLAT + "rate_per_kwh = 0.1\nfixed_per_day = -1\n", "home.toml:5: tariff.0.fixed_per_day: -1 is out of range"),
        (FLAT + "rate_per_kwh = 0.1\nvat_percent = 101\n", "home.toml:5: tariff.0.vat_percent: cannot be 101"),
        (FLAT + "rate = 0.1\n", "home.toml:4: tariff.0.rate: no such option; there are: from, name, rate_per_kwh"),
        (FLAT + "rates_per_kwh = {F1 = 1}\nrate_per_kwh = 1\n", "home.toml:4: tariff.0.rates_per_kwh: are those of"),
        (ITALIAN, "home.toml:1: tariff.0.rates_per_kwh: must name F1, F2 and F3, or F1 and F23"),
        (ITALIAN + "rates_per_kwh = {F1 = 1, F4 = 1}\n", "home.toml:5: tariff.0.rates_per_kwh.F4: no such band"),
        (FLAT + BAND + 'from = "7:10"\n', "home.toml:7: tariff.0.band.0.from: "),
        (FLAT + BAND + 'from = "7:00"\nto = "7:00"\n', "home.toml:4: tariff.0.band.0: is empty"),
        (FLAT + BAND + BAND.replace("0.1", "0.2"), "home.toml:6: tariff.0.band.0.rate_per_kwh: 'night' has another"),
        (
            FLAT + BAND + FLAT.replace("2026", "2027") + BAND + "colour = 1\n",
            "home.toml:13: tariff.1.band.0.colour: no such",
        ),
        (
            FLAT + "rate_per_kwh = 1\n" + FLAT + "rate_per_kwh = 2\n",
            "home.toml:6: tariff.1.from: another tariff begins",
        ),
        (FLAT + BAND + 'from = "24:15"\n', "home.toml:7: tariff.0.band.0.from: "),
        (
            FLAT + BAND + 'days = ["mon"]\n',
            "home.toml:4: tariff.0.band.0: no band holds on tue at 00:00: a last one without",
        ),
        (
            FLAT + BAND + 'from = "6:00"\nto = "23:00"\n',
            "home.toml:4: tariff.0.band.0: no band holds on mon at 00:00",
        ),
        (
            FLAT + BAND + 'from = "6:00"\n' + BAND + 'days = ["mon", "tue"]\nfrom = "0:00"\nto = "6:00"\n',
            "home.toml:4: tariff.0.band.0: no band holds on wed at 00:00",
        ),
        (
            FLAT + BAND + 'from = "6:00"\n' + BAND + 'days = ["sun", "mon"]\nfrom = "23:00"\nto = "6:00"\n',
            "home.toml:4: tariff.0.band.0: no band holds on mon at 00:00",
        ),
        (
            FLAT + "rate_per_kwh = 0.1234567890123\n",
            "home.toml:4: tariff.0.rate_per_kwh: 0.1234567890123 has more than 12",
        ),
        (FLAT + "rate_per_kwh = 1\nfactor = 2\n", "home.toml:5: tariff.0.factor: does nothing without prices"),
        (
            FLAT + "rate_per_kwh = 1\nexcise_free_kwh_per_month = 2\n",
            "home.toml:5: tariff.0.excise_free_kwh_per_month: does nothing without excise_per_kwh",
        ),
        (FLAT + 'rate_per_kwh = 1\nvat_free = ["power"]\n', "home.toml:5: tariff.0.vat_free: does nothing without vat"),
        (FLAT + 'rate_per_kwh = 1\nvat_free = ["tea"]\n', "home.toml:5: tariff.0.vat_free.0: invalid enum value 'tea'"),
        (
            FLAT.replace("2026", "2027") + "rate_per_kwh = 1\n" + FLAT + "rate_per_kwh = 1\npower_per_kw_year = 20\n",
            "home.toml:9: tariff.1.power_per_kw_year: needs contracted_w, here or in [supply]",
        ),
        ("[tariff]\nfrom = 2026-01-01\n", "home.toml:1: tariff: a section is written [[tariff]]"),
        (
            '[supply]\nmeter = "x"\n[meter.y]\nsource = "s"\naddress = "a"\n',
            "home.toml:2: supply.meter: there is no [meter.x]",
        ),
    ],
)
def test_a_tariff_that_cannot_be_is_refused_by_its_line(text: str, said: str) -> None:
    assert refused(text).startswith(said)


def test_a_file_of_tariffs_has_nothing_else_in_it(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text(FLAT + "rate_per_kwh = 0.2\n", encoding="utf-8")
    assert load_alternatives(file)[0].rate_per_kwh == Decimal("0.2")
    file.write_text("[home]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"other\.toml:1: home: a file of tariffs has nothing but"):
        load_alternatives(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_alternatives(tmp_path / "none.toml")


def test_alternatives_are_tariffs_of_which_several_of_one_name_belong_together() -> None:
    one = (FLAT + "rate_per_kwh = 0.1\n").replace("[[tariff]]", "[[alternative]]")
    config = parse(one + one.replace("2026", "2027"), "home.toml")
    assert [each.from_.year for each in config.alternatives] == [2026, 2027]
    assert config.tariffs == ()
    assert "alternative.1.from: another tariff called" in refused(one + one)
    assert refused(one + "colour = 1\n").startswith("home.toml:5: alternative.0.colour: no such option")
