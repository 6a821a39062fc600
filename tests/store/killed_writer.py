"""A process that writes until it is killed: `python -m tests.store.killed_writer FOLDER`.

The n-th reading of a meter has a power that follows from n alone. After each flush the process says how many
readings of each meter it has confirmed. It seals now and then, with the quarter-hours that its readings make;
what it needs to go on after a kill it takes from the store: the sealed state, then the unsealed readings.
"""

import sys
from pathlib import Path

import msgspec

from casawatt.model.interval import INTERVAL_MS, Interval
from casawatt.model.reading import Record
from casawatt.store.store import Store
from tests.store.conftest import START_MS, open_store, seal

METERS = (1, 2, 3)
STEP_MS = 10_000
READINGS_PER_QUARTER = INTERVAL_MS // STEP_MS
ROUND = 50


class Sum(msgspec.Struct):
    """What a meter's readings have come to: how many there were, and the power so far in the open quarter."""

    count: int = 0
    power_mw: int = 0


def power_mw(number: int) -> int:
    """Return the power of the reading of that number."""
    return number * 7919 % 3_000_000


def reading(number: int) -> Record:
    """Return the reading of that number."""
    return Record(START_MS + number * STEP_MS, 1, power_mw=power_mw(number), charge_mas=number)


def quarter(number: int) -> Interval:
    """Return the quarter-hour of that number, as the readings of it make it."""
    first = number * READINGS_PER_QUARTER
    powers = [power_mw(place) for place in range(first, first + READINGS_PER_QUARTER)]
    return Interval(START_MS + number * INTERVAL_MS, sum(powers), INTERVAL_MS, min(powers), max(powers), 1)


def step(store: Store, meter_id: int, total: Sum) -> None:
    """Count one more reading, and close its quarter when it was the last one of it."""
    total.power_mw += power_mw(total.count)
    total.count += 1
    if total.count % READINGS_PER_QUARTER == 0:
        closed = quarter(total.count // READINGS_PER_QUARTER - 1)
        assert closed.energy_mwh == total.power_mw
        store.put_intervals(meter_id, [closed], ())
        total.power_mw = 0


def recover(store: Store) -> dict[int, Sum]:
    """Return each meter's sum as it was when the process was killed."""
    totals = {}
    for meter_id in METERS:
        state = store.engine_state(meter_id)
        totals[meter_id] = Sum() if state is None else msgspec.json.decode(state, type=Sum)
    for _, meter_id, record in store.tail_records():
        assert record == reading(totals[meter_id].count)
        step(store, meter_id, totals[meter_id])
    return totals


def main() -> None:
    """Write for ever."""
    store = open_store(Path(sys.argv[1]))
    totals = recover(store)
    rounds = 0
    while True:
        for _ in range(ROUND):
            for meter_id in METERS:
                store.append(meter_id, reading(totals[meter_id].count))
                step(store, meter_id, totals[meter_id])
        store.flush()
        sys.stdout.write(f"{totals[METERS[0]].count}\n")
        sys.stdout.flush()
        rounds += 1
        if rounds % 3 == 0:
            store.sync()
            meter_id = METERS[rounds // 3 % len(METERS)]
            seal(store, meter_id, msgspec.json.encode(totals[meter_id]))


if __name__ == "__main__":
    main()
