"""Appliances that use more than they did are found; a season is not taken for a fault."""

from datetime import date
from math import cos, pi
from random import Random

import numpy as np
import pytest

from casawatt.engine.days import Days
from casawatt.engine.pattern_words import rise_words
from casawatt.engine.rising import rank_sum_z, rising_by_day, rising_by_run
from casawatt.model.columns import ABSENT, Int64Array
from casawatt.model.patterns import Rise
from tests.engine.days_of import edges_of

FIRST = date(2024, 1, 1)
DAYS = 800


def days_with(energies_mwh: Int64Array) -> Days:
    """Return days of such energies, wholly measured."""
    edges_ms = edges_of(FIRST, len(energies_mwh))
    none = np.full(len(energies_mwh), ABSENT)
    return Days(edges_ms, energies_mwh, np.diff(edges_ms), none, none, none, none)


def fridge(seed: int, *, amplitude: float = 0.25) -> Int64Array:
    """Return a healthy fridge: 0.8 kWh a day, more in summer by `amplitude` and less in winter, 8 % from day to day."""
    chance = Random(seed)
    season = [1 - amplitude * cos(2 * pi * (day - 20) / 365.25) for day in range(DAYS)]
    return np.array([round(800_000 * each * chance.gauss(1, 0.08)) for each in season], np.int64)


def found_at(energies_mwh: Int64Array) -> list[int]:
    days = days_with(energies_mwh)
    return [place for place in range(DAYS) if rising_by_day("fridge", days, place) is not None]


@pytest.mark.parametrize("seed", range(6))
def test_a_healthy_fridge_with_its_seasons_is_never_found(seed: int) -> None:
    assert found_at(fridge(seed)) == []


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("begin", [120, 400, 600])
def test_a_fridge_going_bad_is_found_within_seven_weeks(seed: int, begin: int) -> None:
    """It uses one percent of what it was more each day: what a door seal or a lack of coolant does."""
    worse = np.maximum(np.arange(DAYS) - begin, 0)
    found = found_at((fridge(seed) * (1 + np.minimum(worse, 80) / 100)).astype(np.int64))
    assert begin < found[0] < begin + 50


def test_what_is_said_of_it_names_how_much_since_when_and_what_it_comes_to() -> None:
    energies = np.array([800_000] * 60 + [1_000_000 + 1000 * day for day in range(14)], np.int64)
    found = rising_by_day("fridge", days_with(energies), 74)
    assert found == Rise("fridge", "day", "before", 1_006_500, 800_000, 14, 42)
    assert rise_words("Fridge", found, "22.61 EUR") == (
        "Fridge has used 1.01 kWh a day on the last 14 days, 26 % more than on 42 days before (0.80 kWh): "
        "that is 75 kWh, 22.61 EUR a year"
    )


def test_the_same_season_a_year_ago_is_asked_first() -> None:
    energies = fridge(1)
    energies[-14:] = (energies[-14:] * 1.35).astype(np.int64)
    found = rising_by_day("fridge", days_with(energies), DAYS)
    assert found is not None
    assert (found.than, found.before_count) == ("a year ago", 42)
    assert "more than at this time a year ago" in rise_words("Fridge", found, None)


def test_what_is_used_now_and_then_is_not_compared_by_the_day() -> None:
    chance = Random(7)
    seldom = np.array([chance.choice([2000, 2000, 900_000]) for _ in range(60)] + [900_000] * 14, np.int64)
    assert rising_by_day("washer", days_with(seldom), 74) is None


def test_trifles_few_days_and_days_with_gaps_say_nothing() -> None:
    energies = np.array([100_000] * 60 + [140_000] * 14, np.int64)
    assert rising_by_day("router", days_with(energies), 74) is None
    days = days_with(np.array([800_000] * 60 + [1_200_000] * 14, np.int64))
    assert rising_by_day("fridge", days, 74) is not None
    days.measured_ms[64:74] = 0
    assert rising_by_day("fridge", days, 74) is None
    assert rising_by_day("fridge", days, 5) is None


def test_runs_are_compared_with_the_runs_before() -> None:
    before = [900_000, 950_000, 920_000, 880_000] * 6
    found = rising_by_run("washer", np.array(before + [1_200_000, 1_150_000] * 4, np.int64))
    assert found == Rise("washer", "run", "before", 1_175_000, 910_000, 8, 24)
    assert rise_words("Washer", found, None) == (
        "Washer has used 1.18 kWh a run in its last 8 runs, 29 % more than in the 24 before (0.91 kWh)"
    )
    assert rising_by_run("washer", np.array(before + [900_000, 1_150_000] * 4, np.int64)) is None
    by_chance = [500_000, 1_500_000] * 12 + [1_500_000] * 5 + [500_000] * 3
    assert rising_by_run("washer", np.array(by_chance, np.int64)) is None  # half more, but of runs that differ as much
    assert rising_by_run("washer", np.array(before[:11] + [1_200_000] * 8, np.int64)) is None


def test_the_rank_sum_of_all_larger_values_is_as_tables_say() -> None:
    # n = m = 5, U = 25: mean 12.5, variance 5 * 5 * 11 / 12.
    values = np.arange(5, dtype=np.int64)
    assert rank_sum_z(values + 10, values) == pytest.approx(12.5 / (275 / 12) ** 0.5)
    assert rank_sum_z(values, values) == 0
