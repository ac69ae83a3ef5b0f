"""The target's command line on a clock that runs faster, for faults whose waits take minutes.

    HURRIED_PACE=60 python -m tests.faults.fast_clock --config config.json

`HURRIED_JUMP` sets the wall clock wrong by so many seconds from the start on, and back again with
every second look at it: as a machine's clock does that is being corrected. `HURRIED_SWITCHES` lets
threads take turns after so many seconds, in place of five milliseconds.
"""

from __future__ import annotations

import itertools
import os
import sys
import time

PACE = float(os.environ.get("HURRIED_PACE", "1"))
JUMP_SECONDS = float(os.environ.get("HURRIED_JUMP", "0"))
SWITCH_SECONDS = float(os.environ.get("HURRIED_SWITCHES", "0"))


def _jump() -> None:
    right_time = time.time
    looks = itertools.count()
    time.time = lambda: right_time() + JUMP_SECONDS * (next(looks) % 2 == 0)


if __name__ == "__main__":
    if JUMP_SECONDS:
        _jump()  # before the target's modules take the function
    if SWITCH_SECONDS:
        sys.setswitchinterval(SWITCH_SECONDS)
    from target_dotdigital.target import TargetDotdigital

    TargetDotdigital.pace = PACE
    TargetDotdigital.cli()
