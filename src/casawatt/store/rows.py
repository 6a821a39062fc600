"""The dated rows of the registry: meters, devices, bindings and calibrations. Nothing is ever deleted."""

import sqlite3
from typing import Any

from casawatt.model.errors import RegistryError, UnknownMeterError
from casawatt.model.meter import Binding, Cadence, Calibration, Device, Meter, check_slug
from casawatt.store.database import Database

ID_MAX = 65_535
"""Meter and device ids are two bytes in the log."""


class RegistryRows:
    """Plain reading and writing of the registry's tables."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.reader().execute(query, values).fetchall()

    def meters(self) -> list[Meter]:
        """Return every meter, in the order they were added."""
        rows = self._read("SELECT meter_id, slug, name, appliance, parent FROM meters ORDER BY meter_id")
        return [Meter(*row) for row in rows]

    def add_meter(self, slug: str, name: str, appliance: str | None = None, parent: str | None = None) -> Meter:
        """Add a meter. Raises RegistryError when the slug is taken or cannot name a meter."""
        check_slug(slug)
        try:
            with self._database.write() as connection:
                row = connection.execute(
                    "INSERT INTO meters (slug, name, appliance, parent) VALUES (?, ?, ?, ?) RETURNING meter_id",
                    (slug, name, appliance, parent),
                ).fetchone()
                meter_id = _checked_id(row[0])
        except sqlite3.IntegrityError as error:
            message = f"there is already a meter {slug!r}"
            raise RegistryError(message) from error
        return Meter(meter_id, slug, name, appliance, parent)

    def update_meter(self, meter_id: int, *, slug: str, name: str, appliance: str | None, parent: str | None) -> Meter:
        """Give a meter its new names. Raises UnknownMeterError, or RegistryError when the slug is taken."""
        check_slug(slug)
        try:
            with self._database.write() as connection:
                changed = connection.execute(
                    "UPDATE meters SET slug = ?, name = ?, appliance = ?, parent = ? WHERE meter_id = ?",
                    (slug, name, appliance, parent, meter_id),
                ).rowcount
        except sqlite3.IntegrityError as error:
            message = f"there is already a meter {slug!r}"
            raise RegistryError(message) from error
        if not changed:
            message = f"there is no meter with number {meter_id}"
            raise UnknownMeterError(message)
        return Meter(meter_id, slug, name, appliance, parent)

    def device(self, source: str, address: str) -> Device:
        """Return the device of that source and address, adding it when it was never heard of."""
        query = "SELECT device_id FROM devices WHERE source = ? AND address = ?"
        found = self._read(query, source, address)
        if found:
            return Device(found[0][0], source, address)
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO devices (source, address) VALUES (?, ?)", (source, address))
            row = connection.execute(query, (source, address)).fetchone()
            return Device(_checked_id(row[0]), source, address)

    def devices(self) -> list[Device]:
        """Return every device, in the order they were added."""
        return [Device(*row) for row in self._read("SELECT device_id, source, address FROM devices ORDER BY 1")]

    def bindings(self, meter_id: int | None = None) -> list[Binding]:
        """Return the bindings that stand (of one meter, or all) in ascending `from_ms`."""
        rows = self._read(
            "SELECT binding_id, meter_id, device_id, source, address, from_ms, to_ms"
            " FROM bindings JOIN devices USING (device_id)"
            " WHERE retracted_ms IS NULL AND (? IS NULL OR meter_id = ?) ORDER BY from_ms, binding_id",
            meter_id,
            meter_id,
        )
        return [Binding(row[0], row[1], Device(*row[2:5]), *row[5:]) for row in rows]

    def bind(self, meter_id: int, device_id: int, from_ms: int) -> Binding:
        """Let a device measure for a meter from `from_ms` on.

        A meter has one device at a time and a device one meter: bindings of either that reach past `from_ms`
        end there, and such as began no earlier are taken back. Raises RegistryError when there is no such
        meter or device.
        """
        clash = "retracted_ms IS NULL AND (meter_id = ? OR device_id = ?)"
        try:
            with self._database.write() as connection:
                connection.execute(
                    f"UPDATE bindings SET retracted_ms = ? WHERE {clash} AND from_ms >= ?",  # noqa: S608 (fixed text)
                    (from_ms, meter_id, device_id, from_ms),
                )
                reaches_past = f"{clash} AND (to_ms IS NULL OR to_ms > ?)"
                connection.execute(
                    f"UPDATE bindings SET to_ms = ? WHERE {reaches_past}",  # noqa: S608 (fixed text)
                    (from_ms, meter_id, device_id, from_ms),
                )
                row = connection.execute(
                    "INSERT INTO bindings (meter_id, device_id, from_ms) VALUES (?, ?, ?) RETURNING binding_id",
                    (meter_id, device_id, from_ms),
                ).fetchone()
                binding_id = row[0]
        except sqlite3.IntegrityError as error:
            message = f"there is no meter {meter_id} or no device {device_id} to bind"
            raise RegistryError(message) from error
        return next(binding for binding in self.bindings(meter_id) if binding.binding_id == binding_id)

    def end_binding(self, binding_id: int, to_ms: int) -> None:
        """End a binding at `to_ms`; the meter is then without a device."""
        with self._database.write() as connection:
            connection.execute("UPDATE bindings SET to_ms = ? WHERE binding_id = ?", (to_ms, binding_id))

    def retract_binding(self, binding_id: int, at_ms: int) -> None:
        """Take a binding back as if it had never been; it stays on record with the time of that."""
        with self._database.write() as connection:
            connection.execute("UPDATE bindings SET retracted_ms = ? WHERE binding_id = ?", (at_ms, binding_id))

    def calibrations(self, meter_id: int) -> list[Calibration]:
        """Return the calibrations of a meter that stand, in ascending `from_ms`, one for each `from_ms`."""
        rows = self._read(
            "SELECT from_ms, nominal_voltage_mv, power_factor_e4, cadence, gap_limit_ms FROM calibrations"
            " WHERE meter_id = ? AND retracted_ms IS NULL ORDER BY from_ms",
            meter_id,
        )
        return [Calibration(row[0], row[1], row[2], Cadence(row[3]), row[4]) for row in rows]

    def add_calibration(self, meter_id: int, calibration: Calibration) -> None:
        """Add a calibration; an earlier one of the same `from_ms` is taken back.

        Raises RegistryError when there is no such meter.
        """
        try:
            with self._database.write() as connection:
                connection.execute(
                    "UPDATE calibrations SET retracted_ms = ?"
                    " WHERE meter_id = ? AND from_ms = ? AND retracted_ms IS NULL",
                    (calibration.from_ms, meter_id, calibration.from_ms),
                )
                connection.execute(
                    "INSERT INTO calibrations (meter_id, from_ms, nominal_voltage_mv, power_factor_e4, cadence,"
                    " gap_limit_ms) VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        meter_id,
                        calibration.from_ms,
                        calibration.nominal_voltage_mv,
                        calibration.power_factor_e4,
                        calibration.cadence.value,
                        calibration.gap_limit_ms,
                    ),
                )
        except sqlite3.IntegrityError as error:
            message = f"there is no meter with number {meter_id}"
            raise RegistryError(message) from error

    def retract_calibration(self, meter_id: int, from_ms: int, at_ms: int) -> None:
        """Take back the calibration of a meter that stands from `from_ms`; it stays on record."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE calibrations SET retracted_ms = ? WHERE meter_id = ? AND from_ms = ? AND retracted_ms IS NULL",
                (at_ms, meter_id, from_ms),
            )


def _checked_id(number: int) -> int:
    if number > ID_MAX:
        message = f"there is no room for more than {ID_MAX} meters or devices"
        raise RegistryError(message)
    return number
