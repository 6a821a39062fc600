"""Prices as aWATTar and the European grid operators publish them."""

import re
from decimal import Decimal

import msgspec
import pytest

from casawatt.model.errors import ImportFileError
from casawatt.model.price import PriceFormat
from tests.files.price_reading import ROME, captured, read, shown

AWATTAR, ENTSOE = PriceFormat.AWATTAR, PriceFormat.ENTSOE
QUARTERS = captured("entsoe_quarters.xml").decode()


def refusal(data: str | bytes, form: PriceFormat) -> str:
    with pytest.raises(ImportFileError) as caught:
        read(data, form)
    return str(caught.value)


def entry(**changed: object) -> str:
    fields: dict[str, object] = {
        "start_timestamp": 1561932000000,
        "end_timestamp": 1561935600000,
        "marketprice": 28.98,
        "unit": "Eur/MWh",
    }
    return msgspec.json.encode({"object": "list", "data": [fields | changed]}).decode()


def test_awattars_prices_per_mwh_become_exact_prices_per_kwh() -> None:
    assert shown(read(captured("awattar.json"), AWATTAR)) == [
        ("2019-06-30T22:00Z", 60, Decimal("0.02898")),
        ("2019-06-30T23:00Z", 60, Decimal("0.02623")),
        ("2019-07-01T00:00Z", 60, Decimal("-0.00007")),
        ("2019-07-01T01:00Z", 60, Decimal(0)),
    ]


def test_a_price_with_more_digits_than_a_float_holds_keeps_them() -> None:
    text = entry().replace("28.98", "28.123456789")
    assert read(text, AWATTAR)[0].rate_per_kwh == Decimal("0.028123456789")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no prices as aWATTar publishes them"),
        ("[]", "no prices as aWATTar publishes them"),
        ("[" * 100_000, "no prices as aWATTar publishes them"),
        (entry(marketprice=None), r"\$\.data\[0\]\.marketprice"),
        (entry(unit="Eur/kW"), r"data\[0\]\.unit: 'Eur/kW' is not a price per MWh or kWh"),
        (entry(unit="Gbp/MWh"), r"data\[0\]\.unit: is in Gbp, and the home's currency is EUR"),
        (entry(start_timestamp=1561932000001), r"data\[0\]\.start_timestamp: does not begin"),
        (entry(end_timestamp=1561932000000), r"data\[0\]\.end_timestamp: must be after the start"),
        (entry(end_timestamp=2**62), r"data\[0\]\."),
        (entry().replace("28.98", "1e400000000"), r"data\[0\]\.marketprice: cannot be right"),
        (entry().replace("28.98", "999999999"), r"data\[0\]\.marketprice: 999999.999 per kWh cannot be right"),
        (entry().replace("28.98", "0.1234567890123"), r"data\[0\]\.marketprice: has more than 12 digits"),
    ],
)
def test_what_is_no_price_of_awattars_is_refused_and_the_field_named(text: str, why: str) -> None:
    assert re.search(why, refusal(text, AWATTAR))


def test_two_prices_for_one_hour_are_refused_rather_than_one_of_them_taken() -> None:
    one, other = entry()[:-2], entry(marketprice=30)
    both = one + "," + other.partition("[")[2]
    assert "prices.txt: data[1].start_timestamp: two prices for 2019-06-30T22:00Z" in refusal(both, AWATTAR)
    assert len(read(one + "," + entry().partition("[")[2], AWATTAR)) == 1


def test_a_position_that_is_left_out_of_a_03_curve_has_the_price_before_it() -> None:
    rates = ["0.10135", "0.0984", "0.0984", "0.0984", "-0.00305", "0", "0", "0"]
    assert [each.rate_per_kwh for each in read(QUARTERS, ENTSOE)] == [Decimal(rate) for rate in rates]
    assert shown(read(QUARTERS, ENTSOE))[-1] == ("2026-01-06T00:45Z", 15, Decimal(0))


