"""Runs are the same live, after a restart, after late readings, imported and found anew."""

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casawatt.model.run import Run
from casawatt.recorder.verify import run_differences
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


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(blocks, st.randoms(use_true_random=False), st.integers(5, 400))
def test_no_order_of_arrival_no_restart_and_no_seal_changes_any_run(
    told: list[tuple[int, int, bool]], chance: random.Random, pause: int
) -> None:
    in_order = readings(told)
    end_ms = in_order[-1][0] + START_MS
    with TemporaryDirectory() as folder, home_in(Path(folder)) as home:
        home.clock.time_ms = end_ms
        home.adopt()
        for time_ms, power_w in in_order:
            home.put(time_ms, power_w)
        expected = runs(home)
        assert run_differences(home.recorder.lines()[0], home.recorder.runs) == []
    shuffled = in_order.copy()
    for _ in range(chance.randint(0, 6)):
        first, second = sorted(chance.choices(range(len(shuffled) + 1), k=2))
        shuffled = shuffled[:first] + shuffled[second:] + shuffled[first:second]
    with TemporaryDirectory() as folder:
        with home_in(Path(folder)) as home:
            home.adopt()
        for start in range(0, len(shuffled), pause):
            with home_in(Path(folder)) as home:
                home.clock.time_ms = end_ms
                for time_ms, power_w in shuffled[start : start + pause]:
                    home.put(time_ms, power_w)
                if chance.random() < 0.3:
                    home.recorder.settle()
                if chance.random() < 0.3:
                    home.recorder.runs.tick()
                if chance.random() < 0.3:
                    home.seal()
                home.store.flush()
        with home_in(Path(folder)) as home:
            home.clock.time_ms = end_ms
            assert runs(home) == expected
            assert run_differences(home.recorder.lines()[0], home.recorder.runs) == []
            home.recorder.runs.rebuild(home.recorder.lines()[0].meter_id)
            assert runs(home) == expected
