"""What a benchmark says: figures, each with its bar if it has one, and the words around them."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.readings import Dataset


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach: at least, or at most, `limit` in the figure's unit."""

    limit: float
    at_least: bool

    def reached(self, value: float) -> bool:
        """Return whether `value` is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit


def at_least(limit: float) -> Bar:
    """Return a bar that a figure must not be below."""
    return Bar(limit, at_least=True)


def at_most(limit: float) -> Bar:
    """Return a bar that a figure must not be above."""
    return Bar(limit, at_least=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value in `unit`, and the bar it is held against, None where it is for comparison only."""

    what: str
    value: float
    unit: str
    bar: Bar | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """`pass`, `short`, or nothing where there is no bar."""
        if self.bar is None:
            return ""
        return "pass" if self.bar.reached(self.value) else "short"


@dataclass(slots=True)
class Section:
    """What one subject measured; `missing` says why something could not be."""

    subject: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str, bar: Bar | None = None, *, note: str = "") -> None:
        """Take one more figure."""
        self.figures.append(Figure(what, value, unit, bar, note))

    def optional(self, what: str) -> "Optional":
        """Let a peer that is not installed, or does not start, be said in the report and no more."""
        return Optional(self, what)


@dataclass(frozen=True, slots=True)
class Optional:
    """A block of work that may turn out not to be possible here."""

    section: Section
    what: str

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Note why it was not possible."""
        impossible = isinstance(error, OSError | ImportError | PeerError)
        if impossible:
            self.section.missing.append(f"{self.what}: {error}")
        return impossible


class PeerError(Exception):
    """A peer cannot be used here; the text says why."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every subject is given: how thorough to be, on what data, where to write, and where to speak.

    `scale` shortens everything for a test that only wants to see it run: 1 is full, `--quick` is 0.1.
    """

    scale: float
    data: Dataset
    work: Path
    say: Callable[[str], None]

    def sized(self, full: int, least: int = 1) -> int:
        """Return `full` scaled down, but not below `least`."""
        return max(least, round(full * self.scale))

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a fresh folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="casawatt-bench-", dir=self.work, ignore_cleanup_errors=True) as name:
            yield Path(name)


def files_bytes(paths: Iterable[Path]) -> int:
    """Return how many bytes files hold; folders count with all that is in them."""
    total = 0
    for path in paths:
        if path.is_file():
            total += path.stat().st_size
        for folder, _, names in os.walk(path):
            total += sum(Path(folder, name).stat().st_size for name in names)
    return total
