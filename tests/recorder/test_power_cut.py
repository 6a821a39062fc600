"""The power goes at any moment: in a write, between two renames, in a commit. What was forced to the disk is there."""

import random
from collections import deque
from pathlib import Path

import pytest

from tests.recorder.hard_stream import Promised, adopt_all, reading
from tests.recorder.homes import home_in
from tests.recorder.killing import findings
from tests.recorder.power import PowerDisk

SETTINGS = {"log_file_bytes": 4096}
READINGS = 4000
CUT_SHARE = 0.4


@pytest.mark.parametrize("seed", range(2))
def test_a_power_cut_loses_nothing_that_was_synced_and_leaves_no_file_corrupt_and_no_total_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    promised = Promised()
    positions: deque[tuple[int, int]] = deque()
    cuts = 0

    with home_in(tmp_path / "home", **SETTINGS) as home:
        adopt_all(home)

        def maybe_cut() -> None:
            nonlocal cuts
            if chance.random() > CUT_SHARE:
                return
            cuts += 1
            while positions and positions[0][0] <= home.store.durable_seq:
                promised.confirm(positions.popleft()[1])
            left = tmp_path / f"cut-{cuts}"
            disk.leave(left)
            assert findings(left, promised) == [], f"cut {cuts}, seed {seed}, folder {left}"

        disk = PowerDisk(tmp_path / "home", chance, maybe_cut)
        with monkeypatch.context() as patch:
            disk.watch(patch)
            newest_seq = number = 0
            while number < READINGS:
                for _ in range(chance.randint(1, 60)):
                    newest_seq = max(newest_seq, home.recorder.put(reading(number)))
                    number += 1
                positions.append((newest_seq, number))
                home.store.flush()
                if chance.random() < 0.3:
                    home.store.sync()
                if chance.random() < 0.2:
                    home.recorder.settle()
                if chance.random() < 0.06:
                    home.seal()
    assert cuts > 100
    assert promised.count > READINGS // 2
