"""Prices as a table."""

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.files.price_values import stamp
from casawatt.files.prices import form_of
from casawatt.model.errors import ImportFileError
from casawatt.model.price import Price, PriceFormat, PriceUnit
from tests.files.price_reading import ROME, captured, read, shown

CSV = PriceFormat.CSV
HOURS = "start,price (EUR/MWh)\n2026-01-31T14:00+01:00,100.5\n2026-01-31T15:00+01:00,-2\n"


def table(*lines: str, heading: str = "start;price (EUR/kWh)") -> str:
    return "\n".join((heading, *lines))


def starts(prices: list[Price]) -> list[str]:
    return [stamp(each.start_ms) for each in prices]


def test_a_line_is_a_price_from_its_time_on_for_the_step_of_the_table() -> None:
    assert shown(read(HOURS, CSV)) == [
        ("2026-01-31T13:00Z", 60, Decimal("0.1005")),
        ("2026-01-31T14:00Z", 60, Decimal("-0.002")),
    ]


@pytest.mark.parametrize(
    ("heading", "rate"),
    [
        ("price (EUR/MWh)", "0.0125"),
        ("price_eur_per_kwh", "12.5"),
        ("price_eur_kwh", "12.5"),
        ("Preis [ct/kWh]", "0.125"),
        ("Prezzo €/MWh", "0.0125"),
    ],
)
def test_the_heading_says_the_unit(heading: str, rate: str) -> None:
    text = table("2026-01-31T13:00Z;12,5", "2026-01-31T14:00Z;12.5", heading=f"start;{heading}")
    assert {each.rate_per_kwh for each in read(text, CSV)} == {Decimal(rate)}


def test_a_unit_that_nobody_says_is_asked_for_and_never_guessed() -> None:
    bare = HOURS.replace(" (EUR/MWh)", "")
    with pytest.raises(ImportFileError, match=r"prices\.txt:1: price: its unit is not said"):
        read(bare, CSV)
    told = msgspec.structs.replace(ROME, unit=PriceUnit.CT_PER_KWH)
    assert read(bare, CSV, told)[0].rate_per_kwh == Decimal("1.005")
    with pytest.raises(ImportFileError, match="the heading says per_mwh, and ct_per_kwh is given beside"):
        read(HOURS, CSV, told)


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_any_usual_separator_is_read(separator: str) -> None:
    assert read(HOURS.replace(",", separator), CSV) == read(HOURS, CSV)


@pytest.mark.parametrize(
    "time", ["2026-01-31T13:00:00Z", "2026-01-31 14:00", "31.01.2026 14:00", "1769864400", "1769864400000"]
)
def test_a_time_is_read_as_it_is_usually_written(time: str) -> None:
    assert starts(read(table(f"{time};1", "2026-01-31T14:00Z;1"), CSV))[0] == "2026-01-31T13:00Z"


def test_by_the_wall_clock_the_day_of_25_hours_has_25_prices_in_order() -> None:
    hours = [f"2025-10-26 {hour:02d}:00" for hour in (0, 1, 2, 2, *range(3, 24))]
    found = read(table(*(f"{time};{place}" for place, time in enumerate(hours))), CSV)
    assert [each.rate_per_kwh for each in found] == list(range(25))
    assert starts(found)[2:5] == ["2025-10-26T00:00Z", "2025-10-26T01:00Z", "2025-10-26T02:00Z"]


def test_by_the_wall_clock_the_quarters_of_the_hour_that_comes_twice_are_told_apart() -> None:
    quarters = [f"2025-10-26 02:{minute};1" for minute in ("00", "15", "30", "45")] * 2
    found = read(table(*quarters, "2025-10-26 03:00;1"), CSV)
    assert (starts(found)[0], starts(found)[-1]) == ("2025-10-26T00:00Z", "2025-10-26T02:00Z")
    assert len(found) == 9


def test_a_price_that_ends_in_the_hour_that_comes_twice_ends_in_the_right_one() -> None:
    lines = ["01:00;02:00;1", "02:00;02:00;2", "02:00;03:00;3"]
    text = table(*(f"2025-10-26 {line[:5]};2025-10-26 {line[6:]}" for line in lines), heading="start;end;price EUR/kWh")
    assert [minutes for _, minutes, _ in shown(read(text, CSV))] == [60, 60, 60]


