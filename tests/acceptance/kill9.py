"""Kills a writing process again and again: `python -m tests.acceptance.kill9 [ROUNDS] [SEED]`.

After each kill the files must open and be whole, every confirmed reading be there, and every quarter-hour be
what a run without kills would have made of the readings. Ends with 1 at the first failure and keeps the folder.
"""

import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.store.killing import problems, write_and_kill

FOLDER_ROUNDS = 20


def main() -> int:
    """Run the rounds; a new folder is begun now and then, so that each round's look stays short."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="casawatt-kill9-"))
    for number in range(1, rounds + 1):
        confirmed = write_and_kill(folder, chance)
        found = problems(folder, confirmed)
        if found:
            sys.stdout.write(f"round {number}, seed {seed}, folder {folder}:\n  " + "\n  ".join(found) + "\n")
            return 1
        if number % FOLDER_ROUNDS == 0 or number == rounds:
            sys.stdout.write(f"{number} of {rounds} kills survived, {confirmed} readings a meter confirmed\n")
            sys.stdout.flush()
            shutil.rmtree(folder)
            folder = Path(tempfile.mkdtemp(prefix="casawatt-kill9-"))
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
