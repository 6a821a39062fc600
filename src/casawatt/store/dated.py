"""The dated records about meters: who measures for them, how, and what of it counts. Nothing is ever deleted."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from casawatt.engine.bindings import Holding, displaced
from casawatt.engine.effective import effective
from casawatt.model.dated import Action, Bind, Correction, DatedCalibration
from casawatt.model.errors import RegistryError
from casawatt.model.meter import Binding, Cadence, Calibration, Device, Manner
from casawatt.store.database import Database

_BINDS = (
    "SELECT binding_id, meter_id, device_id, source, address, from_ms, made_ms, to_ms, retracted_ms, cadence,"
    " gap_limit_ms, limit_mw, falls_back FROM bindings JOIN devices USING (device_id)"
)
_CALIBRATIONS = (
    "SELECT meter_id, from_ms, nominal_voltage_mv, power_factor_e4, cadence, gap_limit_ms, limit_mw, falls_back,"
    " made_ms FROM calibrations WHERE retracted_ms IS NULL"
)
_CORRECTIONS = (
    "SELECT correction_id, meter_id, action, from_ms, to_ms, made_ms, note FROM corrections WHERE retracted_ms IS NULL"
)


class DatedRecords:
    """Keeps all of them in memory as well: they are few, and asked for with every question.

    `touched_id` is the number of the newest span that was touched.
    """

    def __init__(self, database: Database) -> None:
        """Read what there is in `database`."""
        self._database = database
        self.reload()

    def reload(self) -> None:
        """Read everything anew, also when a transaction was given up."""
        self._binds = {bind.binding_id: bind for bind in map(_bind, self._read(f"{_BINDS} ORDER BY binding_id"))}
        self._hold()
        self._calibrations: dict[int, list[DatedCalibration]] = defaultdict(list)
        for row in self._read(f"{_CALIBRATIONS} ORDER BY from_ms"):
            self._calibrations[row[0]].append(_calibration(row))
        self._corrections = {row[0]: _correction(row) for row in self._read(f"{_CORRECTIONS} ORDER BY correction_id")}
        self._effective: dict[int, list[Calibration]] = {}
        self.touched_id: int = self._read("SELECT COALESCE(MAX(touched_id), 0) FROM touched")[0][0]

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.reader().execute(query, values).fetchall()

    def _hold(self) -> None:
        self._holding = Holding(self._binds.values())
        self._by_meter: dict[int, list[int]] = defaultdict(list)
        self._by_device: dict[int, list[int]] = defaultdict(list)
        for bind in self._binds.values():
            self._index(bind)

    def _index(self, bind: Bind) -> None:
        self._by_meter[bind.meter_id].append(bind.binding_id)
        self._by_device[bind.device.device_id].append(bind.binding_id)

    def bindings(self, meter_id: int | None = None) -> list[Binding]:
        """Return the bindings that hold (of one meter, or all) in ascending `from_ms`."""
        return self._holding.all() if meter_id is None else self._holding.of_meter(meter_id)

    def bindings_of(self, device_id: int) -> list[Binding]:
        """Return the bindings of a device that hold, in ascending `from_ms`."""
        return self._holding.of_device(device_id)

    def binds(self, meter_id: int) -> list[Bind]:
        """Return every decision about which device measures for a meter, also retracted ones, as they were made."""
        return [self._binds[each] for each in self._by_meter[meter_id]]

    def binds_of(self, device_id: int) -> list[Bind]:
        """Return every decision about which meter a device measures for, likewise."""
        return [self._binds[each] for each in self._by_device[device_id]]

    def bind(self, meter_id: int, device: Device, from_ms: int, *, made_ms: int, manner: Manner | None = None) -> Bind:
        """Let a device measure for a meter from `from_ms` on; `engine.bindings` says what becomes of other bindings.

        What is decided about a meter or device is dated after what was decided before. Raises RegistryError when there
        is no such meter or device.
        """
        made_ms = max([made_ms, *(self._changed_ms(each) + 1 for each in self._related(meter_id, [device.device_id]))])
        taken: tuple[object, ...] = (None, None, None, False)
        if manner is not None:
            taken = (manner.cadence.value, manner.gap_limit_ms, manner.limit_mw, manner.falls_back)
        try:
            with self._database.write() as connection:
                row = connection.execute(
                    "INSERT INTO bindings (meter_id, device_id, from_ms, made_ms, cadence, gap_limit_ms, limit_mw,"
                    " falls_back) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING binding_id",
                    (meter_id, device.device_id, from_ms, made_ms, *taken),
                ).fetchone()
        except sqlite3.IntegrityError as error:
            message = f"there is no meter {meter_id} or no device {device.device_id} to bind"
            raise RegistryError(message) from error
        bind = Bind(row[0], meter_id, device, from_ms, made_ms, manner=manner)
        self._binds[bind.binding_id] = bind
        self._holding.add(bind)
        self._index(bind)
        self._effective.clear()
        return bind

    def retract_bind(self, binding_id: int, at_ms: int) -> None:
        """Take a decision back as if it had never been made; it stays on record with the time of that."""
        bind = self._binds[binding_id]
        at_ms = max(
            [at_ms, *(self._changed_ms(each) + 1 for each in self._related(bind.meter_id, [bind.device.device_id]))]
        )
        with self._database.write() as connection:
            connection.execute("UPDATE bindings SET retracted_ms = ? WHERE binding_id = ?", (at_ms, binding_id))
        row = self._read(f"{_BINDS} WHERE binding_id = ?", binding_id)[0]
        self._binds[binding_id] = _bind(row)
        self._hold()
        self._effective.clear()

    def _related(self, meter_id: int, device_ids: Iterable[int]) -> list[Bind]:
        """Return every decision about a meter or about one of the devices, as they were made."""
        found = set(self._by_meter[meter_id]).union(*(self._by_device[device_id] for device_id in device_ids))
        return [self._binds[each] for each in sorted(found)]

    @staticmethod
    def _changed_ms(bind: Bind) -> int:
        return bind.made_ms if bind.retracted_ms is None else max(bind.made_ms, bind.retracted_ms)

    def own_calibrations(self, meter_id: int) -> list[Calibration]:
        """Return what makes watts of a meter's readings, without any correction; empty when nothing was decided."""
        stored = self._calibrations.get(meter_id)
        return effective(stored, self.bindings(meter_id)) if stored else []

    def calibrations(self, meter_id: int) -> list[Calibration]:
        """Return the calibrations that a meter's readings are counted by; empty when nothing was decided."""
        found = self._effective.get(meter_id)
        if found is None:
            stored = self._calibrations.get(meter_id)
            if not stored:
                return []
            binds = self._related(meter_id, [bind.device.device_id for bind in self.binds(meter_id)])
            found = self._effective[meter_id] = effective(
                stored, self.bindings(meter_id), self.corrections(meter_id), displaced(binds, meter_id)
            )
        return found

    def add_calibration(self, meter_id: int, calibration: Calibration, made_ms: int) -> None:
        """Add a calibration; an earlier one of the same `from_ms` is taken back.

        Raises RegistryError when there is no such meter.
        """
        try:
            with self._database.write() as connection:
                connection.execute(
                    "UPDATE calibrations SET retracted_ms = ?"
                    " WHERE meter_id = ? AND from_ms = ? AND retracted_ms IS NULL",
                    (made_ms, meter_id, calibration.from_ms),
                )
                connection.execute(
                    "INSERT INTO calibrations (meter_id, from_ms, nominal_voltage_mv, power_factor_e4, cadence,"
                    " gap_limit_ms, limit_mw, falls_back, made_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        meter_id,
                        calibration.from_ms,
                        calibration.nominal_voltage_mv,
                        calibration.power_factor_e4,
                        calibration.cadence.value,
                        calibration.gap_limit_ms,
                        calibration.limit_mw,
                        calibration.falls_back,
                        made_ms,
                    ),
                )
        except sqlite3.IntegrityError as error:
            message = f"there is no meter with number {meter_id}"
            raise RegistryError(message) from error
        kept = [each for each in self._calibrations[meter_id] if each.calibration.from_ms != calibration.from_ms]
        kept.append(DatedCalibration(calibration, made_ms))
        self._calibrations[meter_id] = sorted(kept, key=lambda each: each.calibration.from_ms)
        self._effective.pop(meter_id, None)

    def corrections(self, meter_id: int) -> list[Correction]:
        """Return the corrections of a meter that stand, in the order they were made."""
        return [each for each in self._corrections.values() if each.meter_id == meter_id]

    def add_correction(
        self, meter_id: int, action: Action, from_ms: int, to_ms: int, *, made_ms: int, note: str | None = None
    ) -> Correction:
        """Write a correction down; whoever does marks the span as touched too. Raises RegistryError for no meter."""
        try:
            with self._database.write() as connection:
                row = connection.execute(
                    "INSERT INTO corrections (meter_id, action, from_ms, to_ms, made_ms, note)"
                    " VALUES (?, ?, ?, ?, ?, ?) RETURNING correction_id",
                    (meter_id, action.value, from_ms, to_ms, made_ms, note),
                ).fetchone()
        except sqlite3.IntegrityError as error:
            message = f"there is no meter with number {meter_id}"
            raise RegistryError(message) from error
        correction = Correction(row[0], meter_id, action, from_ms, to_ms, made_ms, note)
        self._corrections[correction.correction_id] = correction
        self._effective.pop(meter_id, None)
        return correction

    def retract_correction(self, correction_id: int, at_ms: int) -> None:
        """Take a correction back; it stays on record."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE corrections SET retracted_ms = ? WHERE correction_id = ?", (at_ms, correction_id)
            )
        correction = self._corrections.pop(correction_id)
        self._effective.pop(correction.meter_id, None)

    def touch(self, meter_id: int, from_ms: int, to_ms: int) -> None:
        """Note that a meter's sealed figures of a span are to be derived anew; its next seal takes the note away."""
        with self._database.write() as connection:
            row = connection.execute(
                "INSERT INTO touched (meter_id, from_ms, to_ms) VALUES (?, ?, ?) RETURNING touched_id",
                (meter_id, from_ms, to_ms),
            ).fetchone()
        self.touched_id = row[0]

    def touched(self) -> list[tuple[int, int, int]]:
        """Return the spans whose sealed figures are to be derived anew: meter, from and to (UTC ms)."""
        return self._read("SELECT meter_id, from_ms, to_ms FROM touched ORDER BY touched_id")


def _bind(row: tuple[Any, ...]) -> Bind:
    binding_id, meter_id, device_id, source, address, from_ms, made_ms, to_ms, retracted_ms, cadence, *taken = row
    manner = None if cadence is None else Manner(Cadence(cadence), taken[0], taken[1], bool(taken[2]))
    return Bind(binding_id, meter_id, Device(device_id, source, address), from_ms, made_ms, to_ms, retracted_ms, manner)


def _calibration(row: tuple[Any, ...]) -> DatedCalibration:
    _, from_ms, voltage_mv, factor_e4, cadence, gap_limit_ms, limit_mw, falls_back, made_ms = row
    return DatedCalibration(
        Calibration(
            from_ms, voltage_mv, factor_e4, Cadence(cadence), gap_limit_ms, limit_mw, falls_back=bool(falls_back)
        ),
        made_ms,
    )


def _correction(row: tuple[Any, ...]) -> Correction:
    correction_id, meter_id, action, from_ms, to_ms, made_ms, note = row
    return Correction(correction_id, meter_id, Action(action), from_ms, to_ms, made_ms, note)
