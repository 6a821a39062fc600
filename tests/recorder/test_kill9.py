import random
from pathlib import Path

from tests.recorder.hard_stream import Promised
from tests.recorder.killing import findings, record_and_kill, recorders, totals_that_differ


def test_a_killed_recorder_loses_nothing_it_confirmed_and_counts_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(9)
    promised = Promised()
    with recorders() as waiting:
        for _, recorder in zip(range(5), waiting, strict=False):
            record_and_kill(recorder, tmp_path / "killed", promised, chance)
            assert findings(tmp_path / "killed", promised) == []
    assert promised.count > 0
    assert totals_that_differ(tmp_path / "killed", tmp_path / "whole", promised) == []
