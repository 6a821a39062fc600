"""What is set aside or ignored is kept as it was said, and seen in no figure."""

import pytest

from casawatt.engine import pipeline
from casawatt.model.columns import ABSENT
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import Cadence, Calibration
from casawatt.model.reading import Record
from casawatt.store.store import Store
from tests.store.conftest import START_MS, everything, powers, seal

MINUTE_MS = 60_000
WILD_MW = 2**32 - 1
"""What 32 bits of mW show at most."""


def hour(*, spike_ms: int) -> list[Record]:
    """An hour of 1 kW each second with one wild spike."""
    records = powers(START_MS, 3601)
    place = (spike_ms - START_MS) // 1000
    records[place] = Record(records[place].time_ms, 1, power_mw=WILD_MW)
    return records


@pytest.mark.parametrize("cadence", list(Cadence))
@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("spike_s", [1830, 1800, 1799, 0, 3600])
def test_a_spike_is_kept_and_shows_in_no_minute_and_no_quarter_hour(
    store: Store, cadence: Cadence, spike_s: int, sealed: bool
) -> None:
    calibrations = [Calibration(0, cadence=cadence)]
    records = hour(spike_ms=START_MS + spike_s * 1000)
    for record in records:
        store.append(1, record)
    state, closed = pipeline.run(pipeline.START, records, calibrations)
    store.put_intervals(1, closed, pipeline.open_intervals(state))
    if sealed:
        seal(store, 1)
    assert everything(store, 1) == records
    minutes = store.by_minute(1, START_MS, START_MS + 3_600_000, calibrations)
    inside = minutes.max_mw != ABSENT
    assert minutes.max_mw[inside].tolist() == minutes.min_mw[inside].tolist() == [1_000_000] * 60
    assert set(minutes.power_mw.tolist()) == {1_000_000}
    edges = [START_MS + place * 7 * MINUTE_MS for place in range(9)]
    assert {bucket.max_mw for bucket in store.buckets(1, edges, calibrations) if bucket.energy_mwh} == {1_000_000}


def test_a_register_that_jumps_shows_in_no_minute(store: Store) -> None:
    calibrations = [Calibration(0, cadence=Cadence.POLLED)]
    for second in range(0, 601, 10):
        shown = 10**9 + second * 1000 // 3600 + (65_535_000 if second == 300 else 0)
        store.append(1, Record(START_MS + second * 1000, 1, power_mw=1_000, register_mwh=shown))
    minutes = store.by_minute(1, START_MS, START_MS + 600_000, calibrations)
    assert max(minutes.power_mw.tolist()) < 2_000
    assert sum(minutes.measured_ms.tolist()) == 600_000


@pytest.mark.parametrize("sealed", [False, True])
def test_ignored_readings_are_kept_and_their_neighbours_joined_also_across_the_edges_of_a_question(
    store: Store, sealed: bool
) -> None:
    mine = powers(START_MS, 61, step_ms=10_000)
    other = [Record(record.time_ms + 1_000 * place, 2, power_mw=7_000_000) for record in mine for place in (1, 5, 9)]
    for record in [*mine, *other]:
        store.append(1, record)
    if sealed:
        seal(store, 1)
    ignoring = [Calibration(0, ignored_devices=(2,))]
    assert len(everything(store, 1)) == len(mine) + len(other)
    minutes = store.by_minute(1, START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS, ignoring)
    assert (minutes.power_mw.tolist(), minutes.max_mw.tolist()) == ([1_000_000], [1_000_000])
    assert minutes.measured_ms.tolist() == [MINUTE_MS]


def test_all_that_is_ignored_leaves_nothing_to_show(store: Store) -> None:
    for record in powers(START_MS, 100):
        store.append(1, record)
    ignoring = [Calibration(0, ignores_all=True)]
    minutes = store.by_minute(1, START_MS, START_MS + MINUTE_MS, ignoring)
    assert minutes.power_mw.tolist() == [ABSENT]
    assert store.buckets(1, [START_MS, START_MS + INTERVAL_MS], ignoring)[0].energy_mwh == 0
