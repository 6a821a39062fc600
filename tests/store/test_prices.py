"""Which of several prices that were told of a quarter-hour counts."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.price_columns import price_columns, spans
from casawatt.model.price import Price, PriceChange, Recorded
from casawatt.store.prices import PriceRows
from casawatt.store.store import Store
from tests.store.conftest import open_store

HOUR_MS, QUARTER_MS = 3_600_000, 900_000
NOW_MS = 1_767_225_600_000
NOON, ONE = NOW_MS - HOUR_MS, NOW_MS
"""The hour that has just passed, and the one to come."""


def hour(start_ms: int, rate: str) -> Price:
    return Price(start_ms, start_ms + HOUR_MS, Decimal(rate))


@pytest.fixture
def rows(store: Store) -> PriceRows:
    return store.book.prices


def test_an_hour_is_four_quarters_and_is_kept_to_the_last_digit(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    rows = store.book.prices
    assert rows.record("spot", [hour(NOON, "0.123456789012"), hour(ONE, "-0.05")], NOW_MS) == Recorded(added=8)
    store.close()
    again = open_store(tmp_path)
    kept = again.book.prices.rates("spot")
    assert list(kept) == [NOON + place * QUARTER_MS for place in range(8)]
    assert [*kept.values()] == [Decimal("0.123456789012")] * 4 + [Decimal("-0.05")] * 4
    assert spans(kept) == [hour(NOON, "0.123456789012"), hour(ONE, "-0.05")]
    assert again.book.prices.rates("spot", NOON + QUARTER_MS, NOON + 2 * QUARTER_MS) == {
        NOON + QUARTER_MS: Decimal("0.123456789012")
    }
    assert again.book.prices.rates("other") == {}
    again.close()


def test_another_price_of_time_that_has_passed_waits_until_it_is_applied(rows: PriceRows) -> None:
    rows.record("spot", [hour(NOON, "0.10")], NOON)
    change = PriceChange(NOON, NOON + HOUR_MS, Decimal("0.10"), Decimal("0.12"))
    assert rows.record("spot", [hour(NOON, "0.12")], NOW_MS) == Recorded(differing=[change], noticed=[change])
    assert set(rows.rates("spot").values()) == {Decimal("0.10")}
    assert rows.waiting("spot") == [change]
    assert rows.record("spot", [hour(NOON, "0.12")], NOW_MS) == Recorded(differing=[change])
    assert rows.apply("spot", NOON, NOON + QUARTER_MS, NOW_MS) == [
        PriceChange(NOON, NOON + QUARTER_MS, Decimal("0.10"), Decimal("0.12"))
    ]
    assert [*rows.rates("spot").values()] == [Decimal("0.12"), *[Decimal("0.10")] * 3]
    assert [each.start_ms for each in rows.waiting("spot")] == [NOON + QUARTER_MS]
    assert rows.series()[0].differing == 3


def test_a_price_that_goes_back_to_what_it_was_no_longer_waits(rows: PriceRows) -> None:
    rows.record("spot", [hour(NOON, "0.10")], NOON)
    rows.record("spot", [hour(NOON, "0.12")], NOW_MS)
    assert rows.record("spot", [hour(NOON, "0.10")], NOW_MS) == Recorded(same=4)
    assert rows.waiting("spot") == []


def test_of_time_to_come_the_newest_price_counts_and_the_old_one_is_not_forgotten(
    rows: PriceRows, store: Store
) -> None:
    rows.record("spot", [hour(ONE, "0.10")], NOON)
    assert rows.record("spot", [hour(ONE, "0.12")], NOW_MS) == Recorded(replaced=4)
    assert set(rows.rates("spot").values()) == {Decimal("0.12")}
    replaced = store.book.prices._database.reader().execute("SELECT rate_per_kwh, made_ms FROM prices_replaced")
    assert set(replaced.fetchall()) == {("0.10", NOON)}


def test_quarter_hours_after_hours_differ_only_where_they_do(rows: PriceRows) -> None:
    rows.record("spot", [hour(NOON, "0.10")], NOON)
    quarters = [
        Price(NOON + place * QUARTER_MS, NOON + (place + 1) * QUARTER_MS, Decimal(rate))
        for place, rate in enumerate(("0.10", "0.11", "0.10", "0.10"))
    ]
    recorded = rows.record("spot", quarters, NOW_MS)
    assert recorded.same == 3
    assert recorded.differing == [
        PriceChange(NOON + QUARTER_MS, NOON + 2 * QUARTER_MS, Decimal("0.10"), Decimal("0.11"))
    ]


def test_a_series_knows_nothing_of_another(rows: PriceRows) -> None:
    rows.record("spot", [hour(NOON, "0.10")], NOON)
    rows.record("other", [hour(NOON, "0.20")], NOW_MS)
    assert [(each.name, each.quarters, each.differing) for each in rows.series()] == [("other", 4, 0), ("spot", 4, 0)]
    assert rows.apply("other", 0, NOW_MS, NOW_MS) == []


@given(st.dictionaries(st.integers(0, 500), st.decimals(-10, 10, places=5), max_size=40))
def test_columns_and_spans_say_exactly_what_the_quarters_say(told: dict[int, Decimal]) -> None:
    rates = {NOON + place * QUARTER_MS: rate for place, rate in sorted(told.items())}
    columns = price_columns(rates)
    assert {
        start: Decimal(scaled) / columns.scale
        for start, scaled in zip(columns.start_ms.tolist(), columns.scaled.tolist(), strict=True)
    } == rates
    assert {
        time_ms: each.rate_per_kwh for each in spans(rates) for time_ms in range(each.start_ms, each.end_ms, QUARTER_MS)
    } == rates
