"""One file of the log: blocks of readings behind each other in a file that was filled with zeros beforehand.

    file    magic 8s | generation u64 | crc u32                         (20 bytes, then zeros up to 64)
    block   magic 4s | generation u64 | first_seq u64 | count u32 | length u32 | crc u32 | payload

All little-endian. The generation is the number in the file's name and is never used twice. Each block's
crc32 continues the crc of the block before it (the first block's that of the file's head), so a block that
is left over from a former life of the file, or from beyond a torn write, can never be taken for a new one.
"""

import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from casawatt.store.batch import Batch, unpack

FILE_MAGIC = b"CASALOG1"
BLOCK_MAGIC = b"CWBL"
FILE_HEAD = struct.Struct("<8sQI")
BLOCK_HEAD = struct.Struct("<4sQQIII")
FIRST_BLOCK = 64
_BLOCK_CRC = 4
_ZEROS = bytes(1 << 20)


@dataclass(slots=True)
class LogScan:
    """What was found in a file of the log: its readings, and where and how the next block would follow."""

    path: Path
    generation: int
    batches: list[Batch] = field(default_factory=list)
    end: int = FIRST_BLOCK
    chain: int = 0
    finding: str | None = None
    """Why the file could not be read at all, None when it could."""

    @property
    def last_seq(self) -> int:
        """The sequence number of the last reading, 0 when there is none."""
        return self.batches[-1].last_seq if self.batches else 0


def log_name(generation: int) -> str:
    """Return the name of the file of a generation; names sort as their numbers do."""
    return f"{generation:012d}.log"


def log_files(folder: Path) -> list[tuple[int, Path]]:
    """Return the log's files with their generations, oldest first."""
    return sorted((int(path.stem), path) for path in folder.glob("*.log") if path.stem.isdigit())


def create(path: Path, size: int) -> None:
    """Make a file of `size` zero bytes that are really on the disk, so that later writes need no room.

    Raises OSError; nothing is left behind then.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        done = 0
        while done < size:
            done += os.pwrite(file, _ZEROS[: size - done], done)
        os.fsync(file)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(file)


def begin(file: int, generation: int) -> int:
    """Write the head of a new or recycled file and force it to the disk; returns the crc the first block continues."""
    head = file_head(generation)
    write_all(file, head, 0)
    os.fdatasync(file)
    return zlib.crc32(head)


def file_head(generation: int) -> bytes:
    """Return the first bytes of the file of a generation."""
    head = FILE_HEAD.pack(FILE_MAGIC, generation, 0)[:-4]
    return head + struct.pack("<I", zlib.crc32(head))


def write_all(file: int, data: bytes, offset: int) -> None:
    """Hand all of `data` to the operating system. Raises OSError, after a part perhaps."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view = view[written:]
        offset += written


def block(generation: int, first_seq: int, count: int, payload: bytes, chain: int) -> tuple[bytes, int]:
    """Return the bytes of a block and the crc that the next one continues."""
    head = BLOCK_HEAD.pack(BLOCK_MAGIC, generation, first_seq, count, len(payload), 0)[:-_BLOCK_CRC]
    crc = zlib.crc32(payload, zlib.crc32(head, chain))
    return b"".join((head, struct.pack("<I", crc), payload)), crc


def scan(path: Path, generation: int) -> LogScan:
    """Read a file of the log up to its first block that is not whole and its own.

    Raises FileNotFoundError when it is gone, which happens when a writer has just recycled it.
    """
    data = path.read_bytes()
    found = LogScan(path, generation)
    head = file_head(generation)
    if data[: len(head)] != head:
        found.finding = f"{path}: the head is damaged"
        return found
    found.chain = zlib.crc32(head)
    next_seq = 0
    while found.end + BLOCK_HEAD.size <= len(data):
        magic, of, first_seq, count, length, crc = BLOCK_HEAD.unpack_from(data, found.end)
        start = found.end + BLOCK_HEAD.size
        if magic != BLOCK_MAGIC or of != generation or first_seq < next_seq or start + length > len(data):
            break
        head_crc = zlib.crc32(data[found.end : start - _BLOCK_CRC], found.chain)
        payload = data[start : start + length]
        if zlib.crc32(payload, head_crc) != crc:
            break
        found.batches.append(unpack(first_seq, count, payload))
        next_seq = first_seq + count
        found.end, found.chain = start + length, crc
    return found


def read_log(folder: Path) -> list[LogScan]:
    """Read the whole log, oldest file first. A file that a writer recycles meanwhile holds nothing unsealed."""
    scans = []
    for generation, path in log_files(folder):
        try:
            scans.append(scan(path, generation))
        except FileNotFoundError:
            continue
    return scans
