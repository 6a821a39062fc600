"""Whatever the order of arrival, the figures are those of the sorted readings."""

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casawatt.model.columns import Columns
from casawatt.model.reading import Reading
from casawatt.recorder.verify import differences
from tests.recorder.homes import START_MS, TestHome, home_in

DAY_MS = 24 * 3_600_000

said = st.tuples(
    st.integers(0, 200).map(lambda step: step * 7_000 + (step // 40) * 5 * 3_600_000),
    st.one_of(st.none(), st.integers(0, 3000)),
    st.one_of(st.none(), st.integers(0, 50)),
)
"""A time over a day in bursts with gaps between, a power in W, a register in Wh: any of the last two absent."""


def reading(at: tuple[int, int | None, int | None]) -> Reading:
    time_ms, power_w, register_wh = at
    return Reading(
        source="change",
        address="a1",
        received_ms=START_MS + 2 * DAY_MS,
        time_ms=START_MS + time_ms,
        power_w=power_w,
        register_wh=register_wh,
    )


def halves(whole: Reading) -> list[Reading]:
    """Return a reading as the two messages in which a device may say it: the power, and the register."""
    parts = [msgspec.structs.replace(whole, register_wh=None), msgspec.structs.replace(whole, power_w=None)]
    return [part for part in parts if part.power_w is not None or part.register_wh is not None]


def put_all(home: TestHome, readings: Sequence[Reading]) -> None:
    for each in readings:
        home.recorder.put(each)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(said, min_size=2, max_size=60, unique_by=lambda at: at[0]),
    st.randoms(use_true_random=False),
    st.integers(1, 15),
)
def test_no_order_of_arrival_no_restart_and_no_seal_changes_any_figure(
    told: list[tuple[int, int | None, int | None]], chance: random.Random, pause: int
) -> None:
    readings = [reading(at) for at in told if at[1:] != (None, None)]
    in_order = sorted(readings, key=lambda each: each.time_ms or 0)
    with TemporaryDirectory() as folder, home_in(Path(folder)) as home:
        home.adopt()
        put_all(home, in_order)
        expected = home.intervals()
    shuffled = [part for each in readings for part in (halves(each) if chance.random() < 0.3 else [each])]
    shuffled += chance.choices(shuffled, k=len(shuffled) // 3) if shuffled else []
    chance.shuffle(shuffled)
    with TemporaryDirectory() as folder:
        with home_in(Path(folder)) as home:
            home.adopt()
        for start in range(0, len(shuffled), pause):
            with home_in(Path(folder)) as home:
                put_all(home, shuffled[start : start + pause])
                if chance.random() < 0.3:
                    home.recorder.settle()
                if chance.random() < 0.3:
                    home.seal()
                home.store.flush()
        with home_in(Path(folder)) as home:
            assert home.intervals() == expected
            assert differences(home.recorder.lines()[0], home.store) == []


def test_a_late_reading_does_not_have_all_that_followed_folded_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home_in(tmp_path) as home:
        home.adopt()
        for time_ms in range(0, 5 * DAY_MS, 30_000):
            home.put(time_ms, 100.0)
        home.seal()
        before = home.intervals()
        asked: list[int] = []
        columns = home.store.columns

        def counted(meter_id: int, start_ms: int, end_ms: int) -> Columns:
            asked.append(start_ms)
            return columns(meter_id, start_ms, end_ms)

        monkeypatch.setattr(home.store, "columns", counted)
        home.put(DAY_MS + 5_000, 3600.0)
        after = home.intervals()
        assert asked == [START_MS + DAY_MS]
        changed = [(a.start_ms, b.energy_mwh - a.energy_mwh) for a, b in zip(before, after, strict=True) if a != b]
        assert changed == [(START_MS + DAY_MS, 24_306)]


def test_figures_that_are_not_what_the_readings_say_are_found(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        home.adopt()
        for time_ms in range(0, 3_600_001, 10_000):
            home.put(time_ms, 100.0)
        wrong = home.intervals()[1:]
        meter_id = home.registry.meter("fridge").meter_id
        home.store.replace_intervals(meter_id, START_MS, START_MS + 900_000, [])
        assert home.store.intervals(meter_id, START_MS, START_MS + DAY_MS) == wrong
        (difference,) = differences(home.recorder.lines()[0], home.store)
        assert "fridge, quarter-hour of 2026-01-01 00:00 UTC: kept nothing, the readings give 25.0 Wh" in difference
