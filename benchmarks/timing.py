"""Taking times: medians and 95th percentiles, never means."""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def each_s(work: Iterable[Callable[[], object]]) -> list[float]:
    """Return how long each piece of work took, in s."""
    took = []
    for piece in work:
        start_s = time.perf_counter()
        piece()
        took.append(time.perf_counter() - start_s)
    return took


def took_s(work: Callable[[], object]) -> float:
    """Return how long one piece of work took, in s."""
    return each_s([work])[0]


def per_s(count: int, work: Callable[[], object]) -> float:
    """Return how many of `count` things a second the work did."""
    return count / took_s(work)


def until(true: Callable[[], bool], timeout_s: float, *, poll_s: float = 0.02) -> bool:
    """Wait until something is true; returns False when it was not within the time."""
    end_s = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > end_s:
            return False
        time.sleep(poll_s)
    return True


def forget_cached(folder: Path) -> None:
    """Let the kernel drop what it keeps in memory of the files in a folder, so that reading them is cold."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fdatasync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)
