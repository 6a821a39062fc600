"""Proves that what is kept of a meter's energy and runs is what its readings say."""

from datetime import UTC, datetime

from casawatt.engine import pipeline
from casawatt.model.interval import Interval
from casawatt.model.run import Run
from casawatt.model.suspect import Suspect
from casawatt.recorder.line import FAR_MS, Line
from casawatt.recorder.rebuild import quarter_ms, records_from
from casawatt.recorder.runs import RunKeeper
from casawatt.store.store import Store

DIFFERENCES_MAX = 20


def derive(line: Line, store: Store) -> tuple[list[Interval], list[Suspect]]:
    """Return every quarter-hour of a meter and what is set aside, as its readings give it, from the first one on."""
    first_ms = store.first_time_ms(line.meter_id)
    if first_ms is None:
        return [], []
    work = Line(line.meter, line.calibrations)
    intervals: list[Interval] = []
    for record in records_from(store, line.meter_id, quarter_ms(first_ms)):
        intervals += work.advance(record)
    suspects = [each for those in work.taken_aside().values() for each in those]
    return [*intervals, *pipeline.open_intervals(work.state)], suspects


def differences(line: Line, store: Store) -> list[str]:
    """Return, in words, where quarter-hours and what is set aside are not as the readings give them; at most some."""
    intervals, suspects = derive(line, store)
    derived = {interval.start_ms: interval for interval in intervals}
    kept = {interval.start_ms: interval for interval in store.intervals(line.meter_id, -FAR_MS, FAR_MS)}
    found = []
    for start_ms in sorted(derived.keys() | kept.keys()):
        if derived.get(start_ms) != kept.get(start_ms):
            at = datetime.fromtimestamp(start_ms / 1000, UTC)
            found.append(
                f"{line.meter.slug}, quarter-hour of {at:%Y-%m-%d %H:%M} UTC:"
                f" kept {energy(kept.get(start_ms))}, the readings give {energy(derived.get(start_ms))}"
            )
    aside = set(store.suspects.between(line.meter_id, -FAR_MS, FAR_MS))
    for suspect in sorted(aside ^ set(suspects), key=lambda each: each.time_ms):
        at = datetime.fromtimestamp(suspect.time_ms / 1000, UTC)
        which = "is set aside, and the readings do not give that" if suspect in aside else "should be set aside"
        found.append(f"{line.meter.slug}, reading of {at:%Y-%m-%d %H:%M:%S} UTC: {suspect.cause} {which}")
    rest = len(found) - DIFFERENCES_MAX
    return [*found[:DIFFERENCES_MAX], f"and {rest} more"] if rest > 0 else found


def run_differences(line: Line, runs: RunKeeper) -> list[str]:
    """Return, in words, which runs are kept and not given by the readings, or the other way round; at most some."""
    kept = {run.start_ms: run for run in runs.between(line.meter_id, -FAR_MS, FAR_MS)}
    derived = {run.start_ms: run for run in runs.derived(line)}
    return compared(line.meter.slug, kept, derived, ("kept", "the readings give"))


def compared(slug: str, before: dict[int, Run], after: dict[int, Run], words: tuple[str, str]) -> list[str]:
    """Return in words where runs, by their start, differ; at most some. `words` name the two kinds."""
    found = []
    for start_ms in sorted(before.keys() | after.keys()):
        if before.get(start_ms) != after.get(start_ms):
            at = datetime.fromtimestamp(start_ms / 1000, UTC)
            said = (f"{word} {spoken(runs.get(start_ms))}" for word, runs in zip(words, (before, after), strict=True))
            found.append(f"{slug}, run of {at:%Y-%m-%d %H:%M:%S} UTC: {', '.join(said)}")
    rest = len(found) - DIFFERENCES_MAX
    return [*found[:DIFFERENCES_MAX], f"and {rest} more"] if rest > 0 else found


def spoken(run: Run | None) -> str:
    """Return a run in words."""
    if run is None:
        return "none"
    end = "going on" if run.end_ms is None else f"to {datetime.fromtimestamp(run.end_ms / 1000, UTC):%H:%M:%S}"
    return f"one {end}, up to {run.peak_mw / 1000:g} W, {len(run.phases)} phases"


def energy(interval: Interval | None) -> str:
    """Return an interval's energy in words."""
    if interval is None:
        return "nothing"
    return f"{interval.energy_mwh / 1000} Wh in {interval.measured_ms / 1000} s measured"
