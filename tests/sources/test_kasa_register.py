"""The register made of what a Tapo plug counts by day, month and year."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.errors import PacketError
from casawatt.sources.kasa_register import Counter, Span, Value
from casawatt.sources.kasa_tapo import Usage

ROME = ZoneInfo("Europe/Rome")
MONTHS_2025 = [100.0 * month for month in range(1, 13)]


def usage(local: str, month_wh: float | None, today_wh: float | None = None) -> Usage:
    return Usage(datetime.fromisoformat(local), 1.0, None, None, today_wh, month_wh)


def ms(local: str) -> int:
    return round(datetime.fromisoformat(local).replace(tzinfo=ROME).timestamp() * 1000)


def asked(counter: Counter, said: Usage, months: dict[int, list[float]] | None = None) -> list[Value]:
    """Let a counter have what it wants and return what the register shows."""
    for year in counter.years_wanted(said, ms(said.local.isoformat())):
        counter.months_of(year, (months or {}).get(year, [0.0] * 12))
    return counter.values(said)


def cause(counter: Counter, said: Usage, months: dict[int, list[float]] | None = None) -> str:
    with pytest.raises(PacketError) as raised:
        asked(counter, said, months)
    return raised.value.cause


def test_with_a_history_the_year_is_counted_and_a_month_s_end_is_not_seen() -> None:
    counter = Counter(Span.YEAR, ROME)
    assert asked(counter, usage("2025-10-31T23:59:50", 1000.0), {2025: MONTHS_2025}) == [Value(None, 5500.0, 2025)]
    assert asked(counter, usage("2025-11-01T00:00:00", 0.0), {2025: MONTHS_2025}) == [Value(None, 5500.0, 2025)]
    assert asked(counter, usage("2025-11-20T00:00:00", 70.0)) == [Value(None, 5570.0, 2025)]


def test_the_history_is_asked_once_a_month() -> None:
    counter = Counter(Span.YEAR, ROME)
    assert counter.years_wanted(usage("2025-10-20T10:00:00", 1.0), ms("2025-10-20T10:00:00")) == [2025]
    asked(counter, usage("2025-10-20T10:00:00", 1.0))
    assert counter.years_wanted(usage("2025-10-31T23:00:00", 1.0), ms("2025-10-31T23:00:00")) == []
    assert counter.years_wanted(usage("2025-11-01T00:00:00", 0.0), ms("2025-11-01T00:00:00")) == [2025]


def test_a_year_s_end_is_told_by_what_the_register_showed_last_and_by_zero() -> None:
    counter = Counter(Span.YEAR, ROME)
    asked(counter, usage("2025-12-31T23:00:00", 1150.0), {2025: MONTHS_2025})
    values = asked(counter, usage("2026-01-01T03:00:00", 12.0), {2025: MONTHS_2025})
    assert values == [
        Value(ms("2025-12-31T23:59:59"), 7800.0, 2025),
        Value(ms("2026-01-01T00:00:00"), 0.0, 2026),
        Value(None, 12.0, 2026),
    ]
    assert asked(counter, usage("2026-01-01T03:00:10", 13.0)) == [Value(None, 13.0, 2026)]


@pytest.mark.parametrize(
    ("span", "local", "begin", "number"),
    [
        (Span.MONTH, "2026-03-03T10:00:00", "2026-03-01T00:00:00", 202603),
        (Span.DAY, "2026-03-03T10:00:00", "2026-03-03T00:00:00", 20260303),
    ],
)
def test_a_beginning_of_the_last_week_is_told_after_a_restart(span: Span, local: str, begin: str, number: int) -> None:
    assert asked(Counter(span, ROME), usage(local, 5.0, 5.0)) == [
        Value(ms(begin), 0.0, number),
        Value(None, 5.0, number),
    ]


def test_an_older_beginning_is_left_to_the_engine() -> None:
    assert asked(Counter(Span.MONTH, ROME), usage("2026-03-09T10:00:00", 5.0)) == [Value(None, 5.0, 202603)]


def test_a_month_that_is_not_reset_yet_has_no_register() -> None:
    counter = Counter(Span.YEAR, ROME)
    asked(counter, usage("2025-10-31T23:59:50", 1000.0), {2025: MONTHS_2025})
    assert cause(counter, usage("2025-11-01T00:00:20", 1000.0), {2025: MONTHS_2025}) == "history"


def test_on_the_first_of_a_month_it_has_no_more_than_the_day() -> None:
    counter = Counter(Span.MONTH, ROME)
    asked(counter, usage("2026-03-31T23:59:50", 90.0))
    assert cause(counter, usage("2026-04-01T06:00:00", 90.0, 3.0)) == "history"
    assert asked(counter, usage("2026-04-01T06:10:00", 4.0, 4.0))[-1] == Value(None, 4.0, 202604)


def test_a_history_that_lags_is_waited_for_but_not_for_ever() -> None:
    lagging = [*MONTHS_2025[:9], 400.0, 0.0, 0.0]
    counter = Counter(Span.YEAR, ROME)
    asked(counter, usage("2025-10-31T23:59:50", 1000.0), {2025: MONTHS_2025})
    assert cause(counter, usage("2025-11-01T00:00:20", 0.0), {2025: lagging}) == "history"
    assert asked(counter, usage("2025-11-01T00:05:00", 1.0), {2025: MONTHS_2025}) == [Value(None, 5501.0, 2025)]
    counter = Counter(Span.YEAR, ROME)
    asked(counter, usage("2025-10-31T23:59:50", 1000.0), {2025: MONTHS_2025})
    assert asked(counter, usage("2025-11-02T00:00:20", 5.0), {2025: lagging}) == [Value(None, 4905.0, 2025)]


@pytest.mark.parametrize("local", ["1970-01-01T00:01:00", "2025-11-20T13:00:00", "2025-11-20T07:00:00"])
def test_a_wrong_clock_has_no_register(local: str) -> None:
    with pytest.raises(PacketError) as raised:
        Counter(Span.YEAR, ROME).years_wanted(usage(local, 5.0), ms("2025-11-20T10:00:00"))
    assert raised.value.cause == "clock"


def test_a_clock_that_goes_back_into_the_month_before_has_no_register() -> None:
    counter = Counter(Span.MONTH, ROME)
    asked(counter, usage("2026-03-01T00:10:00", 5.0))
    with pytest.raises(PacketError) as raised:
        counter.years_wanted(usage("2026-02-28T23:50:00", 900.0), ms("2026-03-01T00:20:00"))
    assert raised.value.cause == "clock"


def test_a_plug_that_stops_counting_its_months_does_not_go_over_to_days() -> None:
    counter = Counter(Span.MONTH, ROME)
    asked(counter, usage("2026-03-20T10:00:00", 50.0))
    assert cause(counter, usage("2026-03-20T10:00:10", None, 5.0)) == "history"
