"""Tariffs as they were taken on record. A correction takes one back and adds another; nothing is ever deleted."""

from datetime import date
from itertools import zip_longest
from typing import Any

import msgspec

from casawatt.model.tariff import UNRECORDED, DatedTariff, StoredTariff, Tariff
from casawatt.store.database import Database


class TariffRows:
    """Reads and writes them."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self._database = database
        self._supposed: list[StoredTariff] = []
        self._supposed_gone: dict[int, int] = {}

    def all(self) -> list[StoredTariff]:
        """Return every tariff that ever was taken on record, oldest record first, and what is supposed."""
        query = "SELECT tariff_id, data, made_ms, retracted_ms FROM tariffs ORDER BY tariff_id"
        stored = [_stored(row) for row in self._database.reader().execute(query)]
        gone = self._supposed_gone
        kept = [
            msgspec.structs.replace(each, retracted_ms=gone[each.tariff_id]) if each.tariff_id in gone else each
            for each in stored
        ]
        return kept + self._supposed

    def standing(self) -> list[DatedTariff]:
        """Return those that hold, ascending by the day they begin on."""
        return dated([each for each in self.all() if each.retracted_ms is None])

    def replace(self, gone: list[int], new: list[Tariff], at_ms: int) -> None:
        """Take some back and add others, all or nothing."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE tariffs SET retracted_ms = ? WHERE tariff_id = ?", [(at_ms, tariff_id) for tariff_id in gone]
            )
            connection.executemany(
                "INSERT INTO tariffs (from_date, data, made_ms) VALUES (?, ?, ?)",
                [(each.from_.isoformat(), msgspec.json.encode(each).decode(), at_ms) for each in new],
            )

    def suppose(self, gone: list[int], new: list[Tariff], at_ms: int) -> None:
        """Do the same in memory only, for as long as the store is open: what the next service will write down.

        Such tariffs have the number `UNRECORDED`.
        """
        self._supposed_gone |= dict.fromkeys(gone, at_ms)
        self._supposed += [StoredTariff(UNRECORDED, each, at_ms) for each in new]


def dated(standing: list[StoredTariff]) -> list[DatedTariff]:
    """Return tariffs that hold side by side, each until the next begins, ascending."""
    ordered = sorted(standing, key=lambda each: each.tariff.from_)
    ends: list[date | None] = [each.tariff.from_ for each in ordered[1:]]
    both = zip_longest(ordered, ends)
    return [DatedTariff(each.tariff_id, each.tariff, each.made_ms, until) for each, until in both]


def _stored(row: tuple[Any, ...]) -> StoredTariff:
    tariff_id, data, made_ms, retracted_ms = row
    return StoredTariff(tariff_id, msgspec.json.decode(data, type=Tariff), made_ms, retracted_ms)
