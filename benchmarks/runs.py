"""How well runs are found in labelled recordings, at three rates, beside plain thresholds; and what a step costs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.outcome import Context, Section, at_least, at_most
from benchmarks.runs_score import MODES, Day, Span, every, found_by_engine, found_by_threshold, labelled_days, score
from benchmarks.runs_score import settings_for as settings_of_day
from casawatt.engine import runs
from casawatt.engine.runs_settings import settings_of
from casawatt.model.meter import Calibration

GOAL = {"strict": 0.95, "lenient": 0.98, "overlap": 0.99}


@dataclass(frozen=True, slots=True)
class Rate:
    """How far apart readings are (0: as recorded), the gap limit, the limits of a match, what may be missing to 1."""

    name: str
    step_s: int
    gap_limit_s: int
    start_s: int
    end_s: int
    less: float


RATES = (
    Rate("as recorded", 0, 60, 60, 120, 0),
    Rate("every 10 s", 10, 60, 60, 120, 0.03),
    Rate("every 60 s", 60, 180, 120, 180, 0.03),
)


def run(context: Context) -> Section:
    """Measure."""
    section = Section("runs", "Runs found in labelled recordings")
    _cost(section, context.sized(300_000, 1000))
    folder = context.data.folder
    if folder is None or not (folder / "tracebase" / "runs.json").exists():
        section.notes.append(
            "No score: name a folder with tracebase/runs.json, which labels runs by eye, with `--data`."
        )
        return section
    days = labelled_days(folder / "tracebase")
    section.notes.append(
        f"{sum(len(day.labels) for day in days)} labelled runs in {len(days)} recorded days of dishwashers, dryers and "
        "washing machines; each day is a meter of its own, set up by its kind alone."
    )
    for rate in RATES:
        context.say(f"  {rate.name}")
        _rate(section, days, rate)
    return section


def _rate(section: Section, days: Sequence[Day], rate: Rate) -> None:
    """Add the scores at a rate, and how late the ends were announced."""
    spans: list[Sequence[Span]] = []
    plain: list[Sequence[Span]] = []
    latest_s = 0.0
    for day in days:
        readings = every(day.readings, rate.step_s) if rate.step_s else day.readings
        found, announced = found_by_engine(readings, settings_of_day(day, rate.gap_limit_s))
        spans.append([(each.start_ms / 1000, (each.end_ms or 0) / 1000) for each in found])
        plain.append(found_by_threshold(readings))
        if day.appliance != "dishwasher":
            waits_s = [(each.announced_ms - (each.run.end_ms or 0)) / 1000 for each in announced if not each.run.cut]
            latest_s = max(latest_s, *waits_s)
    labels = [day.labels for day in days]
    for mode in MODES:
        ours = score(zip(labels, spans, strict=True), mode, rate.start_s, rate.end_s)
        theirs = score(zip(labels, plain, strict=True), mode, rate.start_s, rate.end_s)
        bar = at_least(round(GOAL[mode] - rate.less, 2))
        note = f"{ours.hits} found, {ours.missed} missed, {ours.false} false"
        section.add(f"{rate.name}, {mode}, precision", ours.precision, "of 1", bar, note=note)
        section.add(f"{rate.name}, {mode}, recall", ours.recall, "of 1", bar)
        note = f"10 W for 60 s, until below it for 180 s; precision {theirs.precision:.2f}"
        section.add(f"{rate.name}, {mode}, recall of plain thresholds", theirs.recall, "of 1", note=note)
    late_bar = at_most(180) if rate.step_s <= 10 else None
    note = "without the dishwashers, which may be drying, and runs that ended in a gap"
    section.add(f"{rate.name}, latest `finished` after the end", latest_s, "s", late_bar, note=note)


def _cost(section: Section, count: int) -> None:
    """Add what a reading costs that changes nothing, and one of a drum that turns and rests."""
    kinds: dict[str, Callable[[int], int]] = {
        "in standby": lambda _: 1000,
        "while heating": lambda _: 2_000_000,
        "of a drum that turns and rests": lambda number: 60_000 if number % 18 < 10 else 3000,
    }
    settings = settings_of("washing_machine", Calibration(0))
    for name, power_mw in kinds.items():
        powers = [power_mw(number) for number in range(count)]
        state = runs.START
        start_s = time.perf_counter()
        for number, power in enumerate(powers):
            state, _ = runs.step(state, number * 1000, power, settings)
        took_us = (time.perf_counter() - start_s) / count * 1e6
        bar = None if "drum" in name else at_most(2)
        section.add(f"a step for a reading each second {name}", took_us, "microseconds", bar)
