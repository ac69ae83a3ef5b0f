"""Kills at random moments of loads that send only what has changed, each started again.

    uv run python -m benchmarks.changes_killed --kills 50

Days are made up as in `tests/fingerprints/test_same_contents.py`. After each of them the account
must hold what it would hold if everything had been sent. Ends with status 1 if it does not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fingerprints.test_same_contents import STREAMS, compare

CHOICES = (["names"], ["same", "others"], ["names", "same"], [*STREAMS])


def main() -> None:
    """Kill, and say how often and with what result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    kills, seed, wrong = 0, arguments.seed, 0
    while kills < arguments.kills:
        with tempfile.TemporaryDirectory() as folder:
            try:
                result = compare(Path(folder), seed, CHOICES[seed % len(CHOICES)], kill_share=1)
            except AssertionError as error:
                wrong += 1
                print(f"seed {seed}: {error}")
            else:
                kills += result.kills
                print(f"seed {seed}: {result.kills} kills, {result.unchanged} rows unchanged")
        seed += 1
    print(f"{kills} kills, {wrong} times wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