def test_a_position_that_is_left_out_of_a_01_curve_is_a_gap() -> None:
    found = shown(read(QUARTERS.replace(">A03<", ">A01<"), ENTSOE))
    assert [start[9:16] for start, _, _ in found] == ["5T23:00", "5T23:15", "6T00:00", "6T00:15"]


def test_of_several_auctions_the_wanted_one_is_taken_wherever_it_stands() -> None:
    second = msgspec.structs.replace(ROME, sequence=2)
    assert {each.rate_per_kwh for each in read(QUARTERS, ENTSOE, second)} == {Decimal("0.09")}
    third = msgspec.structs.replace(ROME, sequence=3)
    with pytest.raises(ImportFileError, match="no prices of sequence 3; only those of sequence 1, 2"):
        read(QUARTERS, ENTSOE, third)


def test_the_day_of_25_hours_has_25_prices() -> None:
    found = shown(read(captured("entsoe_hours.xml"), ENTSOE))
    assert len(found) == 25
    assert found[0] == ("2025-10-25T22:00Z", 60, Decimal("0.05101"))
    assert found[-1] == ("2025-10-26T22:00Z", 60, Decimal("0.07525"))


def test_the_platforms_answer_that_there_is_nothing_is_told_with_its_reason() -> None:
    assert "has no prices for this: No matching data found (code 999)" in refusal(captured("entsoe_none.xml"), ENTSOE)


BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<Publication_MarketDocument><type>&c;</type></Publication_MarketDocument>"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not XML that can be read"),
        (BOMB, "not XML that can be read"),
        (QUARTERS[:900], r"prices\.txt:\d+: not XML that can be read"),
        ("<html/>", "html of type none is no list of day-ahead prices"),
        (QUARTERS.replace("A44", "A65"), "Publication_MarketDocument of type A65 is no list"),
        (QUARTERS.replace("PT15M", "P1D"), r"TimeSeries\[2\]/Period\[1\]/resolution: 'P1D' is none of"),
        (QUARTERS.replace(">A03<", ">A02<"), r"TimeSeries\[2\]/curveType: 'A02'"),
        (QUARTERS.replace(">EUR<", ">PLN<"), r"TimeSeries\[2\]/currency_Unit.name: is PLN; the home's currency is EUR"),
        (QUARTERS.replace(">MWH<", ">MAW<"), r"TimeSeries\[2\]/price_Measure_Unit.name: 'MAW'"),
        (QUARTERS.replace(">98.4<", ">abc<"), r"TimeSeries\[2\]/Period\[1\]/Point\[2\]/price.amount: 'abc' is not"),
        (QUARTERS.replace(">98.4<", "><"), r"Point\[2\]/price.amount: '' is not a number"),
        (QUARTERS.replace(">98.4<", ">NaN<"), r"Point\[2\]/price.amount: 'NaN' is not a number"),
        (QUARTERS.replace("<position>2<", "<position>9<"), r"Point\[2\]/position: '9' is not a number from 1 to 8"),
        (QUARTERS.replace("<position>2<", "<position>1<"), r"Point\[2\]/position: 1 comes twice"),
        (QUARTERS.replace("<position>2<", "<position>²<"), r"Point\[2\]/position: '²' is not a number"),
        (QUARTERS.replace("2026-01-06T01:00Z", "9999-01-06T01:00Z"), r"Period\[1\]/timeInterval: is not a whole"),
        (QUARTERS.replace("2026-01-06T01:00Z", "2026-01-06"), r"timeInterval: end '2026-01-06' is not a time"),
        (QUARTERS.replace("2026-01-05T23:00Z", "2026-01-05T23:05Z"), r"timeInterval: is not a whole number of PT15M"),
    ],
)
def test_what_is_no_document_of_prices_is_refused_and_the_place_named(text: str, why: str) -> None:
    assert re.search(why, refusal(text, ENTSOE))
