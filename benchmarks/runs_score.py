"""How well found runs agree with runs labelled by eye.

A found run matches a label when it begins within `start_s` and ends within `end_s` of it: `strict` takes the label's
own start and end, `lenient` also its other acceptable ones, `overlap` asks for half of both together to be common.
Labels in doubt that nobody found, and what is found and overlaps only such a label, count neither way.
"""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from casawatt.engine import runs
from casawatt.engine.runs_settings import Settings, settings_of
from casawatt.model.meter import Calibration
from casawatt.model.run import Finished, Output, Revised, Run

EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - the recordings' stamps carry no zone, and neither do the labels
KINDS = {"Dishwasher": "dishwasher", "LaundryDryer": "dryer", "Washingmachine": "washing_machine"}
MODES = ("strict", "lenient", "overlap")
OTHER_ENDS = ("alt_end", "active_end", "anticrease_tail_end")
LONG_S = 30 * 86_400

Readings = list[tuple[int, int]]
"""Seconds since `EPOCH` and watts, in order of time, one a second at most."""
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """A run labelled by eye: its acceptable starts and ends in seconds, its own first; `sure` or in doubt."""

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    sure: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A recorded day of an appliance."""

    name: str
    appliance: str
    readings: Readings
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Labels found and missed, and what was found that is none."""

    hits: int
    missed: int
    false: int

    @property
    def precision(self) -> float:
        """How much of what was found is a run."""
        return self.hits / max(self.hits + self.false, 1)

    @property
    def recall(self) -> float:
        """How many of the runs were found."""
        return self.hits / max(self.hits + self.missed, 1)


def seconds(stamp: str) -> float:
    """Return the seconds since `EPOCH` of an ISO time without a zone."""
    return (datetime.fromisoformat(stamp) - EPOCH).total_seconds()


def labelled_days(folder: Path) -> list[Day]:
    """Return the days in `folder` that `runs.json` there labels. Raises FileNotFoundError without it."""
    labels: dict[str, Any] = json.loads((folder / "runs.json").read_text())
    return [
        Day(name, KINDS[name.split("/")[0]], read(folder / name), tuple(_label(each) for each in day["runs"]))
        for name, day in labels.items()
    ]


def _label(said: Mapping[str, Any]) -> Label:
    starts = [said["start"], *(said[key] for key in ("alt_start",) if key in said)]
    ends = [said["end"], *(said[key] for key in OTHER_ENDS if key in said)]
    return Label(tuple(map(seconds, starts)), tuple(map(seconds, ends)), said.get("confidence") == "sure")


def read(path: Path) -> Readings:
    """Return a recording's mean power over eight seconds, which is what the labels are made from."""
    found: dict[int, int] = {}
    with gzip.open(path, "rt") as file:
        for line in file:
            stamp, _, power_w = line.split(";")
            time = datetime.strptime(stamp, "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007 - see EPOCH
            found[(time - EPOCH) // timedelta(seconds=1)] = int(power_w)
    return sorted(found.items())


def every(readings: Readings, step_s: int) -> Readings:
    """Return the first reading in each `step_s` seconds by the clock."""
    kept: Readings = []
    for time_s, power_w in readings:
        if not kept or time_s // step_s > kept[-1][0] // step_s:
            kept.append((time_s, power_w))
    return kept


def matches(label: Label, found: Span, mode: str, start_s: float, end_s: float) -> bool:
    """Return whether a found run is a label's."""
    if mode == "overlap":
        union_s = max(label.ends[0], found[1]) - min(label.starts[0], found[0])
        return union_s > 0 and 2 * (min(label.ends[0], found[1]) - max(label.starts[0], found[0])) >= union_s
    allowed = slice(None) if mode == "lenient" else slice(1)
    begins = any(abs(found[0] - start) <= start_s for start in label.starts[allowed])
    return begins and any(abs(found[1] - end) <= end_s for end in label.ends[allowed])


def score(days: Iterable[tuple[Sequence[Label], Sequence[Span]]], mode: str, start_s: float, end_s: float) -> Score:
    """Return the score over days of labels and found runs."""
    hits = missed = false = 0
    for labels, spans in days:
        rest = list(spans)
        for label in labels:
            hit = next((span for span in rest if matches(label, span, mode, start_s, end_s)), None)
            if hit is not None:
                rest.remove(hit)
            hits += label.sure and hit is not None
            missed += label.sure and hit is None
        doubtful = [label for label in labels if not label.sure]
        false += sum(not any(matches(label, span, "overlap", 0, 0) for label in doubtful) for span in rest)
    return Score(hits, missed, false)


def found_by_engine(readings: Readings, settings: Settings, idle_s: int = 5) -> tuple[list[Run], list[Finished]]:
    """Return the runs of a day, and their ends as they were announced, by the entry that live readings take too."""
    state, told = runs.START, list[Output]()
    before_s = readings[0][0]
    for time_s, power_w in readings:
        for now_s in range(before_s + idle_s, min(time_s, before_s + 600), idle_s):
            state, outputs = runs.idle(state, now_s * 1000, settings)
            told += outputs
        state, outputs = runs.step(state, time_s * 1000, power_w * 1000, settings)
        told += outputs
        before_s = time_s
    state, outputs = runs.idle(state, (before_s + LONG_S) * 1000, settings)
    told += outputs
    kept = {each.run.start_ms: each.run for each in told if isinstance(each, Finished | Revised)}
    return list(kept.values()), [each for each in told if isinstance(each, Finished)]


def found_by_threshold(readings: Readings, on_w: int = 10, on_s: int = 60, off_s: int = 180) -> list[Span]:
    """Return the runs by plain thresholds: `on_s` at `on_w` or more begins one, `off_s` below it ends it."""
    spans: list[Span] = []
    above_s: int | None = None
    last_s = 0
    for time_s, power_w in readings:
        if above_s is not None and time_s - last_s >= off_s:
            if last_s - above_s >= on_s:
                spans.append((above_s, last_s))
            above_s = None
        if power_w >= on_w:
            above_s = time_s if above_s is None else above_s
            last_s = time_s
    if above_s is not None and last_s - above_s >= on_s:
        spans.append((above_s, last_s))
    return spans


def settings_for(day: Day, gap_limit_s: int) -> Settings:
    """Return how a day's meter is set up: by its kind alone."""
    return settings_of(day.appliance, Calibration(0, gap_limit_ms=gap_limit_s * 1000))
