"""The target's command line on a clock that runs faster, for faults whose waits take minutes.

    FAST_CLOCK_PACE=60 python -m tests.support.target.fast_clock --config config.json

The deadlines of calls are not shortened: on a busy machine a reply would be given up that is on its
way. They are with `FAST_CLOCK_DEADLINES=1`, for a server that never answers.

`FAST_CLOCK_JUMP` sets the wall clock wrong by so many seconds from the start on, and back again
with every second look at it: as a machine's clock does that is being corrected. It stays wrong with
`FAST_CLOCK_STAYS=1`.
`FAST_CLOCK_THREAD_SWITCHES` lets threads take turns after so many seconds, in place of five
milliseconds.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from dataclasses import replace

PACE = float(os.environ.get("FAST_CLOCK_PACE", "1"))
HAS_SHORT_DEADLINES = os.environ.get("FAST_CLOCK_DEADLINES") == "1"
JUMP_SECONDS = float(os.environ.get("FAST_CLOCK_JUMP", "0"))
STAYS = os.environ.get("FAST_CLOCK_STAYS") == "1"
SWITCH_SECONDS = float(os.environ.get("FAST_CLOCK_THREAD_SWITCHES", "0"))


def _jump() -> None:
    right_time = time.time
    looks = itertools.count()
    time.time = lambda: right_time() + JUMP_SECONDS * (STAYS or next(looks) % 2 == 0)


def _keep_deadlines() -> None:
    from target_dotdigital.account.connection import RUN_TIMEOUTS, Connection  # noqa: PLC0415

    patience = replace(RUN_TIMEOUTS, deadline_seconds=RUN_TIMEOUTS.deadline_seconds * PACE)
    Connection.__init__.__defaults__ = ((), patience)


if __name__ == "__main__":
    if JUMP_SECONDS:
        _jump()  # before the target's modules take the function
    if SWITCH_SECONDS:
        sys.setswitchinterval(SWITCH_SECONDS)
    from target_dotdigital.target import TargetDotdigital

    TargetDotdigital.pace = PACE
    if not HAS_SHORT_DEADLINES:
        _keep_deadlines()
    TargetDotdigital.cli()
