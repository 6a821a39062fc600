"""The rows of the registry: meters and devices, and the dated records about them. Nothing is ever deleted."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from casawatt.model.errors import RegistryError, UnknownMeterError
from casawatt.model.meter import Device, Meter, check_slug
from casawatt.store.database import Database
from casawatt.store.dated import DatedRecords

ID_MAX = 65_535
"""Meter and device ids are two bytes in the log."""


class RegistryRows:
    """Plain reading and writing of the registry's tables."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database
        self.dated = DatedRecords(database)

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.reader().execute(query, values).fetchall()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all that is changed inside, or nothing of it. Raises StoreFullError, StoreError."""
        try:
            with self._database.write():
                yield
        except BaseException:
            self.dated.reload()
            raise

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


def _checked_id(number: int) -> int:
    if number > ID_MAX:
        message = f"there is no room for more than {ID_MAX} meters or devices"
        raise RegistryError(message)
    return number
