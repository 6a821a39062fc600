"""Readings a minute apart, between which drums turn and pumps run unseen."""

import pytest

from tests.engine.appliances import DISHES, DRY, DRY_S, TUMBLE, WASH, WASH_S, Part, readings, runs_of, settings, spans_s

GAP_LIMIT_S = 180
HOUR: Part = (3600, 0)


def test_one_reading_that_is_wrong_is_no_run() -> None:
    assert runs_of(readings([HOUR, (60, 2000), HOUR], 60), settings("washing_machine", GAP_LIMIT_S)) == []


def test_a_dishwasher_begins_when_it_was_switched_on_if_its_pump_was_not_seen() -> None:
    ((start_s, _),) = spans_s(readings([HOUR, (200, 3), *DISHES[2:], HOUR], 60), settings("dishwasher", GAP_LIMIT_S))
    assert start_s == 3600


def test_a_machine_that_was_on_for_long_did_not_begin_then() -> None:
    parts: list[Part] = [HOUR, (7200, 3), *DISHES[2:], HOUR]
    ((start_s, _),) = spans_s(readings(parts, 60), settings("dishwasher", GAP_LIMIT_S))
    assert start_s == 10_800


def test_a_wash_whose_last_turns_were_not_seen_ends_two_readings_later_while_its_electronics_are_on() -> None:
    parts: list[Part] = [HOUR, *WASH[:-12], (240, 3), HOUR]
    active_s = 3600 + sum(seconds for seconds, _ in WASH[:-12])
    (run,) = runs_of(readings(parts, 60), settings("washing_machine", GAP_LIMIT_S))
    assert run.end_ms == pytest.approx((active_s + 120) * 1000, abs=60_000)
    assert run.active_end_ms == pytest.approx(active_s * 1000, abs=60_000)


def test_turns_that_are_not_seen_for_minutes_do_not_cut_a_wash_in_two() -> None:
    unseen: list[Part] = [(10, 3), (20, 60), (30, 3)] * 12
    for offset_s in range(0, 60, 10):
        parts: list[Part] = [(3600 + offset_s, 0), *WASH[:30], *unseen, *WASH[30:], HOUR]
        assert len(runs_of(readings(parts, 60), settings("washing_machine", GAP_LIMIT_S))) == 1


def test_a_cold_rinse_and_a_programme_are_two_and_a_programme_with_a_pause_is_one() -> None:
    how = settings("dishwasher", GAP_LIMIT_S)
    rinse: list[Part] = [(30, 60), (60, 13), (600, 115), (50, 60)]
    assert len(runs_of(readings([HOUR, *rinse, (250, 3), *DISHES, HOUR], 60), how)) == 2
    assert len(runs_of(readings([HOUR, *DISHES[:5], (180, 3), *DISHES[5:], HOUR], 60), how)) == 1


@pytest.mark.parametrize("every_s", [59, 60, 61, 62])
def test_a_dryers_end_is_found_though_its_turns_are_seen_in_rows(every_s: int) -> None:
    parts: list[Part] = [HOUR, *DRY, *TUMBLE * 60, HOUR]
    ((_, end_s),) = spans_s(readings(parts, every_s), settings("dryer", GAP_LIMIT_S))
    assert end_s == pytest.approx(3600 + DRY_S, abs=120)


def test_washes_a_quarter_of_an_hour_apart_are_two() -> None:
    assert len(spans_s(readings([HOUR, *WASH, (900, 0), *WASH, HOUR], 60), settings("washing_machine", 180))) == 2


def test_a_wash_is_found_whatever_second_is_read() -> None:
    for offset_s in range(0, 60, 7):
        parts: list[Part] = [(3600 + offset_s, 0), *WASH, HOUR]
        ((start_s, end_s),) = spans_s(readings(parts, 60), settings("washing_machine", GAP_LIMIT_S))
        assert start_s == pytest.approx(3600 + offset_s, abs=120)
        assert end_s == pytest.approx(3600 + offset_s + WASH_S, abs=180)
