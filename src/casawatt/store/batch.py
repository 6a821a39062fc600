"""Readings in the order of their arrival, as columns: what goes into the log and the tail at once."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from casawatt.model.columns import ABSENT, Int64Array
from casawatt.model.reading import CHANNELS, Record

UInt16Array = NDArray[np.uint16]

ABSENT_NARROW = -(2**31)
"""Stands for ABSENT where a channel is kept in four bytes."""

NARROW_MAX = 2**31 - 1

_PRESENCE = struct.Struct("<BB")
RECORD_BYTES_MAX = 12 + 8 * len(CHANNELS)
"""The most that one reading takes in a packed batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings of several meters in order of arrival; the n-th has sequence number `first_seq + n`.

    `channels` holds the channels that at least one reading has, with ABSENT for the readings without.
    """

    first_seq: int
    meter_id: UInt16Array
    device_id: UInt16Array
    time_ms: Int64Array
    channels: dict[str, Int64Array]

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def last_seq(self) -> int:
        """The sequence number of the last reading."""
        return self.first_seq + len(self.time_ms) - 1


@dataclass(frozen=True, slots=True)
class MeterBatch:
    """The readings of one meter out of one or more batches, in order of arrival."""

    meter_id: int
    seq: Int64Array
    device_id: UInt16Array
    time_ms: Int64Array
    channels: dict[str, Int64Array]


def gather(first_seq: int, arrived: Sequence[tuple[int, Record]]) -> Batch:
    """Return (meter id, record) pairs as a batch.

    Raises OverflowError or TypeError when a value is no integer that fits its column.
    """
    records = [record for _, record in arrived]
    channels = {}
    for name in CHANNELS:
        value_of = attrgetter(name)
        column: list[int | None] = [*map(value_of, records)]
        absent = column.count(None)
        if not absent:
            channels[name] = np.array(column, dtype=np.int64)
        elif absent < len(column):
            channels[name] = np.array([ABSENT if value is None else value for value in column], dtype=np.int64)
    return Batch(
        first_seq,
        np.array([meter_id for meter_id, _ in arrived], dtype=np.uint16),
        np.array([record.device_id for record in records], dtype=np.uint16),
        np.array([record.time_ms for record in records], dtype=np.int64),
        channels,
    )


def pack(batch: Batch) -> bytes:
    """Return a batch as bytes, without its sequence number and length, which the log's block knows."""
    present = wide = 0
    parts = [batch.meter_id.tobytes(), batch.device_id.tobytes(), batch.time_ms.tobytes()]
    for bit, name in enumerate(CHANNELS):
        column = batch.channels.get(name)
        if column is None:
            continue
        present |= 1 << bit
        narrow = narrowed(column)
        if narrow is None:
            wide |= 1 << bit
        parts.append((column if narrow is None else narrow).tobytes())
    return b"".join([_PRESENCE.pack(present, wide), *parts])


def unpack(first_seq: int, count: int, payload: bytes) -> Batch:
    """Return the batch that `pack` made. Raises ValueError when the bytes cannot be one of `count` readings."""
    present, wide = _PRESENCE.unpack_from(payload)
    offset = _PRESENCE.size

    def take(kind: str) -> NDArray[np.int64]:
        nonlocal offset
        column = np.frombuffer(payload, kind, count, offset)
        offset += column.nbytes
        return column

    meter_id, device_id = take("<u2").astype(np.uint16), take("<u2").astype(np.uint16)
    time_ms = take("<i8")
    channels = {}
    for bit, name in enumerate(CHANNELS):
        if present >> bit & 1:
            channels[name] = take("<i8") if wide >> bit & 1 else widened(take("<i4"))
    if offset != len(payload):
        message = f"{len(payload) - offset} bytes too many in a block of the log"
        raise ValueError(message)
    return Batch(first_seq, meter_id, device_id, time_ms, channels)


def narrowed(column: Int64Array) -> NDArray[np.int32] | None:
    """Return a column in four bytes a value, or None when a value does not fit."""
    absent = column == ABSENT
    plain = np.where(absent, 0, column)
    if plain.size and (plain.min() <= ABSENT_NARROW or plain.max() > NARROW_MAX):
        return None
    narrow = plain.astype(np.int32)
    narrow[absent] = ABSENT_NARROW
    return narrow


def widened(narrow: NDArray[np.int32] | Int64Array) -> Int64Array:
    """Return a four-byte column in eight bytes a value."""
    column = narrow.astype(np.int64)
    column[narrow == ABSENT_NARROW] = ABSENT
    return column


def by_meter(batches: Iterable[Batch]) -> Iterator[MeterBatch]:
    """Yield the readings of each meter in turn, over all batches, in order of arrival."""
    batches = list(batches)
    if not batches:
        return
    whole = _joined(batches)
    meter_id = whole.channels.pop("meter_id")
    first, last = int(meter_id.min()), int(meter_id.max())
    if first == last:
        yield MeterBatch(first, whole.seq, whole.device_id, whole.time_ms, whole.channels)
        return
    order = np.argsort(meter_id, kind="stable")
    ids, starts = np.unique(meter_id[order], return_index=True)
    for number, rows in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
        channels = {name: column[rows] for name, column in whole.channels.items()}
        present = {name: column for name, column in channels.items() if (column != ABSENT).any()}
        yield MeterBatch(number, whole.seq[rows], whole.device_id[rows], whole.time_ms[rows], present)


def _joined(batches: list[Batch]) -> MeterBatch:
    """Return batches one after the other, with the meters' ids among the channels."""
    names = [name for name in CHANNELS if any(name in batch.channels for batch in batches)]
    channels = {
        name: np.concatenate(
            [batch.channels.get(name, np.broadcast_to(np.int64(ABSENT), len(batch))) for batch in batches]
        )
        for name in names
    }
    channels["meter_id"] = np.concatenate([batch.meter_id for batch in batches]).astype(np.int64)
    return MeterBatch(
        0,
        np.concatenate([np.arange(batch.first_seq, batch.last_seq + 1, dtype=np.int64) for batch in batches]),
        np.concatenate([batch.device_id for batch in batches]),
        np.concatenate([batch.time_ms for batch in batches]),
        channels,
    )
