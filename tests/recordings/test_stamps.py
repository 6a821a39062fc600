from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.model.errors import PacketError
from casawatt.recordings.stamps import LocalStamps, StampReader, TimeFormat

ROME = ZoneInfo("Europe/Rome")
HOUR_MS = 3_600_000
TWO_O_CLOCK_SUMMER_MS = 1_603_584_000_000  # 2020-10-25T00:00:00Z, 02:00 CEST


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_hour_that_is_written_twice_is_told_apart_by_the_step_back() -> None:
    stamps = LocalStamps(ROME)
    times = [
        stamps.utc_ms(local(f"2020-10-25 {time}"))
        for time in ("01:59:59", "02:00:00", "02:59:59", "02:00:00", "02:00:01", "02:59:59", "03:00:00")
    ]
    since = [(time_ms - TWO_O_CLOCK_SUMMER_MS) // 1000 for time_ms in times]
    assert since == [-1, 0, 3599, 3600, 3601, 7199, 7200]


def test_a_small_step_back_within_that_hour_stays_in_the_first_pass() -> None:
    stamps = LocalStamps(ROME)
    times = [stamps.utc_ms(local(f"2020-10-25 {time}")) for time in ("02:20:00", "02:19:58", "02:21:00")]
    assert [time_ms - times[0] for time_ms in times] == [0, -2000, 60_000]


def test_a_time_that_the_clock_skipped_is_read_with_the_offset_before() -> None:
    stamps = LocalStamps(ROME)
    assert stamps.utc_ms(local("2020-03-29 02:30:00")) == stamps.utc_ms(local("2020-03-29 03:30:00"))


@given(st.lists(st.integers(0, 4 * 3600), min_size=1, max_size=50))
def test_the_same_lines_give_the_same_times(seconds: list[int]) -> None:
    lines = [local("2020-10-25 00:30:00") + timedelta(seconds=second) for second in seconds]
    first, second = LocalStamps(ROME), LocalStamps(ROME)
    assert [first.utc_ms(line) for line in lines] == [second.utc_ms(line) for line in lines]


@given(st.integers(0, 3600), st.integers(1, 1500))
def test_an_even_recording_through_the_change_gives_its_real_times(start_s: int, step_s: int) -> None:
    stamps = LocalStamps(ROME)
    begin_ms = TWO_O_CLOCK_SUMMER_MS - HOUR_MS + start_s * 1000
    for time_ms in range(begin_ms, TWO_O_CLOCK_SUMMER_MS + 4 * HOUR_MS, step_s * 1000):
        written = datetime.fromtimestamp(time_ms // 1000, tz=ROME).replace(tzinfo=None, fold=0)
        assert stamps.utc_ms(written) == time_ms


@pytest.mark.parametrize(
    ("time_format", "text", "time_ms"),
    [
        (TimeFormat.RFC3339, "2026-01-31T14:05:00.250+01:00", 1_769_864_700_250),
        (TimeFormat.RFC3339, "2026-01-31T13:05:00Z", 1_769_864_700_000),
        (TimeFormat.ISO_LOCAL, "2026-01-31 14:05:00", 1_769_864_700_000),
        (TimeFormat.DMY, "31/01/2026 14:05:00", 1_769_864_700_000),
        (TimeFormat.DMY, "31.1.2026, 14:05", 1_769_864_700_000),
        (TimeFormat.DMY, "31/01/2026", 1_769_814_000_000),
        (TimeFormat.MDY, "01/31/2026 14:05:00.5", 1_769_864_700_500),
        (TimeFormat.EPOCH_S, "1769864700.25", 1_769_864_700_250),
        (TimeFormat.EPOCH_MS, "1769864700250", 1_769_864_700_250),
    ],
)
def test_each_form_of_time_is_read(time_format: TimeFormat, text: str, time_ms: int) -> None:
    assert StampReader(time_format, ROME).read(text) == time_ms


@pytest.mark.parametrize(
    ("time_format", "text"),
    [
        (TimeFormat.RFC3339, "2026-01-31T14:05:00"),
        (TimeFormat.ISO_LOCAL, "2026-01-31T14:05:00Z"),
        (TimeFormat.ISO_LOCAL, "soon"),
        (TimeFormat.DMY, "32/01/2026 14:05:00"),
        (TimeFormat.EPOCH_S, "-5"),
        (TimeFormat.EPOCH_MS, "nan"),
        (TimeFormat.EPOCH_MS, "1e300"),
    ],
)
def test_what_is_no_time_is_an_error_that_says_the_form_expected(time_format: TimeFormat, text: str) -> None:
    with pytest.raises(PacketError, match=time_format.value) as caught:
        StampReader(time_format, ROME).read(text)
    assert caught.value.cause == "time"
