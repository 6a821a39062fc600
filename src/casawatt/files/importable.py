"""What every import has in common: what is understood of a source before anything is recorded, and its rows."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec

from casawatt.files.import_report import Report
from casawatt.model.meter import Traits
from casawatt.recordings.row import Row

BATCH_ROWS = 5_000
"""Rows in a batch, so that memory stays bounded whatever the size of a source."""


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one metered point within a source.

    `name` tells it from the others of the source, and is empty where there is only one. `what` says for a person what
    it is. `slug` is the meter that it goes to when nobody says another, None if it is then left out. `address` is the
    (source, address) of the device that measured it, where casawatt could hear the same device by itself.
    """

    name: str
    what: str
    slug: str | None = None
    address: str | None = None


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """What is understood of a source, to be shown before anything is recorded.

    `origin` is what the source is called, `summary` how it is read. `columns` says for each column of a file what it is
    taken for (`-`: left out). `notes` are the assumptions made, in plain words. `rows` are the first ones, `refused` is
    the place and reason of what cannot be understood among these. `step_s` is the usual time between rows (None:
    unknown), `traits` what the rows are like; `by_register`: their energy is a register's, so that it counts whatever
    the gap limit of the meter.
    """

    origin: str
    summary: str
    series: tuple[Series, ...]
    traits: Traits
    by_register: bool
    step_s: float | None
    columns: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


class Batch(msgspec.Struct, frozen=True):
    """Some rows of one series in the source's order.

    `numbers` has the number of each row's line or record, and `where` what such a number belongs to, e.g. `line `.
    `device` is the name under which the home remembers who measured them (empty: the series' own). Until here
    `done_ratio` of the source is read.
    """

    series: str
    rows: tuple[Row, ...]
    numbers: tuple[int, ...]
    where: str
    device: str
    done_ratio: float


class Importable(Protocol):
    """A source of history: looked at first, then read."""

    @property
    def understood(self) -> Understood:
        """What is understood of it."""
        ...

    def batches(self, wanted: Mapping[str, str], report: Report) -> Iterator[Batch]:
        """Yield the rows of the series in `wanted` (which maps them to meters), adding to `report` as they are read.

        What cannot be understood goes to the report. Raises ImportFileError when the source breaks off.
        """
        ...
