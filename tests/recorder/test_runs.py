"""Runs are the same live, after a restart, after late readings, imported and found anew."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from casawatt.model.run import Run
from casawatt.recorder.verify import run_differences
from casawatt.registry import Adoption
from tests.recorder.homes import FAR_MS, START_MS, TestHome, home_in

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

blocks = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 4, 12, 60, 150, 400, 2000]),
        st.sampled_from([1, 2, 5, 12, 30, 70]),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)
"""Powers in W, for so many minutes each; after some of them comes a gap of half an hour."""


def readings(told: Sequence[tuple[int, int, bool]]) -> list[tuple[int, float]]:
    """Return a reading every 20 seconds, with its time."""
    found, at_ms = [], 0
    for power_w, minutes, gap in told:
        for _ in range(3 * minutes):
            found.append((at_ms, float(power_w)))
            at_ms += 20_000
        at_ms += 30 * MINUTE_MS if gap else 0
    return found


def runs(home: TestHome, slug: str = "fridge") -> list[Run]:
    """Return all runs of a meter."""
    home.recorder.settle()
    return home.recorder.runs.between(home.registry.meter(slug).meter_id, -FAR_MS, FAR_MS)


@pytest.fixture(autouse=True)
def states_are_saved_each_half_hour() -> Iterator[None]:
    """Save the state as often in a day as it is in weeks, and look at little at a time: from many places, in pieces."""
    with (
        mock.patch("casawatt.recorder.run_fold.DAY_MS", 30 * MINUTE_MS),
        mock.patch("casawatt.recorder.run_watch.DAY_MS", 30 * MINUTE_MS),
        mock.patch("casawatt.recorder.run_fold.PIECE_MS", 30 * MINUTE_MS),
        mock.patch("casawatt.recorder.runs.POWERS_AT_ONCE", 200),
    ):
        yield


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(blocks, st.randoms(use_true_random=False))
def test_no_order_of_arrival_no_restart_and_no_seal_changes_any_run(
    told: list[tuple[int, int, bool]], chance: random.Random
) -> None:
    in_order = readings(told)
    end_ms = in_order[-1][0] + START_MS
    appliance = chance.choice([None, "washing_machine", "dryer", "dishwasher"])
    with TemporaryDirectory() as folder, home_in(Path(folder)) as home:
        home.clock.time_ms = end_ms
        home.registry.adopt(Adoption("fridge", "fridge", "change", "a1", appliance), START_MS)
        for time_ms, power_w in in_order:
            home.put(time_ms, power_w)
        expected = runs(home)
        assert run_differences(home.recorder.lines()[0], home.recorder.runs) == []
    with TemporaryDirectory() as folder:
        with home_in(Path(folder)) as home:
            home.registry.adopt(Adoption("fridge", "fridge", "change", "a1", appliance), START_MS)
        parts = apart(in_order, chance)
        while parts:
            with home_in(Path(folder)) as home:
                home.clock.time_ms = end_ms
                while parts and chance.random() < 0.9:
                    for time_ms, power_w in parts.pop(0):
                        home.put(time_ms, power_w)
                    for likely, work in (
                        (0.5, home.recorder.settle),
                        (0.5, home.recorder.runs.tick),
                        (0.3, home.seal),
                    ):
                        if chance.random() < likely:
                            work()
                home.store.flush()
        with home_in(Path(folder)) as home:
            home.clock.time_ms = end_ms
            assert runs(home) == expected
            assert run_differences(home.recorder.lines()[0], home.recorder.runs) == []
            home.recorder.runs.rebuild(home.recorder.lines()[0].meter_id)
            assert runs(home) == expected


def apart(in_order: list[tuple[int, float]], chance: random.Random) -> list[list[tuple[int, float]]]:
    """Return readings in parts, some of which come later than they should; most are some minutes long."""
    parts: list[list[tuple[int, float]]] = []
    place = 0
    while place < len(in_order):
        count = chance.choice([1, 3, 10, 60, 200])
        parts.append(in_order[place : place + count])
        place += count
    late = [parts.pop(chance.randrange(len(parts))) for _ in range(min(chance.randint(0, 5), len(parts) - 1))]
    for part in late:
        parts.insert(chance.randint(len(parts) // 2, len(parts)), part)
    return parts
