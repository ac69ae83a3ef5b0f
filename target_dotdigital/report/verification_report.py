"""The result of a verification as plain data, for programs.

The schema of the JSON is `verification.schema.json` in the package `target_dotdigital`.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from target_dotdigital.loading import ACCOUNT
from target_dotdigital.verification import Findings, conclusion

if TYPE_CHECKING:
    from target_dotdigital.report.model import Outcome, RunStatus

VERSION: Final = 1
"""Of the shape. It grows when something is renamed or dropped, not when something is added."""


class FoundContacts(msgspec.Struct, frozen=True):
    """Contacts by what was found of them."""

    in_the_stream: int
    """as_it_should_be + differing + missing."""
    as_it_should_be: int
    differing: int
    missing: int
    not_in_the_account: int
    opted_out: int
    extra: int
    still_there: int


class FoundAddressBook(FoundContacts, frozen=True, kw_only=True):
    """The same of an address book, or of the account without one."""

    id: int | None
    name: str | None


class VerificationReport(msgspec.Struct, frozen=True):
    """What `--verify` writes beside the report."""

    version: int
    kind: Literal["verification"]
    status: RunStatus
    """Succeeded only if everything is as the stream has it."""
    reason: str | None
    is_complete: bool
    """Whether everyone was looked for, so that the counts are those of the whole stream."""
    target: str
    host: str | None
    started: str
    ended: str
    totals: FoundContacts
    """Each contact once."""
    rejected_rows: int
    differing_in: dict[str, int]
    address_books: list[FoundAddressBook]


def verification_report(
    outcome: Outcome, findings: Findings | None, host: str | None, started: str, *, ended: str
) -> VerificationReport:
    """Return what a verification has found.

    Args:
        outcome: How the run ended.
        findings: What it has found; None if nothing was compared.
        host: What was called; None if nothing was.
        started: When it began, in ISO 8601.
        ended: When it ended.
    """
    found = Findings() if findings is None else findings
    status, reason = outcome.status, outcome.reason
    if status == "succeeded" and not found.is_right:
        status, reason = "failed", conclusion(found)
    return VerificationReport(
        version=VERSION,
        kind="verification",
        status=status,
        reason=reason,
        is_complete=found.is_done and not found.problems,
        target=f"target-dotdigital {version('target-dotdigital')}",
        host=host,
        started=started,
        ended=ended,
        totals=FoundContacts(**asdict(found.all)),
        rejected_rows=found.rejected,
        differing_in=dict(found.differing.most_common()),
        address_books=[
            FoundAddressBook(
                id=number if number > ACCOUNT else None,
                name=found.names.get(number),
                **asdict(place),
            )
            for number, place in sorted(found.places.items())
        ],
    )
