"""A recorder is killed two hundred times under load; see `tests/recorder/killing.py`."""

import random
from pathlib import Path

import pytest

from tests.recorder.hard_stream import Promised
from tests.recorder.killing import findings, record_and_kill, recorders, totals_that_differ

ROUNDS = 200
FOLDER_ROUNDS = 10


@pytest.mark.timeout(600)
def test_two_hundred_kills_lose_nothing_confirmed_and_change_no_total(tmp_path: Path) -> None:
    """A new folder is begun now and then, so that each look at it stays short; the home's totals are compared first."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    with recorders() as waiting:
        for first in range(0, ROUNDS, FOLDER_ROUNDS):
            folder, promised = tmp_path / f"killed-{first}", Promised()
            for number in range(first, first + FOLDER_ROUNDS):
                record_and_kill(next(waiting), folder, promised, chance)
                assert findings(folder, promised) == [], f"kill {number}, seed {seed}, folder {folder}"
            assert promised.count > FOLDER_ROUNDS * 50
            whole = tmp_path / f"whole-{first}"
            assert totals_that_differ(folder, whole, promised) == [], f"seed {seed}, folder {folder}"
