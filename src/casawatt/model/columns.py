"""Many records of one meter, as columns."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casawatt.model.reading import CHANNELS, Record

Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

ABSENT = -(2**63)
"""Stands in a column where the record does not have the channel."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Records of one meter in ascending time, one array of length N per column.

    `time_ms` is strictly ascending. `channels` holds only the channels that at least one
    record has; `ABSENT` marks the records without.
    """

    time_ms: Int64Array
    device_id: Int64Array
    channels: dict[str, Int64Array]

    def __len__(self) -> int:
        return len(self.time_ms)

    def slice(self, start: int, stop: int) -> "Columns":
        """Return the records at positions `start` to before `stop`, without copying."""
        return Columns(
            self.time_ms[start:stop],
            self.device_id[start:stop],
            {name: column[start:stop] for name, column in self.channels.items()},
        )

    def between(self, start_ms: int, end_ms: int) -> "Columns":
        """Return the records with `start_ms <= time_ms < end_ms`, without copying."""
        first, last = np.searchsorted(self.time_ms, (start_ms, end_ms))
        return self.slice(int(first), int(last))

    def records(self) -> Iterator[Record]:
        """Yield each record in ascending time."""
        lists = [
            [None if value == ABSENT else value for value in self.channels[name].tolist()]
            if name in self.channels
            else [None] * len(self)
            for name in CHANNELS
        ]
        rows = zip(self.time_ms.tolist(), self.device_id.tolist(), *lists, strict=True)
        for row in rows:
            yield Record(*row)
