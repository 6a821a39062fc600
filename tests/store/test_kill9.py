import random
from pathlib import Path

from tests.store.killing import problems, write_and_kill


def test_what_was_confirmed_survives_a_killed_process(tmp_path: Path) -> None:
    chance = random.Random(9)
    for _ in range(5):
        confirmed = write_and_kill(tmp_path, chance)
        assert problems(tmp_path, confirmed) == []
