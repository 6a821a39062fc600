"""Local calendar edges, against the zones' own odd days."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.localtime import HOUR_MS, bucket_edges, day_edges, day_start, local_date, quarter_start

ROME = ZoneInfo("Europe/Rome")
ODD_ZONES = [
    ROME,
    ZoneInfo("UTC"),
    ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Asia/Kathmandu"),
    ZoneInfo("America/Sao_Paulo"),
    ZoneInfo("America/St_Johns"),
    ZoneInfo("Asia/Beirut"),
    ZoneInfo("Africa/Casablanca"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("Pacific/Apia"),
]


def utc_ms(*fields: int) -> int:
    return round(datetime(*fields, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


def hours_of(zone: ZoneInfo, day: date) -> list[float]:
    edges = bucket_edges(zone, day_start(zone, day), day_start(zone, day + timedelta(days=1)), "hour")
    return [(after - before) / HOUR_MS for before, after in pairwise(edges)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Rome", date(2020, 3, 29), 23),
        ("Europe/Rome", date(2020, 10, 25), 25),
        ("Europe/Rome", date(2020, 6, 1), 24),
        ("Asia/Kolkata", date(2020, 6, 1), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2019, 2, 16), 25),
        ("Asia/Beirut", date(2022, 3, 27), 23),
        ("Asia/Beirut", date(2022, 10, 29), 25),
        ("Australia/Lord_Howe", date(2021, 10, 3), 23.5),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_a_local_day_is_as_long_as_its_zone_says(zone: str, day: date, hours: float) -> None:
    length_ms = day_start(ZoneInfo(zone), day + timedelta(days=1)) - day_start(ZoneInfo(zone), day)
    assert length_ms == hours * HOUR_MS


def test_a_day_whose_midnight_is_left_out_begins_when_the_clocks_jump() -> None:
    assert day_start(ZoneInfo("America/Sao_Paulo"), date(2018, 11, 4)) == utc_ms(2018, 11, 4, 3)
    assert day_start(ZoneInfo("Asia/Beirut"), date(2022, 3, 27)) == utc_ms(2022, 3, 26, 22)


def test_a_day_whose_midnight_comes_twice_begins_with_the_first() -> None:
    newfoundland = ZoneInfo("America/St_Johns")
    assert day_start(newfoundland, date(2010, 11, 7)) == utc_ms(2010, 11, 7, 2, 30)
    assert local_date(newfoundland, utc_ms(2010, 11, 7, 2, 45)) == date(2010, 11, 7)


def test_days_surround_the_span_asked_for() -> None:
    start, end = utc_ms(2020, 10, 24, 12), utc_ms(2020, 10, 25, 12)
    assert day_edges(ROME, start, end) == [
        utc_ms(2020, 10, 23, 22),
        utc_ms(2020, 10, 24, 22),
        utc_ms(2020, 10, 25, 23),
    ]


def test_a_date_that_a_zone_left_out_makes_no_empty_day() -> None:
    edges = day_edges(ZoneInfo("Pacific/Apia"), utc_ms(2011, 12, 29), utc_ms(2012, 1, 1, 9))
    assert [after - before for before, after in pairwise(edges)] == [24 * HOUR_MS] * (len(edges) - 1)


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    assert hours_of(ROME, date(2020, 10, 25)) == [1] * 25
    assert hours_of(ROME, date(2020, 3, 29)) == [1] * 23


def test_hours_follow_the_clock_on_the_wall_in_zones_off_by_half_an_hour() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    start = utc_ms(2020, 6, 1, 12)
    assert bucket_edges(kolkata, start, start + 2 * HOUR_MS, "hour") == [
        start,
        start + HOUR_MS // 2,
        start + 3 * HOUR_MS // 2,
        start + 2 * HOUR_MS,
    ]
    assert hours_of(ZoneInfo("Australia/Lord_Howe"), date(2021, 4, 4)) == [1, 1.5, *[1] * 22]


def test_months_and_years_begin_at_local_midnight_and_are_cut_to_the_span() -> None:
    start, end = utc_ms(2019, 12, 15), utc_ms(2020, 2, 10)
    january, february = utc_ms(2019, 12, 31, 23), utc_ms(2020, 1, 31, 23)
    assert bucket_edges(ROME, start, end, "month") == [start, january, february, end]
    assert bucket_edges(ROME, start, end, "year") == [start, january, end]


def test_quarters_are_those_of_the_universal_clock() -> None:
    start = utc_ms(2020, 1, 1, 0, 7)
    assert bucket_edges(ROME, start, start + HOUR_MS // 2, "15m") == [
        start,
        quarter_start(start) + HOUR_MS // 4,
        quarter_start(start) + HOUR_MS // 2,
        start + HOUR_MS // 2,
    ]


def test_a_span_that_begins_on_an_edge_has_it_once() -> None:
    start = day_start(ROME, date(2020, 5, 1))
    assert bucket_edges(ROME, start, start + 24 * HOUR_MS, "day") == [start, start + 24 * HOUR_MS]


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="before the start"):
        day_edges(ROME, 10, 9)
    with pytest.raises(ValueError, match="without length"):
        bucket_edges(ROME, 10, 10, "day")


@given(
    zone=st.sampled_from(ODD_ZONES),
    start=st.integers(utc_ms(1985, 1, 1), utc_ms(2030, 1, 1)),
    days=st.integers(0, 400),
)
def test_every_instant_lies_in_the_day_whose_edges_hold_it(zone: ZoneInfo, start: int, days: int) -> None:
    end = start + days * 24 * HOUR_MS + 1
    edges = day_edges(zone, start, end)
    assert edges[0] <= start < edges[1]
    assert edges[-2] < end <= edges[-1]
    assert edges == sorted(set(edges))
    assert day_start(zone, local_date(zone, start)) == edges[0]
    assert edges[1:-1] == bucket_edges(zone, start, end, "day")[1:-1]
