"""The kinds of background jobs, and what their status words mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from target_dotdigital.errors import DotdigitalError

if TYPE_CHECKING:
    from target_dotdigital.events import JobName

FAILED = "failed"
"""A final status word of every kind. What was sent may be sent again."""

_ENDS = {
    "rejectedbywatchdog": (
        "Dotdigital's Data Watchdog refused it (RejectedByWatchdog). Do not send it again"
    ),
    "exceedsallowedcontactlimit": (
        "the account would have too many contacts (ExceedsAllowedContactLimit). Delete some, or "
        "raise the allowance"
    ),
    "invalidfileformat": "Dotdigital cannot read it (InvalidFileFormat)",
    "unknown": "Dotdigital does not know how it ended (Unknown)",
    "notavailableinthisversion": "Dotdigital cannot say how it ended (NotAvailableInThisVersion)",
}
"""Final status words besides success and `Failed`, and what they mean. None is retried."""

QUEUED = "notstarted"
"""Of the words for a job that runs: Dotdigital has not begun with it."""


class JobStatus(Protocol):
    """The answer to a poll."""

    @property
    def status(self) -> str:
        """The status word, in any case."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job, and its own status words in lower case."""

    name: JobName
    running: frozenset[str]
    success: str

    @property
    def title(self) -> str:
        """What messages call a job of this kind."""
        return self.name.capitalize()

    def has_ended(self, word: str | None, job: str) -> bool:
        """Return whether a job has ended, well or as `Failed`.

        Args:
            word: Its status word in lower case; None if Dotdigital does not know the job.
            job: What messages call it.

        Raises:
            DotdigitalError: It has ended otherwise.
        """
        if word in _ENDS:
            raise DotdigitalError(f"{job}: {_ENDS[word]}")
        return word in {self.success, FAILED}


IMPORT = JobKind("import", frozenset({"notfinished", "notstarted"}), "finished")
DELETION = JobKind("deletion", frozenset({"notfinished", "notstarted"}), "finished")
REMOVAL = JobKind("removal", frozenset({"started"}), "completed")
