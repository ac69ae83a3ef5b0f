"""Dotdigital's background jobs: started when a slot is free, polled to their end."""

from __future__ import annotations

from target_dotdigital.api.jobs.jobs import Jobs
from target_dotdigital.api.jobs.kinds import DELETION, IMPORT, REMOVAL
from target_dotdigital.api.jobs.poll_limit import PollLimit
from target_dotdigital.api.jobs.polling import (
    MAX_WAIT_SECONDS,
    POLLS_AROUND_THE_END,
    seconds_to_wait,
)

__all__ = [
    "DELETION",
    "IMPORT",
    "MAX_WAIT_SECONDS",
    "POLLS_AROUND_THE_END",
    "REMOVAL",
    "Jobs",
    "PollLimit",
    "seconds_to_wait",
]
