"""Readings of one meter in memory, in order of arrival, in arrays that grow."""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.store.batch import MeterBatch, narrowed, widened
from casawatt.store.merging import EMPTY, settle

_FIRST_CAPACITY = 64
_GROWTH = 1.25


class Growing:
    """A one-dimensional array that grows at its end.

    What `view` returned stays valid and unchanged while more is added, also in another thread.
    """

    __slots__ = ("_array", "_count")

    def __init__(self, dtype: DTypeLike) -> None:
        """Begin empty."""
        self._array: NDArray[np.int64] = np.empty(_FIRST_CAPACITY, dtype)
        self._count = 0

    def extend(self, values: NDArray[np.int64]) -> None:
        """Add values at the end."""
        self.reserve(len(values))
        end = self._count + len(values)
        self._array[self._count : end] = values
        self._count = end

    def fill(self, value: int, count: int) -> None:
        """Add `count` times the same value at the end."""
        self.reserve(count)
        self._array[self._count : self._count + count] = value
        self._count += count

    def reserve(self, count: int) -> None:
        """Make room for `count` more values."""
        needed = self._count + count
        if needed > len(self._array):
            grown = np.empty(max(needed, int(len(self._array) * _GROWTH)), self._array.dtype)
            grown[: self._count] = self._array[: self._count]
            self._array = grown

    def view(self) -> NDArray[np.int64]:
        """Return what is there, without copying."""
        return self._array[: self._count]

    @property
    def nbytes(self) -> int:
        """Memory in bytes, spare room included."""
        return self._array.nbytes


class Channel:
    """One channel of a part: four bytes a value for as long as all values fit."""

    __slots__ = ("_growing", "_narrow")

    def __init__(self, absent: int) -> None:
        """Begin with `absent` readings that do not have the channel."""
        self._narrow = True
        self._growing = Growing(np.int32)
        self._growing.fill(-(2**31), absent)

    def extend(self, column: Int64Array) -> None:
        """Add the values of further readings, ABSENT where they have none."""
        narrow = narrowed(column) if self._narrow else None
        if narrow is not None:
            self._growing.extend(narrow)  # type: ignore[arg-type]  # the narrow array grows by narrow ones
            return
        if self._narrow:
            wide = Growing(np.int64)
            wide.extend(self.view())
            self._growing, self._narrow = wide, False
        self._growing.extend(column)

    def view(self, start: int = 0, stop: int | None = None) -> Int64Array:
        """Return the values at positions `start` to before `stop`, ABSENT where there is none."""
        values = self._growing.view()[start:stop]
        return widened(values) if self._narrow else values

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self._growing.nbytes


class Part:
    """The readings of one meter from one seal to the next, in order of arrival."""

    __slots__ = ("_ascending", "_channels", "_device_id", "_seq", "_time_ms", "first_ms", "last_ms")

    def __init__(self) -> None:
        """Begin empty."""
        self._seq = Growing(np.int64)
        self._time_ms = Growing(np.int64)
        self._device_id = Growing(np.uint16)
        self._channels: dict[str, Channel] = {}
        self._ascending = True
        self.first_ms = 2**63 - 1
        self.last_ms = -(2**63)

    def __len__(self) -> int:
        return len(self._seq.view())

    def extend(self, batch: MeterBatch) -> None:
        """Add readings that arrived."""
        before, count = len(self), len(batch.time_ms)
        if self._ascending:
            rising = count == 1 or bool((batch.time_ms[1:] > batch.time_ms[:-1]).all())
            self._ascending = rising and int(batch.time_ms[0]) > self.last_ms
        self.first_ms = min(self.first_ms, int(batch.time_ms.min()))
        self.last_ms = max(self.last_ms, int(batch.time_ms.max()))
        for name in batch.channels:
            if name not in self._channels:
                self._channels[name] = Channel(before)
        absent = np.broadcast_to(np.int64(ABSENT), count)
        for name, channel in self._channels.items():
            channel.extend(batch.channels.get(name, absent))
        self._device_id.extend(batch.device_id)  # type: ignore[arg-type]  # two bytes into two bytes
        self._time_ms.extend(batch.time_ms)
        self._seq.extend(batch.seq)

    @property
    def seqs(self) -> Int64Array:
        """The sequence numbers, ascending."""
        return self._seq.view()

    @property
    def times_ms(self) -> Int64Array:
        """The times in order of arrival."""
        return self._time_ms.view()

    def arrived(self, start: int, stop: int) -> MeterBatch:
        """Return the readings at positions `start` to before `stop` in order of arrival, under meter 0."""
        return MeterBatch(
            0,
            self._seq.view()[start:stop],
            self._device_id.view()[start:stop].astype(np.uint16),
            self._time_ms.view()[start:stop],
            {name: channel.view(start, stop) for name, channel in self._channels.items()},
        )

    def columns(self, start_ms: int, end_ms: int) -> Columns:
        """Return the records with `start_ms <= time_ms < end_ms`; consistent only while no reading is added."""
        if end_ms <= self.first_ms or start_ms > self.last_ms or not len(self):
            return EMPTY
        time_ms = self._time_ms.view()
        device_id = self._device_id.view()
        if self._ascending:
            first, last = (int(place) for place in np.searchsorted(time_ms, (start_ms, end_ms)))
            channels = {name: channel.view(first, last) for name, channel in self._channels.items()}
            return settle(time_ms[first:last], device_id[first:last].astype(np.int64), channels)
        rows = (time_ms >= start_ms) & (time_ms < end_ms)
        channels = {name: channel.view()[rows] for name, channel in self._channels.items()}
        return settle(time_ms[rows], device_id[rows].astype(np.int64), channels)

    @property
    def nbytes(self) -> int:
        """Memory in bytes, spare room included."""
        fixed = self._seq.nbytes + self._time_ms.nbytes + self._device_id.nbytes
        return fixed + sum(channel.nbytes for channel in self._channels.values())
