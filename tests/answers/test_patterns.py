"""Patterns of a real store: what is found of runs, of currents, and of a home that has just begun."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from casawatt.answers.home import answers_of
from casawatt.answers.patterns import PatternsOfHome
from casawatt.app_home import OpenHome
from casawatt.config import parse
from casawatt.model.reading import Reading
from tests.answers.home_of_days import CONFIG, at, home_at, past, put

OVEN = '\n[meter.oven]\nsource = "ecms_udp"\naddress = "o"\nappliance = "oven"\nparent = "mains"\ncadence = "change"\n'


def patterns(home: OpenHome) -> PatternsOfHome:
    return answers_of(home.config, home.store, home.registry, home.recorder, home.clock).patterns


def test_a_home_without_meters_and_one_that_has_just_begun_say_nothing(tmp_path: Path) -> None:
    begun = '[home]\ntimezone = "Europe/Rome"\n'
    with home_at(tmp_path / "none", "2026-03-11T12:00:00", begun) as home:
        found = patterns(home).all()
        assert (found.home.base, found.home.profiles, found.meters, found.balances) == (None, (), (), ())
    with home_at(tmp_path / "new", "2026-03-11T12:00:00") as home:
        put(home, "mains", at("2026-03-11T11:00:00"), at("2026-03-11T11:59:00"), 60, lambda _: 100.0)
        found = patterns(home).all()
        assert (found.home.base, found.home.peaks, found.home.unusual) == (None, None, None)
        assert [each.rest_mwh for each in found.balances] == [0, 0, 0]


def test_an_oven_whose_runs_use_more_than_they_did_is_found(tmp_path: Path) -> None:
    """Twenty runs of 1 kWh, one every other day, and then eight of 1.5 kWh."""
    with home_at(tmp_path, "2026-03-11T12:00:00", CONFIG + OVEN) as home:
        for number in range(28):
            day = date(2026, 3, 10) - timedelta(days=2 * (27 - number))
            minutes = 30 if number < 20 else 45

            def watts(when: datetime, minutes: int = minutes) -> float:
                return 2000.0 if when.hour == 19 and when.minute < minutes else 1.0

            put(home, "oven", at(f"{day}T18:00:00"), at(f"{day}T21:00:00"), 30, watts)
        oven = home.registry.meter("oven")
        (rise,) = patterns(home).of(oven).rises
        assert (rise.each, rise.recent_count, rise.before_count) == ("run", 8, 20)
        assert (rise.recent_mwh, rise.before_mwh, rise.percent) == (1_500_000, 1_000_000, 50)


def test_a_fridge_that_uses_more_is_found_with_what_that_costs_and_the_mains_are_no_appliance(tmp_path: Path) -> None:
    def watts(when: datetime) -> float:
        return 40.0 if when.date() >= date(2026, 2, 25) else 30.0

    with home_at(tmp_path, "2026-03-11T12:00:00") as home:
        for slug in ("mains", "fridge"):
            past(home, slug, date(2026, 1, 1), date(2026, 3, 10), watts)
        mains, fridge = patterns(home).all().meters
        assert mains.rises == ()
        assert fridge.rises[0].year_cost == Fraction("0.24") * 365 * Fraction("0.22")


@pytest.mark.parametrize("factor", [1.0, 0.7])
def test_a_node_that_measures_current_only_is_named_where_the_rest_is_negative(tmp_path: Path, factor: float) -> None:
    config = CONFIG.replace('parent = "mains"', f'parent = "mains"\npower_factor_ratio = {factor}')
    assert parse(config.format(port=0), "c").meters["fridge"].power_factor_ratio == factor
    with home_at(tmp_path, "2026-03-11T12:00:00", config) as home:
        put(home, "mains", at("2026-03-10"), at("2026-03-11"), 600, lambda _: 190.0)
        for time_ms in range(at("2026-03-10"), at("2026-03-11") + 1, 600_000):
            home.recorder.put(
                Reading(
                    source="ecms_udp",
                    address="5c:cf:7f:00:00:02",
                    received_ms=time_ms,
                    time_ms=time_ms,
                    current_a=1.0,
                )
            )
        home.recorder.settle()
        yesterday = patterns(home).all().balances[0]
        assert (yesterday.common, yesterday.energy_mwh) == (96, 4_560_000)
        assert yesterday.rest_mwh == 4_560_000 - round(5_520_000 * factor)
        assert bool(yesterday.causes) is (factor == 1.0)
        assert any("fridge measures current only" in each for each in yesterday.causes) is (factor == 1.0)
