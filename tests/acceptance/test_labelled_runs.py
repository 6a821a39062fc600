"""Runs that people labelled in real recordings are found, at three rates of readings, and ends are told in time."""

from pathlib import Path

import pytest

from benchmarks.runs import GOAL, RATES, Rate
from benchmarks.runs_score import MODES, Day, every, found_by_engine, labelled_days, score, settings_for

LATEST_S = 180


@pytest.fixture(scope="module")
def days(request: pytest.FixtureRequest) -> list[Day]:
    folder = request.config.getoption("--data")
    assert isinstance(folder, Path)
    return labelled_days(folder / "tracebase")


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: rate.name)
def test_labelled_runs_are_found_and_nothing_else(days: list[Day], rate: Rate) -> None:
    found, late = [], []
    for day in days:
        readings = every(day.readings, rate.step_s) if rate.step_s else day.readings
        kept, announced = found_by_engine(readings, settings_for(day, rate.gap_limit_s))
        found.append((day.labels, [(each.start_ms / 1000, (each.end_ms or 0) / 1000) for each in kept]))
        if rate.step_s <= 10 and day.appliance != "dishwasher":
            late += [(each.announced_ms - (each.run.end_ms or 0)) / 1000 for each in announced if not each.run.cut]
    for mode in MODES:
        reached = score(found, mode, rate.start_s, rate.end_s)
        assert min(reached.precision, reached.recall) >= GOAL[mode] - rate.less, (mode, reached)
    assert max(late, default=0) <= LATEST_S
