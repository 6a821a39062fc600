"""Bindings, calibrations and corrections: dated, in force at once, and on record for good."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt.model.dated import Action
from casawatt.model.errors import RegistryError
from casawatt.model.meter import Cadence, Calibration, Device, Manner
from casawatt.store.database import Database
from casawatt.store.rows import RegistryRows

MANNER = Manner(Cadence.POLLED, 30_000, 5_000_000)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "casawatt.db", read_only=False)
    yield database
    database.close()


@pytest.fixture
def rows(database: Database) -> RegistryRows:
    return RegistryRows(database)


def as_read_again(rows: RegistryRows, database: Database) -> None:
    """Look whether what is in memory is what the file says."""
    again = RegistryRows(database)
    assert again.dated.bindings() == rows.dated.bindings()
    for meter in rows.meters():
        assert again.dated.binds(meter.meter_id) == rows.dated.binds(meter.meter_id)
        assert again.dated.calibrations(meter.meter_id) == rows.dated.calibrations(meter.meter_id)
        assert again.dated.corrections(meter.meter_id) == rows.dated.corrections(meter.meter_id)


def test_a_new_plug_ends_the_old_ones_binding_and_that_can_be_taken_back(
    rows: RegistryRows, database: Database
) -> None:
    meter = rows.add_meter("washer", "Washer").meter_id
    old, new = rows.device("kasa", "a"), rows.device("kasa", "b")
    rows.dated.bind(meter, old, 1000, made_ms=1000)
    before = rows.dated.bindings(meter)
    bind = rows.dated.bind(meter, new, 5000, made_ms=6000, manner=MANNER)
    assert [(b.device, b.from_ms, b.to_ms, b.manner) for b in rows.dated.bindings(meter)] == [
        (old, 1000, 5000, None),
        (new, 5000, None, MANNER),
    ]
    as_read_again(rows, database)
    rows.dated.retract_bind(bind.binding_id, 9000)
    assert rows.dated.bindings(meter) == before
    assert [(b.device, b.retracted_ms) for b in rows.dated.binds(meter)] == [(old, None), (new, 9000)]
    as_read_again(rows, database)


def test_what_is_decided_at_the_same_instant_still_has_an_order(rows: RegistryRows) -> None:
    meter = rows.add_meter("washer", "Washer").meter_id
    first = rows.dated.bind(meter, rows.device("kasa", "a"), 0, made_ms=1000)
    second = rows.dated.bind(meter, rows.device("kasa", "b"), 1000, made_ms=1000)
    rows.dated.retract_bind(second.binding_id, 1000)
    made = [(bind.made_ms, bind.retracted_ms) for bind in rows.dated.binds(meter)]
    assert made == [(first.made_ms, None), (1001, 1002)]


def test_a_device_moved_to_another_meter_leaves_the_first(rows: RegistryRows) -> None:
    washer, fridge = rows.add_meter("washer", "Washer").meter_id, rows.add_meter("fridge", "Fridge").meter_id
    plug = rows.device("kasa", "a")
    rows.dated.bind(washer, plug, 1000, made_ms=1000)
    rows.dated.bind(fridge, plug, 2000, made_ms=2000)
    assert [(b.meter_id, b.to_ms) for b in rows.dated.bindings()] == [(washer, 2000), (fridge, None)]


def test_binding_an_unknown_meter_is_refused(rows: RegistryRows) -> None:
    with pytest.raises(RegistryError, match="no meter 7"):
        rows.dated.bind(7, rows.device("kasa", "a"), 0, made_ms=0)
    with pytest.raises(RegistryError, match="no device 9"):
        rows.dated.bind(rows.add_meter("a", "A").meter_id, Device(9, "kasa", "z"), 0, made_ms=0)


def test_calibrations_come_in_order_and_the_same_date_is_replaced(rows: RegistryRows, database: Database) -> None:
    meter = rows.add_meter("washer", "Washer").meter_id
    later = Calibration(5000, 229_000, 9_000, Cadence.POLLED, 30_000, limit_mw=3_000_000)
    rows.dated.add_calibration(meter, later, 5000)
    rows.dated.add_calibration(meter, Calibration(0, 220_000), 5000)
    rows.dated.add_calibration(meter, Calibration(0, 231_000), 6000)
    assert rows.dated.calibrations(meter) == [Calibration(0, 231_000), later]
    as_read_again(rows, database)


def test_a_correction_holds_for_its_span_and_can_be_taken_back(rows: RegistryRows, database: Database) -> None:
    meter = rows.add_meter("washer", "Washer").meter_id
    rows.dated.add_calibration(meter, Calibration(0), 0)
    correction = rows.dated.add_correction(meter, Action.DISCARD, 1000, 2000, made_ms=3000, note="a test load")
    assert [(each.from_ms, each.ignores_all) for each in rows.dated.calibrations(meter)] == [
        (0, False),
        (1000, True),
        (2000, False),
    ]
    assert rows.dated.own_calibrations(meter) == [Calibration(0)]
    as_read_again(rows, database)
    rows.dated.retract_correction(correction.correction_id, 4000)
    assert rows.dated.calibrations(meter) == [Calibration(0)]
    as_read_again(rows, database)
    kept = database.reader().execute("SELECT note, made_ms, retracted_ms FROM corrections").fetchall()
    assert kept == [("a test load", 3000, 4000)]


def test_what_was_given_up_half_way_is_forgotten_in_memory_too(rows: RegistryRows, database: Database) -> None:
    meter = rows.add_meter("washer", "Washer").meter_id
    rows.dated.add_calibration(meter, Calibration(0), 0)

    def half_way() -> None:
        with rows.together():
            rows.dated.bind(meter, rows.device("kasa", "a"), 0, made_ms=0)
            rows.dated.add_correction(meter, Action.RESTORE, 1, 2, made_ms=0)
            rows.dated.add_calibration(meter, Calibration(7), 0)
            raise KeyError

    with pytest.raises(KeyError):
        half_way()
    assert rows.dated.bindings() == []
    assert rows.dated.corrections(meter) == []
    assert rows.dated.calibrations(meter) == [Calibration(0)]
    as_read_again(rows, database)
