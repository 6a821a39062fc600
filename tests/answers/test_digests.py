"""Digests of a real store: instants, gaps, sums of meters, and what was told of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.answers.digest_event import differences, event_of, told_of
from casawatt.answers.digests import Digests
from casawatt.answers.home import answers_of
from casawatt.app_home import OpenHome
from casawatt.engine.localtime import day_start
from casawatt.model.digest import Digest, Peak
from casawatt.model.errors import NoSuchDayError
from casawatt.model.reading import Reading
from tests.answers.home_of_days import CONFIG, ROME, Watts, at, home_at, past, put, put_days
from tests.fakes.clock import ManualClock

TENTH = date(2026, 3, 10)
TWO_ROOTS = CONFIG.replace('parent = "mains"\n', "").replace('appliance = "mains"\n', "")


def always(power_w: float) -> Watts:
    return lambda _: power_w


def digests(home: OpenHome) -> Digests:
    return answers_of(home.config, home.store, home.registry, home.recorder, home.clock).digests


def of(home: OpenHome, day: date = TENTH, *resolutions: int) -> Digest:
    return digests(home).of(day, resolutions)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[OpenHome]:
    with home_at(tmp_path, "2026-03-11T12:00:00") as home:
        yield home


def test_the_peak_is_the_first_instant_at_which_the_device_said_it(home: OpenHome) -> None:
    def watts(when: datetime) -> float:
        return 3000.5 if (when.hour, when.minute) in {(13, 7), (18, 1)} else 100.0 + when.minute

    put_days(home, "mains", TENTH, TENTH, watts)
    assert of(home).home.peak == Peak(3_000_500, at("2026-03-10T13:07:00"), 0)


def test_a_power_that_was_there_before_midnight_is_the_peak_of_its_day_only(home: OpenHome) -> None:
    def watts(when: datetime) -> float:
        return 900.0 if when.day == 9 and when.hour == 23 else 50.0

    put(home, "fridge", at("2026-03-09"), at("2026-03-09T23:59:00"), 60, watts)
    put(home, "fridge", at("2026-03-10T00:20:00"), at("2026-03-11"), 60, watts)
    day = of(home)
    (_, fridge) = day.meters
    assert fridge.peak == Peak(900_000, at("2026-03-10"), 0)  # it held until twenty past
    (_, before) = of(home, date(2026, 3, 9)).meters
    assert before.peak == Peak(900_000, at("2026-03-09T23:00:00"), 0)


def test_a_peak_on_the_way_to_a_reading_of_the_next_day_is_not_of_this_one(tmp_path: Path) -> None:
    with home_at(tmp_path, "2026-03-11T12:00:00", CONFIG.replace('cadence = "change"\n', "")) as home:
        put(home, "mains", at("2026-03-10"), at("2026-03-10T23:59:50"), 10, lambda when: 100.0 + when.hour)
        put(home, "mains", at("2026-03-11T00:00:10"), at("2026-03-11T00:01:00"), 10, lambda _: 5000.0)
        assert of(home).home.peak == Peak(123_000, at("2026-03-10T23:00:00"), 0)


def test_a_device_that_only_counts_energy_has_its_peak_in_a_quarter_hour(home: OpenHome) -> None:
    register_wh = 0.0
    for minute in range(0, 1441, 5):
        time_ms = at("2026-03-10") + minute * 60_000
        reading = Reading(
            source="ecms_udp",
            address="5c:cf:7f:00:00:01",
            received_ms=time_ms,
            time_ms=time_ms,
            register_wh=register_wh,
        )
        home.recorder.put(reading)
        register_wh += 100 if 600 <= minute < 615 else 10
    home.recorder.settle()
    assert of(home).home.peak == Peak(1_200_000, at("2026-03-10T10:00:00"), 900_000)


def test_the_peak_of_several_meters_is_the_minute_with_the_highest_sum(tmp_path: Path) -> None:
    with home_at(tmp_path, "2026-03-11T12:00:00", TWO_ROOTS) as home:
        put_days(home, "mains", TENTH, TENTH, lambda when: 2000.0 if when.hour == 8 else 100.0)
        put_days(home, "fridge", TENTH, TENTH, lambda when: 1500.0 if (when.hour, when.minute) == (8, 20) else 90.0)
        day = of(home, TENTH, 1, 60)
        assert day.home.peak == Peak(3_500_000, at("2026-03-10T08:20:00"), 60_000)
        assert day.home.energy_mwh == sum(each.energy_mwh for each in day.meters)
        by_minute, by_hour = day.home.curves
        assert by_minute.power_mw[8 * 60 + 19 : 8 * 60 + 22] == (2_090_000, 3_500_000, 2_090_000)
        assert by_hour.power_mw[8] == (59 * 2_090_000 + 3_500_000) // 60


def test_gaps_are_said_to_the_millisecond_and_joined_over_the_meters_of_a_home(tmp_path: Path) -> None:
    config = TWO_ROOTS.replace("gap_limit_s = 3600", "gap_limit_s = 60")
    with home_at(tmp_path, "2026-03-11T12:00:00", config) as home:
        put(home, "mains", at("2026-03-10T01:00:00"), at("2026-03-10T12:00:00"), 30, lambda _: 10.0)
        put(home, "mains", at("2026-03-10T13:00:30"), at("2026-03-11T00:00:00"), 30, lambda _: 10.0)
        put(home, "fridge", at("2026-03-09T23:59:30"), at("2026-03-10T12:30:00"), 30, lambda _: 10.0)
        put(home, "fridge", at("2026-03-10T12:45:00"), at("2026-03-11T01:00:00"), 30, lambda _: 10.0)
        day = of(home)
        mains, fridge = day.meters
        night = (at("2026-03-10"), at("2026-03-10T01:00:00"))
        assert mains.gaps == day.home.gaps == (night, (at("2026-03-10T12:00:00"), at("2026-03-10T13:00:30")))
        assert fridge.gaps == ((at("2026-03-10T12:30:00"), at("2026-03-10T12:45:00")),)
        for part in day.meters:
            assert part.measured_ms + sum(end - start for start, end in part.gaps) == 86_400_000
        nothing = of(home, date(2026, 3, 5)).home
        assert nothing.gaps == ((at("2026-03-05"), at("2026-03-06")),)
        assert (nothing.energy_mwh, nothing.mean_mw, nothing.peak, nothing.standby) == (0, None, None, None)


@pytest.mark.parametrize(("day", "quarters"), [("2020-03-29", 92), ("2020-10-25", 100)])
def test_days_on_which_the_clocks_change_are_whole(tmp_path: Path, day: str, quarters: int) -> None:
    when = date.fromisoformat(day)
    with home_at(tmp_path, f"{when + timedelta(days=1)}T12:00:00") as home:
        put_days(home, "mains", when, when, lambda _: 400.0, 300)
        found = of(home, when, 15, 60, 1)
        assert [len(each.power_mw) for each in found.home.curves] == [quarters, quarters // 4, quarters * 15]
        assert found.home.energy_mwh == quarters * 100_000
        assert found.home.cost == Fraction(quarters, 10) * Fraction("0.22")
        assert found.home.gaps == ()
        assert found.home.measured_ms == found.home.length_ms == quarters * 900_000


def test_today_is_summed_up_until_now_and_not_compared(home: OpenHome) -> None:
    past(home, "mains", date(2026, 1, 1), TENTH, lambda _: 100.0)
    put(home, "mains", at("2026-03-11"), at("2026-03-11T11:59:30"), 30, lambda _: 100.0)
    today = of(home, date(2026, 3, 11), 60)
    assert (today.over, today.home.length_ms, today.home.not_compared) == (False, 43_200_000, "the day is not over")
    assert today.home.gaps == ()  # the device is not silent, it has just not spoken yet
    assert today.home.curves[0].power_mw == (100_000,) * 12
    with pytest.raises(NoSuchDayError, match="2026-03-12 has not begun"):
        of(home, date(2026, 3, 12))


def test_a_day_that_a_zone_left_out_never_was(tmp_path: Path) -> None:
    config = CONFIG.replace("Europe/Rome", "Pacific/Apia")
    with (
        home_at(tmp_path, "2026-03-11T12:00:00", config) as home,
        pytest.raises(NoSuchDayError, match="there was no 2011-12-30 in Pacific/Apia"),
    ):
        of(home, date(2011, 12, 30))


def test_what_is_different_from_what_was_told_is_said(home: OpenHome) -> None:
    put_days(home, "mains", TENTH, TENTH, lambda when: 100.0 if when.hour < 12 else 200.0, 600)
    first = of(home)
    assert digests(home).told(first) is None
    event = event_of(first, ROME, "EUR")
    home.store.book.digests.put("2026-03-10", 1, 77, event)
    told = digests(home).told(of(home))
    assert told is not None
    assert (told.made_ms, told.differences) == (77, ())
    put(home, "mains", at("2026-03-10T15:05:00"), at("2026-03-10T15:05:00"), 1, lambda _: 1200.0)
    again = digests(home).told(of(home))
    assert again is not None
    assert again.differences == (
        "the home: energy was told as 3600.0 Wh, is 3683.333 Wh",
        "the home: cost was told as 0.79 EUR, is 0.81 EUR",
        "the home: peak was told as 200.0 W, is 1200.0 W",
        "mains: energy was told as 3600.0 Wh, is 3683.333 Wh",
        "mains: cost was told as 0.79 EUR, is 0.81 EUR",
        "mains: peak was told as 200.0 W, is 1200.0 W",
    )
    data = told_of(of(home), ROME, "EUR")
    fewer = {slug: each for slug, each in data.meters.items() if slug != "fridge"}
    alone = type(data)(data.date, data.currency, data.home, fewer, [])
    assert differences(data, alone) == ["fridge: is gone since"]
    assert differences(alone, data) == ["fridge: is new since"]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_no_order_of_arrival_changes_any_figure_of_a_day(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    chance = Random(seed)
    start_ms = day_start(ROME, TENTH)
    said = [
        (slug, start_ms + second * 1000, float(chance.randrange(2000)))  # of one second, what comes last counts
        for slug in ("mains", "fridge")
        for second in chance.sample(range(-3600, 90_000), 60)
    ]
    found = []
    for order in (sorted(said, key=lambda each: each[1]), chance.sample(said, len(said))):
        with home_at(tmp_path_factory.mktemp("order"), "2026-03-11T12:00:00") as home:
            for slug, time_ms, power_w in order:
                put(home, slug, time_ms, time_ms, 1, always(power_w))
            found.append(of(home, TENTH, 1, 60))
    assert found[0] == found[1]


def test_a_brief_digest_says_the_same_but_for_what_only_readings_tell(home: OpenHome) -> None:
    put(home, "mains", at("2026-03-10T01:00:00"), at("2026-03-11"), 600, lambda when: 100.0 + when.hour)
    ((brief,), whole) = (list(digests(home).between(TENTH, TENTH, [60], brief=True)), of(home, TENTH, 60))
    assert brief.home.peak == Peak(123_000, at("2026-03-10T23:00:00"), 900_000)
    assert brief.home.gaps == whole.home.gaps == ((at("2026-03-10"), at("2026-03-10T01:00:00")),)
    assert replace(brief.home, peak=whole.home.peak) == whole.home
    assert brief.meters[1].gaps == ((at("2026-03-10"), at("2026-03-11")),)


def test_a_span_of_days_gives_what_each_day_gives_alone(home: OpenHome) -> None:
    put_days(home, "mains", date(2026, 3, 6), TENTH, lambda when: 10.0 * when.day + when.hour, 600)
    several = list(digests(home).between(date(2026, 3, 6), TENTH, [60]))
    assert several == [of(home, date(2026, 3, 6) + timedelta(days=each), 60) for each in range(5)]
    clock = cast("ManualClock", home.clock)
    assert clock.now_ms() == at("2026-03-11T12:00:00")


def test_a_run_over_midnight_is_whole_in_the_day_on_which_it_began(tmp_path: Path) -> None:
    oven = '\n[meter.oven]\nsource = "ecms_udp"\naddress = "o"\nappliance = "oven"\ncadence = "change"\n'
    with home_at(tmp_path, "2026-03-12T12:00:00", CONFIG + oven) as home:

        def watts(when: datetime) -> float:
            return 2000.0 if at("2026-03-10T23:30:00") <= when.timestamp() * 1000 < at("2026-03-11T00:45:00") else 1.0

        put(home, "oven", at("2026-03-10T12:00:00"), at("2026-03-11T12:00:00"), 30, watts)
        (run,) = of(home).meters[2].runs
        assert (run.start_ms, run.end_ms) == (at("2026-03-10T23:30:00"), at("2026-03-11T00:45:00"))
        assert (run.energy_mwh, run.cost) == (2_500_000, Fraction("0.55"))
        assert of(home, date(2026, 3, 11)).meters[2].runs == ()
        assert of(home).home.runs == ()
        assert told_of(of(home), ROME, "EUR").meters["oven"].runs == 1
