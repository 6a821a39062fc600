"""Runs moved to other hours: nothing is added to a consumption, and nothing lost."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.moving import cheapest_shift, moved
from casawatt.engine.pricing import UnitPrices
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters, no_quarters
from tests.engine.homes_and_bills import steady

DAY = steady(date(2026, 3, 10), date(2026, 3, 11))
START_MS = int(DAY.start_ms[0])
HOUR_MS = 4 * INTERVAL_MS
BOUNDS = (START_MS, START_MS + 24 * HOUR_MS)


def quarters(energies_mwh: dict[int, int]) -> Quarters:
    """Return quarter-hours by their number from the beginning of the day."""
    start_ms = np.array([START_MS + place * INTERVAL_MS for place in energies_mwh], np.int64)
    energy_mwh = np.array([*energies_mwh.values()], np.int64)
    return Quarters(start_ms, energy_mwh, np.full(len(start_ms), INTERVAL_MS), energy_mwh * 4)


def by_number(found: Quarters) -> dict[int, int]:
    places = ((found.start_ms - START_MS) // INTERVAL_MS).tolist()
    return dict(zip(places, found.energy_mwh.tolist(), strict=True))


def prices(rates: list[int], unknown: tuple[int, ...] = ()) -> UnitPrices:
    known = np.ones(len(rates), np.bool_)
    known[list(unknown)] = False
    return UnitPrices(DAY.start_ms[: len(rates)], np.array(rates, object), 1, known)


energies = st.dictionaries(st.integers(0, 95), st.integers(-2_000_000, 2_000_000), max_size=40).map(
    lambda found: dict(sorted(found.items()))
)


@given(energies, energies, st.integers(-60, 60))
def test_a_move_conserves_energy_and_makes_no_quarter_hour_negative(
    whole: dict[int, int], part: dict[int, int], steps: int
) -> None:
    before, run = quarters(whole), quarters(part)
    found = moved(before, [(run, steps * INTERVAL_MS)])
    assert found.quarters.energy_sum_mwh == before.energy_sum_mwh
    assert 0 <= found.moved_mwh <= sum(max(energy, 0) for energy in part.values())
    after = by_number(found.quarters)
    assert all(energy >= min(whole.get(place, 0), 0) for place, energy in after.items())
    touched = {*part, *(place + steps for place in part)}
    assert {place: after[place] for place in whole if place not in touched} == {
        place: energy for place, energy in whole.items() if place not in touched
    }
    assert found.quarters.measured_sum_ms == before.measured_sum_ms
    assert (np.diff(found.quarters.start_ms) > 0).all()


def test_each_quarter_hour_of_a_run_goes_as_far_as_the_others() -> None:
    found = moved(quarters({0: 500, 1: 700, 2: 100, 8: 100}), [(quarters({0: 400, 1: 600}), 2 * INTERVAL_MS)])
    assert by_number(found.quarters) == {0: 100, 1: 100, 2: 500, 3: 600, 8: 100}
    assert found.moved_mwh == 1000


@given(energies, st.lists(st.tuples(energies, st.integers(-60, 60)), max_size=4))
def test_several_moves_at_once_are_the_same_as_one_after_the_other(
    whole: dict[int, int], parts: list[tuple[dict[int, int], int]]
) -> None:
    moves = [(quarters(part), steps * INTERVAL_MS) for part, steps in parts]
    together = moved(quarters(whole), moves)
    one_by_one, total_mwh = quarters(whole), 0
    for move in moves:
        found = moved(one_by_one, [move])
        one_by_one, total_mwh = found.quarters, total_mwh + found.moved_mwh
    assert by_number(together.quarters) == by_number(one_by_one)
    assert together.moved_mwh == total_mwh


def test_what_the_mains_did_not_see_cannot_be_moved() -> None:
    found = moved(quarters({0: 300}), [(quarters({0: 400, 1: 600}), HOUR_MS)])
    assert by_number(found.quarters) == {0: 0, 4: 300}
    assert found.moved_mwh == 300
    assert moved(no_quarters(), [(quarters({0: 400}), HOUR_MS)]).moved_mwh == 0


def test_a_part_of_a_quarter_hour_is_no_shift() -> None:
    with pytest.raises(ValueError, match="not a whole number of quarter-hours"):
        moved(DAY, [(quarters({0: 1}), 60_000)])


RUN = (START_MS + 2 * HOUR_MS + 60_000, START_MS + 2 * HOUR_MS + 1_000_000)
"""Of two quarter-hours, the ninth and the tenth."""
PART = quarters({8: 100, 9: 300})


def shift(
    rates: list[int], within: int = 96, taken: tuple[tuple[int, int], ...] = (), unknown: tuple[int, ...] = ()
) -> int | None:
    found = cheapest_shift(PART, RUN, prices(rates, unknown), within * INTERVAL_MS, BOUNDS, taken)
    return None if found is None else found // INTERVAL_MS


def test_a_run_goes_to_where_its_own_energy_costs_least() -> None:
    rates = [10] * 96
    rates[21], rates[22] = 1, 9
    assert shift(rates) == 20 - 8
    assert shift(rates, within=11) == 0
    assert shift([10, 20, 30, 4] * 24) == -1


def test_where_it_costs_the_same_it_stays_or_goes_to_the_nearest_the_later_of_two() -> None:
    assert shift([10] * 96) == 0
    rates = [10] * 96
    rates[4:6] = rates[12:14] = [1, 1]
    assert shift(rates) == 4
    rates[5:7] = [1, 1]
    assert shift(rates) == -3


def test_a_run_stays_in_bounds_on_known_prices_and_off_what_is_taken() -> None:
    rates = list(range(96, 0, -1))
    assert shift(rates) == 94 - 8
    assert shift(rates, unknown=(95,)) == 93 - 8
    assert shift(rates, taken=((START_MS + 90 * INTERVAL_MS, BOUNDS[1]),)) == 88 - 8
    assert shift(rates, taken=(BOUNDS,)) is None
    assert cheapest_shift(PART, RUN, prices(rates), 0, (RUN[1], BOUNDS[1])) is None
    assert shift(rates[:1]) is None
