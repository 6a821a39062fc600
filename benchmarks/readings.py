"""The readings that benchmarks work on: recorded ones at 1 Hz, or made up ones that are called so."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: where the readings are laid, whenever they were recorded."""

HOLD_S = 60
"""A reading is held so long; a longer silence is closed up, so that no made up constant makes data look small."""

ATTRIBUTION = (
    "Contains information from the tracebase data set, which is made available at http://www.tracebase.org under the "
    "Open Database License (ODbL)."
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One meter's power in whole W, one value a second without gaps."""

    name: str
    power_w: IntArray

    def mw(self, start_s: int, count: int) -> list[int]:
        """Return `count` values in mW from a second on; at the end it begins again."""
        indices = np.arange(start_s, start_s + count) % len(self.power_w)
        power_mw: list[int] = (self.power_w[indices] * 1000).tolist()
        return power_mw


@dataclass(frozen=True, slots=True)
class Dataset:
    """Traces, longest first, and in words where they come from; `folder` is where they were read, if anywhere."""

    traces: tuple[Trace, ...]
    origin: str
    folder: Path | None = None

    def __len__(self) -> int:
        """How many readings there are in all."""
        return sum(len(trace.power_w) for trace in self.traces)

    def limited(self, readings: int) -> "Dataset":
        """Return about so many readings: whole traces, by name; a part of one only where less is asked for."""
        kept: list[Trace] = []
        for trace in sorted(self.traces, key=lambda trace: trace.name):
            left = readings - sum(len(each.power_w) for each in kept)
            if left <= 0:
                break
            kept.append(Trace(trace.name, trace.power_w[:left]))
        return Dataset(_longest_first(kept), self.origin, self.folder)


def load(folder: Path | None) -> Dataset:
    """Return the tracebase recordings in `folder`; without one the excerpts in the package, or else made up ones."""
    if folder is not None:
        return recorded(folder)
    return shipped() or made_up()


def recorded(folder: Path) -> Dataset:
    """Return all recordings in `folder/tracebase`, a meter for each appliance. Raises FileNotFoundError without any."""
    traces, rows = [], 0
    for appliance in sorted(path for path in (folder / "tracebase").iterdir() if path.is_dir()):
        days = [read_day(path, HOLD_S) for path in sorted(appliance.glob("*.csv.gz"))]
        if days:
            rows += sum(count for _, count in days)
            traces.append(Trace(appliance.name, np.concatenate([power_w for power_w, _ in days])))
    if not traces:
        message = f"no recordings in {folder / 'tracebase'}"
        raise FileNotFoundError(message)
    dataset = Dataset(_longest_first(traces), "")
    origin = (
        f"recorded by tracebase: {rows:,} readings of {len(traces)} appliances, put on a regular 1 Hz grid by holding "
        f"each for at most {HOLD_S} s ({len(dataset):,} in all), longer silences closed up, days joined. {ATTRIBUTION}"
    )
    return Dataset(dataset.traces, origin, folder)


def shipped() -> Dataset | None:
    """Return the excerpts in the package that keep every change of 1 Hz recordings; None without them."""
    folder = Path(__file__).resolve().parents[1] / "src/casawatt/recordings/data"
    names = ("washing-machine", "fridge", "dishwasher", "kettle")
    if not all((folder / f"{name}.csv.gz").exists() for name in names):
        return None
    traces = [Trace(name, read_day(folder / f"{name}.csv.gz", 86_400)[0]) for name in names]
    origin = (
        "the shipped excerpts of tracebase: a day each of four appliances, every change kept, held to a regular 1 Hz "
        f"grid. {ATTRIBUTION}"
    )
    return Dataset(_longest_first(traces), origin)


def made_up() -> Dataset:
    """Return two days of four synthetic appliances, from a fixed seed."""
    random = np.random.default_rng(42)
    traces = []
    for number, (idle_w, active_w) in enumerate(((2, 120), (0, 2000), (60, 250), (1, 900))):
        seconds = np.arange(2 * 86_400)
        active = np.sin(seconds / (700 + 311 * number)) > 0.6
        noise = random.normal(0, 1 + active * active_w / 100)
        traces.append(
            Trace(f"synthetic-{number}", np.maximum(0, np.where(active, active_w, idle_w) + noise).astype("i8"))
        )
    return Dataset(
        tuple(traces), "SYNTHETIC: two days of four made up appliances; its sizes say nothing about real data"
    )


def read_day(path: Path, hold_s: int) -> tuple[IntArray, int]:
    """Return a tracebase file as one value a second in W, and how many readings it has.

    Of one second the later line counts; a value holds until the next, at most `hold_s`.
    """
    lines = [line for line in gzip.decompress(path.read_bytes()).split(b"\n") if line]
    stamps = np.array([line[:19] for line in lines], "S19").view(np.uint8).reshape(-1, 19).astype(np.int64) - ord("0")
    weights = np.zeros((19, 2), np.int64)
    weights[[0, 1], 0] = 10, 1
    weights[[11, 12, 14, 15, 17, 18], 1] = 36_000, 3600, 600, 60, 10, 1
    day, second = (stamps @ weights).T
    at_s = (day - day[0]) * 86_400 + second
    power_w = np.array([int(line.split(b";")[1]) for line in lines], np.int64)
    order = np.argsort(at_s, kind="stable")
    at_s, power_w = at_s[order], power_w[order]
    last = np.append(at_s[1:] != at_s[:-1], True)
    at_s, power_w = at_s[last], power_w[last]
    held_s = np.minimum(np.append(np.diff(at_s), 1), hold_s)
    return np.repeat(power_w, held_s), len(lines)


def _longest_first(traces: list[Trace]) -> tuple[Trace, ...]:
    return tuple(sorted(traces, key=lambda trace: len(trace.power_w), reverse=True))