def test_a_time_that_the_clocks_left_out_is_refused() -> None:
    with pytest.raises(ImportFileError, match=r"prices\.txt:3: start: 2026-03-29 02:00:00 is left out by the clocks"):
        read(table("2026-03-29 01:00;1", "2026-03-29 02:00;1"), CSV)


def test_a_line_that_is_missing_stays_a_gap() -> None:
    found = read(table(*(f"2026-01-31T{time}Z;1" for time in ("13:00", "13:15", "13:45", "14:00"))), CSV)
    assert [(start[11:16], minutes) for start, minutes, _ in shown(found)] == [
        ("13:00", 15),
        ("13:15", 15),
        ("13:45", 15),
        ("14:00", 15),
    ]


def test_where_the_step_changes_a_column_must_say_how_long_each_price_holds() -> None:
    times = ("12:00", "13:00", "14:00", "15:00", "15:15", "15:30")
    with pytest.raises(ImportFileError, match=r"prices\.txt:\d: start: the lines are 60 minutes apart here and 15"):
        read(table(*(f"2026-01-31T{time}Z;1" for time in times)), CSV)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no prices"),
        ("start;price (EUR/kWh)\n", "holds no prices"),
        (b"\xff\xfe", "is not a text in UTF-8"),
        ("when;price (EUR/kWh)\n1;2\n", r":1: start: the heading must have one such column"),
        ("start;price (EUR/kWh);price (EUR/MWh)\n1;2;3", ":1: price: the heading must have one such column"),
        (table("2026-01-31T13:00Z"), ":2: line: has 1 columns, and the heading 2"),
        (table("yesterday;1"), ":2: start: 'yesterday' is not a time"),
        (table("01/02/2026 13:00;1"), ":2: start: '01/02/2026 13:00' is not a time"),
        (table("2026-01-31T13:00Z;1,000.5", "2026-01-31T14:00Z;1"), ":2: price: '1,000.5' is not a number"),
        (table("2026-01-31T13:00Z;inf", "2026-01-31T14:00Z;1"), ":2: price: 'inf' is not a number"),
        (table("2026-01-31T13:00Z;", "2026-01-31T14:00Z;1"), ":2: price: '' is not a number"),
        (table("2026-01-31T13:00Z;1"), ":2: end: a single price needs a column end"),
        (table("2026-01-31T13:00Z;1", "2026-01-31T13:05Z;1"), "are 5 minutes apart"),
        (table("2026-01-31T13:05Z;1", "2026-01-31T14:05Z;1"), ":2: start: does not begin and end with a clock quarter"),
        (table("2026-01-31T13:00Z;1", "2026-01-31T13:00Z;2", "2026-01-31T14:00Z;2"), ":3: start: two prices for"),
        (HOURS.replace("EUR", "SEK"), ":1: price: the heading says 'sek/mwh', and the home's currency is EUR"),
        (HOURS.replace("100.5", "100500000"), ":2: price: 100500 per kWh cannot be right"),
        ('start;price (EUR/kWh)\n"2026', ":2: line: has 1 columns"),
        (table("x" * 200_000), "field larger than field limit"),
    ],
)
def test_what_is_not_understood_is_refused_and_line_and_column_named(text: str | bytes, why: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        read(text, CSV)
    assert str(caught.value).startswith("prices.txt")
    assert re.search(why, str(caught.value))


@given(
    st.lists(st.decimals(min_value=-500, max_value=5000, places=2), min_size=2, max_size=100),
    st.sampled_from(["Europe/Rome", "UTC", "America/New_York"]),
    st.integers(min_value=0, max_value=400 * 96),
)
def test_prices_written_with_any_offset_are_read_back_exactly(rates: list[Decimal], zone: str, first: int) -> None:
    begin_ms = 1_760_000_400_000 - 1_760_000_400_000 % 900_000 + first * 900_000
    lines = [
        f"{datetime.fromtimestamp(begin_ms / 1000 + place * 900, ZoneInfo(zone)).isoformat()};{rate}"
        for place, rate in enumerate(rates)
    ]
    found = read(table(*lines, heading="start;price (EUR/MWh)"), CSV)
    assert [each.rate_per_kwh for each in found] == [rate / 1000 for rate in rates]
    assert [each.start_ms for each in found] == [begin_ms + place * 900_000 for place in range(len(rates))]


def test_the_form_is_told_by_the_first_character() -> None:
    assert form_of(captured("awattar.json")) is PriceFormat.AWATTAR
    assert form_of(captured("entsoe_hours.xml")) is PriceFormat.ENTSOE
    assert form_of(HOURS.encode()) is CSV
