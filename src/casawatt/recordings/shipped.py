"""The recordings that come with casawatt, for the demo home; `data/ATTRIBUTION.md` says whose they are."""

from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.recordings.printer import synthetic_printer
from casawatt.recordings.recording_file import RecordingFile
from casawatt.recordings.trace import DAY_S, Trace, make_trace, sum_of
from casawatt.recordings.tracebase import TracebaseParser

ATTRIBUTION = (
    "Contains information from the tracebase data set, which is made available at http://www.tracebase.org "
    "under the Open Database License (ODbL)."
)
"""The sentence that must be shown where these recordings are."""

DATA = Path(__file__).with_name("data")

_LABELS = {
    "fridge": "Fridge",
    "washing-machine": "Washing machine",
    "dishwasher": "Dishwasher",
    "kettle": "Kettle",
    "computer": "Computer",
    "tv": "TV",
    "router": "Router",
}


@cache
def appliances() -> dict[str, Trace]:
    """Return a day of each appliance by name: the recorded ones, and the synthetic 3D printer.

    Raises ImportFileError when the package's files are damaged.
    """
    traces = {name: _recorded(name, label) for name, label in _LABELS.items()}
    printer = synthetic_printer()
    return traces | {printer.name: printer}


@cache
def mains() -> Trace:
    """Return the exact sum of `appliances()`."""
    return sum_of("mains", "Mains", appliances().values())


def _recorded(name: str, label: str) -> Trace:
    # Read as if the stamps were UTC: what is left over of a day is then the wall clock's time of day.
    parser = TracebaseParser(ZoneInfo("UTC"))
    with RecordingFile(DATA / f"{name}.csv.gz") as recording:
        rows = [row for _, line in recording for row in parser.parse(line)]
    return make_trace(name, label, ((row.time_ms // 1000 % DAY_S, round(row.power_w or 0)) for row in rows))
