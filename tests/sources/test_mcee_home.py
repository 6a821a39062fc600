"""The MCEE meter through the recorder into the store: its energy, and what a missing answer does to it."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from casawatt.recorder.inbox import SourceInbox
from casawatt.recorder.keeper import Keeper
from casawatt.sources.mcee_serial import Config, run
from tests.recorder.homes import FAR_MS, START_MS, TestHome, home_in
from tests.virtual_plugs.mcee import VirtualMcee, answer

POLL_S = 5
DAY_S = 86_400
SHORT_S = 0.2
"""How long an answer may take where some do not come."""
PATIENT_S = 4.9


class DayIsOverError(Exception):
    """Ends a run that would never end."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[TestHome]:
    with home_in(tmp_path / "home") as home:
        home.registry._traits["mcee_serial"] = Config().traits
        home.adopt("mains", "mcee_serial", "mcee")
        yield home


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[VirtualMcee]:
    with VirtualMcee(tmp_path / "mcee") as meter:
        yield meter


def elapsed_s(home: TestHome) -> int:
    return (home.clock.now_ms() - START_MS) // 1000


async def live(home: TestHome, meter: VirtualMcee, until_s: int, unanswered: Callable[[int], bool] | None) -> None:
    """Ask the meter until `until_s`; it leaves the polls at the seconds `unanswered` without an answer."""

    def prepare() -> None:
        meter.next_answers.extend([[]] if unanswered and unanswered(elapsed_s(home)) else [])

    async def wait(seconds: float) -> None:
        if elapsed_s(home) >= until_s:
            raise DayIsOverError
        home.clock.advance(round(seconds * 1000))
        prepare()

    prepare()
    inbox = SourceInbox("mcee_serial", home.recorder, Keeper(home.store, home.recorder, sync_s=1, on_event=print))
    config = Config(port=str(meter.link), answer_timeout_s=SHORT_S if unanswered else PATIENT_S)
    with pytest.raises(DayIsOverError):
        await run(config, inbox, wait)


def measured(home: TestHome) -> list[tuple[int, int | None]]:
    """Return (second, W) of everything that is in the store."""
    columns = home.store.columns(home.registry.meter("mains").meter_id, -FAR_MS, FAR_MS)
    return [
        ((record.time_ms - START_MS) // 1000, None if record.power_mw is None else record.power_mw // 1000)
        for record in columns.records()
    ]


def curve_w(second: int) -> int:
    """Return what the home uses: a base, a fridge in a rhythm, a kettle now and then, and an hour of oven."""
    fridge = 95 if second // 1200 % 3 == 0 else 0
    kettle = 2150 if second % 14_400 < 180 else 0
    oven = 2400 if 64_800 <= second < 68_400 and second // 60 % 3 else 0
    return 130 + second % 7 + fridge + kettle + oven


async def test_the_energy_of_a_day_is_that_of_the_curve(home: TestHome, meter: VirtualMcee) -> None:
    meter.power_w = lambda: curve_w(elapsed_s(home))
    await live(home, meter, DAY_S, unanswered=None)
    powers = [curve_w(second) for second in range(0, DAY_S + 1, POLL_S)]
    exact_wh = sum(a + b for a, b in pairwise(powers)) / 2 * POLL_S / 3600
    assert measured(home) == list(zip(range(0, DAY_S + 1, POLL_S), powers, strict=True))
    assert home.energy_wh("mains") == pytest.approx(exact_wh, abs=96 * 0.0005)  # each quarter-hour is rounded to mWh
    assert sum(interval.measured_ms for interval in home.intervals("mains")) == DAY_S * 1000


async def test_a_meter_that_does_not_answer_leaves_a_gap_and_its_last_value_is_not_repeated(
    home: TestHome, meter: VirtualMcee
) -> None:
    meter.power_w = lambda: 3600
    await live(home, meter, 200, unanswered=lambda second: 60 < second < 120)
    assert measured(home) == [(second, 3600) for second in range(0, 201, POLL_S) if not 60 < second < 120]
    assert home.energy_wh("mains") == pytest.approx(140.0, abs=0.001)
    assert sum(interval.measured_ms for interval in home.intervals("mains")) == 140_000
    refused = {refusal.cause: count for refusal, count in home.recorder.refusals.counts.items()}
    assert refused == {"no_answer": 11}


async def test_a_single_missing_answer_is_within_the_gap_limit(home: TestHome, meter: VirtualMcee) -> None:
    meter.power_w = lambda: 3600
    await live(home, meter, 60, unanswered=lambda second: second == 30)
    assert (30, 3600) not in measured(home)
    assert home.energy_wh("mains") == pytest.approx(60.0, abs=0.001)


async def test_answers_that_are_broken_count_nothing(home: TestHome, meter: VirtualMcee) -> None:
    meter.power_w = lambda: 3600
    meter.next_answers.extend([[answer(3600)], [answer(65_535)[:9]], [answer(65_535)[9:]], [b"\xff" * 30]])
    await live(home, meter, 60, unanswered=lambda _: False)
    assert [second for second, _ in measured(home)] == [0, *range(20, 61, POLL_S)]
    assert home.energy_wh("mains") == pytest.approx(40.0, abs=0.001)
