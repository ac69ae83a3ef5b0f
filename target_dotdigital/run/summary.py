"""What a run says of its rows when it ends."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_dotdigital.loading import RejectsFile, reject_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_dotdigital.loading import RejectsCsv, RowCounts
    from target_dotdigital.verification import Findings

_logger = logging.getLogger("target-dotdigital")

_NOTHING_WRITTEN: Final = "Nothing was written to Dotdigital."


@dataclass(frozen=True, slots=True)
class Summary:
    """Lines for people, from the counts of all streams."""

    counts: RowCounts
    rejects: Sequence[RejectsFile | RejectsCsv]
    is_dry_run: bool
    is_verification: bool

    @property
    def has_read(self) -> bool:
        """Whether a row was read."""
        return self.counts.has_read

    def progress(self) -> str:
        """Return how many of the rows that were read are settled, as a sentence."""
        return _NOTHING_WRITTEN if self.is_dry_run else self.counts.progress()

    def remainder(self) -> str:
        """Return what a run that was stopped leaves to the next one, in one or two sentences."""
        return _NOTHING_WRITTEN if self.is_dry_run else self.counts.remainder()

    def tell(self, level: int) -> None:
        """Log what became of the rows, and what is wrong with them.

        Args:
            level: The log level of the former.
        """
        for line in self.lines():
            _logger.log(level, "%s", line)
        for line in self.warnings():
            _logger.warning("%s", line)

    def lines(self) -> Iterator[str]:
        """Yield a line for each stream that rows were read of, or that is loaded; then the rejects.

        Rejected rows that are kept have a line that says where. The rows of a dry run are in its
        plan.
        """
        for each in self.counts if not self.is_dry_run else ():
            yield each.summary()
        for file in self.rejects:
            if file.size and isinstance(file, RejectsFile):
                yield (
                    f"The rejected rows are in {file.path}. Repair that file, then load it with "
                    f"--replay {file.path}"
                )
            elif file.size:
                what = "rejected rows with their reasons"
                if self.is_verification:
                    what = "rejected rows, and those who are missing or differ,"
                yield f"The {what} are in {file.path}, for a spreadsheet"

    def warnings(self) -> Iterator[str]:
        """Yield what is wrong with the rows that were read, also in a dry run."""
        yield from reject_lines(list(self.counts), are_kept=bool(self.rejects))
        yield from filter(None, (each.rounding() for each in self.counts))


def tell_findings(findings: Findings | None, *, sends_changes: bool) -> bool:
    """Tell on standard error what a verification has found.

    Args:
        findings: What it has found; None if there was nothing to look for.
        sends_changes: Whether a load sends no one who is unchanged in the stream.

    Returns:
        Whether everything is as the streams have it.
    """
    from target_dotdigital.verification import (  # noqa: PLC0415 - for it alone
        Findings,
        conclusion,
        verification_table,
    )

    findings = findings or Findings()
    if findings.is_empty:
        _logger.error(conclusion(findings))
        return False
    with suppress(OSError):  # nobody listens; the exit status tells
        sys.stderr.write(verification_table(findings, sends_changes=sends_changes))
        sys.stderr.flush()
    _logger.log(logging.INFO if findings.is_right else logging.ERROR, conclusion(findings))
    return findings.is_right
