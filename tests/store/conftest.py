from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.meter import Calibration
from casawatt.model.reading import Record
from casawatt.store.store import Store

ROME = ZoneInfo("Europe/Rome")
START_MS = 1_700_006_400_000
"""2023-11-15 00:00 UTC, a six-hour boundary."""

CALIBRATIONS = [Calibration(0)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


def open_store(folder: Path, **settings: object) -> Store:
    """Open a store as the tests use it: Rome, small log files."""
    return Store.open(folder, zone=ROME, log_file_bytes=8192, **settings)  # type: ignore[arg-type]


def powers(first_ms: int, count: int, *, step_ms: int = 1000, power_mw: int = 1_000_000) -> list[Record]:
    """Return readings of constant power."""
    return [Record(first_ms + number * step_ms, 1, power_mw=power_mw) for number in range(count)]


def seal(store: Store, meter_id: int, state: bytes = b"state") -> None:
    """Seal what there is of a meter, in one go."""
    cut = store.begin_seal(meter_id, state)
    store.commit_seal(cut)
    store.finish_seal(cut)


def everything(store: Store, meter_id: int) -> list[Record]:
    """Return all records of a meter."""
    return list(store.columns(meter_id, -(2**62), 2**62).records())
