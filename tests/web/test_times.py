"""Times and shares as the API reads and writes them."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.web.problem import ProblemError
from casawatt.web.times import format_time, parse_time, share, today_start

ROME = ZoneInfo("Europe/Rome")
YEAR_1970_MS = 86_400_000
YEAR_2199_MS = 7_226_496_000_000


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2026-01-31T18:30:00+01:00", 1_769_880_600_000),
        ("2026-01-31T17:30:00Z", 1_769_880_600_000),
        ("2026-01-31t17:30:00z", 1_769_880_600_000),
        ("2026-01-31T18:30:00 01:00", 1_769_880_600_000),
        ("2026-01-31 18:30+01:00", 1_769_880_600_000),
        ("2026-01-31T17:30:00.25Z", 1_769_880_600_250),
        ("2026-01-31T17:30:00.0019999Z", 1_769_880_600_001),
        ("2026-01-31", 1_769_814_000_000),
    ],
)
def test_a_time_is_read(text: str, time_ms: int) -> None:
    assert parse_time("start", text, ROME) == time_ms


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-01-31T18:30:00", "does not say its offset"),
        ("yesterday", "is not a time"),
        ("", "is not a time"),
        ("1769880600", "is not a time"),
        ("2026-02-30", "is not a time"),
        ("2026-01-31T25:00:00Z", "is not a time"),
        ("2026-01-31T10:00:00+25:00", "is not a time"),
        ("0001-01-01", "outside the years"),
        ("9999-12-31T00:00:00Z", "outside the years"),
        ("\u0662\u0660\u0662\u0666-01-31", "is not a time"),
    ],
)
def test_what_is_no_time_is_explained(text: str, why: str) -> None:
    with pytest.raises(ProblemError, match=why) as caught:
        parse_time("start", text, ROME)
    assert caught.value.parameter == "start"


@given(st.integers(YEAR_1970_MS, YEAR_2199_MS), st.sampled_from(["Europe/Rome", "Asia/Kathmandu", "America/St_Johns"]))
def test_what_is_written_is_read_back(time_ms: int, zone: str) -> None:
    assert parse_time("start", format_time(time_ms, ZoneInfo(zone)), ZoneInfo("UTC")) == time_ms


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    first_ms = parse_time("start", "2026-10-25T00:30:00Z", ROME)
    assert format_time(first_ms, ROME) == "2026-10-25T02:30:00+02:00"
    assert format_time(first_ms + 3_600_000, ROME) == "2026-10-25T02:30:00+01:00"


def test_today_begins_at_local_midnight() -> None:
    now_ms = parse_time("now", "2026-07-01T00:10:00+02:00", ROME)
    assert format_time(today_start(now_ms, ROME), ROME) == "2026-07-01T00:00:00+02:00"


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_share_is_whole_or_nothing_only_when_it_is(part: int, whole: int) -> None:
    found = share(part, whole)
    assert (found == 1.0) == (part >= whole)
    assert (found == 0.0) == (part == 0)
    assert abs(found - min(part / whole, 1)) <= 0.0001
