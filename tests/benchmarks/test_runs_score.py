"""The scoring rules, by hand."""

from pathlib import Path

import pytest

from benchmarks import runs
from benchmarks.outcome import Context
from benchmarks.readings import made_up
from benchmarks.runs_score import Label, Score, every, found_by_threshold, matches, score

SURE = Label((1000, 1200), (5000, 4000), sure=True)
DOUBTFUL = Label((8000,), (9000,), sure=False)


@pytest.mark.parametrize(
    ("mode", "found", "expected"),
    [
        ("strict", (1060, 5120), True),
        ("strict", (1061, 5000), False),
        ("strict", (1000, 4000), False),
        ("lenient", (1200, 4000), True),
        ("lenient", (1200, 3000), False),
        ("overlap", (3000, 5000), True),
        ("overlap", (3001, 5000), False),
        ("overlap", (6000, 7000), False),
    ],
)
def test_a_run_matches_a_label_within_its_limits(mode: str, found: tuple[float, float], expected: bool) -> None:
    assert matches(SURE, found, mode, 60, 120) is expected


def test_doubtful_labels_and_what_overlaps_them_count_neither_way() -> None:
    labels = (SURE, DOUBTFUL)
    assert score([(labels, [(1000, 5000)])], "strict", 60, 120) == Score(1, 0, 0)
    assert score([(labels, [(1000, 5000), (8300, 9000)])], "strict", 60, 120) == Score(1, 0, 0)
    assert score([(labels, [(1000, 3000), (20, 30)])], "strict", 60, 120) == Score(0, 1, 2)


def test_precision_and_recall_are_shares() -> None:
    assert (Score(3, 1, 2).precision, Score(3, 1, 2).recall) == (0.6, 0.75)


def test_the_first_reading_of_each_step_is_kept() -> None:
    assert every([(3, 1), (9, 2), (10, 3), (31, 4), (39, 5)], 10) == [(3, 1), (10, 3), (31, 4)]


def test_plain_thresholds_join_what_is_less_than_their_pause_apart() -> None:
    def at(*spans: tuple[int, int]) -> list[tuple[int, int]]:
        return [(second, 50 if any(a <= second <= b for a, b in spans) else 0) for second in range(2000)]

    assert found_by_threshold(at((100, 300), (470, 600))) == [(100, 600)]
    assert found_by_threshold(at((100, 300), (490, 600))) == [(100, 300), (490, 600)]
    assert found_by_threshold(at((100, 150))) == []


def test_without_labels_only_the_cost_is_measured(tmp_path: Path) -> None:
    section = runs.run(Context(0.001, made_up().limited(1000), tmp_path, lambda _text: None))
    assert {figure.unit for figure in section.figures} == {"microseconds"}
    assert "--data" in section.notes[0]
    assert section.missing == []
