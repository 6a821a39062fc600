"""A meter's six UTC hours as one compressed blob, and back.

    version u8 | count u32 | first_ms i64 | time | device ids | channels u8 | each channel | crc32 u32

Every column is `kind u8` and what the kind needs: a constant is one number; a rising line is its start and
step; the rest is what is left after taking out the smallest value and the greatest common step, through
pcodec. A channel that some records lack has a packed bitmap of presence before the values that are there.
"""

import struct
import zlib
from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from pcodec import ChunkConfig, standalone

from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.model.errors import StoreCorruptError
from casawatt.model.reading import CHANNELS

SEGMENT_MS = 6 * 3_600_000
VERSION = 1

_HEAD = struct.Struct("<BIB")
_CONSTANT = struct.Struct("<Bq")
_LINE = struct.Struct("<Bqq")
_PACKED = struct.Struct("<BqqI")
_CRC = struct.Struct("<I")
_CONFIG = ChunkConfig(compression_level=12)
_UNSIGNED_BITS = ((np.uint16, 16), (np.uint32, 32), (np.uint64, 64))


class Kind(IntEnum):
    """How a column of numbers is written."""

    CONSTANT = 0
    LINE = 1
    PACKED = 2
    SPARSE = 3
    """A bitmap of presence, and the present values as another kind."""


def segment_start(time_ms: int) -> int:
    """Return the beginning (UTC ms) of the six hours that `time_ms` lies in."""
    return time_ms - time_ms % SEGMENT_MS


def encode(columns: Columns) -> bytes:
    """Return at least one record as a blob."""
    channels = {name: column for name, column in columns.channels.items() if (column != ABSENT).any()}
    present = sum(1 << bit for bit, name in enumerate(CHANNELS) if name in channels)
    parts = [_HEAD.pack(VERSION, len(columns), present), _pack(columns.time_ms), _pack(columns.device_id)]
    parts += [_pack_channel(channels[name]) for name in CHANNELS if name in channels]
    body = b"".join(parts)
    return body + _CRC.pack(zlib.crc32(body))


def decode(blob: bytes) -> Columns:
    """Return the records of a blob. Raises StoreCorruptError when it is damaged or of an unknown version."""
    return decode_all([blob])


def decode_all(blobs: Sequence[bytes]) -> Columns:
    """Return the records of one blob or more, one behind the other, each column written straight to its place.

    Raises StoreCorruptError when one is damaged or of an unknown version.
    """
    heads = [_checked_head(blob) for blob in blobs]
    count = sum(head[0] for head in heads)
    present = 0
    for _, channels in heads:
        present |= channels
    time_ms, device_id = np.empty(count, np.int64), np.empty(count, np.int64)
    columns = {name: np.empty(count, np.int64) for bit, name in enumerate(CHANNELS) if present >> bit & 1}
    start = 0
    for blob, (length, channels) in zip(blobs, heads, strict=True):
        place = slice(start, start + length)
        reader = _Reader(blob, _HEAD.size)
        reader.column(time_ms[place])
        reader.column(device_id[place])
        for bit, name in enumerate(CHANNELS):
            if channels >> bit & 1:
                reader.column(columns[name][place])
            elif present >> bit & 1:
                columns[name][place] = ABSENT
        start += length
    return Columns(time_ms, device_id, columns)


def _checked_head(blob: bytes) -> tuple[int, int]:
    """Return how many records a blob has, and its channels as a mask. Raises StoreCorruptError."""
    body = memoryview(blob)[: -_CRC.size]
    if len(body) < _HEAD.size or blob[-_CRC.size :] != _CRC.pack(zlib.crc32(body)):
        message = "a segment's checksum does not match"
        raise StoreCorruptError(message)
    version, count, present = _HEAD.unpack_from(blob)
    if version != VERSION:
        message = f"a segment has version {version}, known is {VERSION}"
        raise StoreCorruptError(message)
    return count, present


def _pack_channel(column: Int64Array) -> bytes:
    """Return a channel; the values alone when every record has it."""
    there = column != ABSENT
    if there.all():
        return _pack(column)
    bitmap = zlib.compress(np.packbits(there).tobytes(), 9)
    values = column[there]
    return struct.pack("<BII", Kind.SPARSE, len(bitmap), len(values)) + bitmap + _pack(values)


def _pack(column: Int64Array) -> bytes:
    """Return numbers, none of them ABSENT, in the shortest of the plain kinds."""
    first = int(column[0])
    steps = np.diff(column)
    if not steps.any():
        return _CONSTANT.pack(Kind.CONSTANT, first)
    if (steps == steps[0]).all():
        return _LINE.pack(Kind.LINE, first, int(steps[0]))
    lowest = int(column.min())
    offsets = (column - lowest).view(np.uint64)
    step = int(np.gcd.reduce(offsets))
    if step >> 63:  # of values as far apart as can be; it would not fit where it is written
        step = 1
    scaled = offsets // np.uint64(step)
    largest = int(scaled.max())
    dtype = next(dtype for dtype, bits in _UNSIGNED_BITS if largest >> bits == 0)
    data: bytes = standalone.simple_compress(scaled.astype(dtype), _CONFIG)
    return _PACKED.pack(Kind.PACKED, lowest, step, len(data)) + data


class _Reader:
    """Takes columns from a blob one after the other."""

    def __init__(self, blob: bytes, offset: int) -> None:
        self._blob, self._offset = blob, offset

    def column(self, out: Int64Array) -> None:
        """Write the next column to `out`, ABSENT where a record does not have it."""
        if self._blob[self._offset] != Kind.SPARSE:
            self._plain(out)
            return
        _, size, there_count = struct.unpack_from("<BII", self._blob, self._offset)
        start = self._offset + 9
        self._offset = start + size
        bitmap = np.frombuffer(zlib.decompress(self._blob[start : self._offset]), np.uint8)
        values = np.empty(there_count, np.int64)
        self._plain(values)
        out[:] = ABSENT
        out[np.unpackbits(bitmap, count=len(out)).view(np.bool_)] = values

    def _plain(self, out: Int64Array) -> None:
        kind = self._blob[self._offset]
        if kind == Kind.CONSTANT:
            _, value = _CONSTANT.unpack_from(self._blob, self._offset)
            self._offset += _CONSTANT.size
            out[:] = value
        elif kind == Kind.LINE:
            _, first, step = _LINE.unpack_from(self._blob, self._offset)
            self._offset += _LINE.size
            np.multiply(np.arange(len(out), dtype=np.int64), step, out=out)
            out += first
        else:
            _, lowest, step, size = _PACKED.unpack_from(self._blob, self._offset)
            start = self._offset + _PACKED.size
            self._offset = start + size
            _unscale(self._blob[start : self._offset], lowest, step, out)


def _unscale(data: bytes, lowest: int, step: int, out: Int64Array) -> None:
    decompressed = standalone.simple_decompress(data)
    if decompressed is None:
        message = "a segment's column is empty"
        raise StoreCorruptError(message)
    out[:] = decompressed
    if step != 1:
        out *= step
    if lowest:
        out += lowest
