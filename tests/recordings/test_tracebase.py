from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.errors import PacketError
from casawatt.recordings.recording_file import RecordingFile
from casawatt.recordings.tracebase import TracebaseParser, recognises

EXCERPT = Path(__file__).parents[1] / "data" / "tracebase_washing_machine.csv"
BERLIN = ZoneInfo("Europe/Berlin")


def parser() -> TracebaseParser:
    return TracebaseParser(BERLIN)


def test_a_line_gives_the_one_second_mean_and_its_time_in_utc() -> None:
    (row,) = parser().parse("14/01/2012 10:48:47; 151; 156")
    assert row.power_w == 151.0
    assert row.time_ms == 1_326_534_527_000  # 2012-01-14T09:48:47Z
    assert row.part == ""


def test_duplicates_and_seconds_with_two_values_are_passed_on_as_they_are() -> None:
    with RecordingFile(EXCERPT) as recording:
        reader = parser()
        rows = [row for _, line in recording for row in reader.parse(line)]
    assert len(rows) == 150
    assert sum(a == b for a, b in pairwise(rows)) >= 1
    assert sum(a.time_ms == b.time_ms and a != b for a, b in pairwise(rows)) >= 5
    assert sum(b.time_ms - a.time_ms > 60_000 for a, b in pairwise(rows)) == 3


def test_stamps_that_go_back_are_passed_on_as_they_are() -> None:
    reader = parser()
    times = [reader.parse(f"14/01/2012 10:48:{second};1;1")[0].time_ms for second in (47, 49, 48)]
    assert [time_ms - times[0] for time_ms in times] == [0, 2000, 1000]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("14/01/2012 10:48:47;151", "columns"),
        ("14/13/2012 10:48:47;151;156", "time"),
        ("2012-01-14 10:48:47;151;156", "time"),
        ("14/01/2012 10:48:47;many;156", "number"),
        ("14/01/2012 10:48:47;inf;156", "number"),
    ],
)
def test_a_bad_line_is_an_error_with_its_cause(line: str, cause: str) -> None:
    with pytest.raises(PacketError) as caught:
        parser().parse(line)
    assert caught.value.cause == cause


def test_an_empty_line_and_an_absent_value_are_no_rows() -> None:
    assert parser().parse("  ") == ()
    assert parser().parse("14/01/2012 10:48:47;;156") == ()


def test_a_file_is_recognised_by_its_first_lines() -> None:
    assert recognises(["14/01/2012 10:48:47; 151; 156", "14/01/2012 10:48:48;147;151"])
    assert not recognises(["14/01/2012 10:48:47,151"])
    assert not recognises([])
