"""What casawatt ships of the tracebase data set is what its attribution says: the same lines, some left out."""

import gzip
import re
from pathlib import Path

from casawatt.recordings.shipped import DATA

ROW = re.compile(r"\| `(\S+)` \| `(\S+)` \| (on change|10 s) \|")


def lines_of(path: Path) -> list[str]:
    with gzip.open(path, "rt") as file:
        return file.read().splitlines()


def thinned(lines: list[str], rule: str) -> list[str]:
    def mark(line: str) -> str:
        stamp, power_w, _ = line.split(";")
        return power_w if rule == "on change" else stamp[:-1]

    kept = [
        line
        for before, line in zip([None, *lines], lines, strict=False)
        if before is None or mark(before) != mark(line)
    ]
    return kept if kept[-1] == lines[-1] else [*kept, lines[-1]]


def test_every_shipped_file_is_its_recording_with_lines_left_out_as_written(shared_data: Path) -> None:
    table = ROW.findall((DATA / "ATTRIBUTION.md").read_text())
    assert len(table) == len(list(DATA.glob("*.csv.gz")))
    for shipped, recording, rule in table:
        original = lines_of(shared_data / "tracebase" / f"{recording}.gz")
        assert lines_of(DATA / shipped) == thinned(original, rule), shipped
