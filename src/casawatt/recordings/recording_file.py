"""Reading the lines of a recording from a file, plain or gzip, a line at a time."""

import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self, TextIO

from casawatt.model.errors import ImportFileError

LINE_MAX_CHARACTERS = 65_536
"""A longer line comes in pieces of this size, so that a file without line ends cannot fill the memory."""

_GZIP_MAGIC = b"\x1f\x8b"


class RecordingFile:
    """A text file of readings; iterating gives (line number from 1, line without its end).

    gzip is recognised by its first bytes. UTF-8 with or without a byte order mark; other bytes are replaced,
    so that a heading in an old encoding does not stop the figures below it.

    Raises ImportFileError, naming the file, when it cannot be opened, and the line where it breaks off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._raw: BinaryIO = path.open("rb")
            self.size_bytes = path.stat().st_size
        except OSError as error:
            raise ImportFileError(f"{path}: {error.strerror}") from error
        packed = self._raw.read(2) == _GZIP_MAGIC
        self._raw.seek(0)
        binary = gzip.GzipFile(fileobj=self._raw) if packed else self._raw
        self._text: TextIO = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="replace")

    @property
    def position_bytes(self) -> int:
        """How much of the file, as it lies on the disk, has been read."""
        return self._raw.tell()

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the file."""
        self._text.close()
        self._raw.close()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield each line with its number."""
        line_number = 0
        try:
            while line := self._text.readline(LINE_MAX_CHARACTERS):
                line_number += 1
                yield line_number, line.rstrip("\r\n")
        except (OSError, EOFError, zlib.error) as error:
            raise ImportFileError(f"{self.path}:{line_number + 1}: the file breaks off here: {error}") from error


def head(path: Path, lines: int = 200) -> list[str]:
    """Return the first lines of a file that are not empty, at most `lines`. Raises ImportFileError."""
    with RecordingFile(path) as recording:
        return list(islice((line for _, line in recording if line.strip()), lines))
