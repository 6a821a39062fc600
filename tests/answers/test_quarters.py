"""Quarter-hours as columns."""

import numpy as np

from casawatt.model.columns import ABSENT
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters, added, no_quarters


def quarters(*rows: tuple[int, int, int, int]) -> Quarters:
    return Quarters(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


ONE = quarters((0, 100, INTERVAL_MS, 500), (INTERVAL_MS, 200, 1000, 900), (2 * INTERVAL_MS, 300, INTERVAL_MS, 1500))
TWO = quarters((INTERVAL_MS, 7, INTERVAL_MS, 30), (3 * INTERVAL_MS, 9, 500, 40))


def test_meters_together_have_the_sum_of_their_energy_and_the_measured_time_that_all_have() -> None:
    both = added([ONE, TWO])
    assert both.start_ms.tolist() == [0, INTERVAL_MS, 2 * INTERVAL_MS, 3 * INTERVAL_MS]
    assert both.energy_mwh.tolist() == [100, 207, 300, 9]
    assert both.measured_ms.tolist() == [0, 1000, 0, 0]
    assert both.max_mw.tolist() == [ABSENT, 828, ABSENT, ABSENT]
    assert both.energy_sum_mwh == ONE.energy_sum_mwh + TWO.energy_sum_mwh


def test_one_meter_alone_and_none_are_what_they_are() -> None:
    assert added([ONE]) is ONE
    assert len(added([])) == len(no_quarters()) == 0


def test_a_part_is_what_begins_in_its_span() -> None:
    part = ONE.between(INTERVAL_MS, 2 * INTERVAL_MS)
    assert (part.start_ms.tolist(), part.energy_mwh.tolist(), part.measured_sum_ms) == ([INTERVAL_MS], [200], 1000)
