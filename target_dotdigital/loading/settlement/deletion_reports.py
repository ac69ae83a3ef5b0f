"""From a deletion's report to what became of each contact in it.

A contact counts as deleted only when the report says so, one by one or by its sums.
Source: the vendor's OpenAPI file, contacts 3.4.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.account import identities_of
from target_dotdigital.api import DeletionSummary
from target_dotdigital.errors import DotdigitalError
from target_dotdigital.loading.settlement.reject_codes import reject_code
from target_dotdigital.loading.settlement.settlement import Settlement
from target_dotdigital.mapping import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from target_dotdigital.api import DeletionStatus, FailedDeletion
    from target_dotdigital.mapping import Contact

_NOT_THERE = "dotdigital.contactnotfound"


def settle_deletion(
    delete_id: str, report: DeletionStatus, contacts: Collection[Contact]
) -> Settlement:
    """Read the report of a deletion that has finished.

    Args:
        delete_id: The deletion's ID, for messages.
        report: Its report.
        contacts: What was sent.

    Raises:
        DotdigitalError: The report does not account for every contact.
    """
    settlement = Settlement()
    deleted = {canonical(one) for each in report.deleted or () for one in identities_of(each)}
    failed = _codes(report.failures or ())
    unlisted = []
    for contact in contacts:
        key = canonical(contact.key)
        code = failed.get(key)
        if key in deleted:
            settlement.deleted.append(contact)
        elif code is None:
            unlisted.append(contact)
        elif code.lower() == _NOT_THERE:
            settlement.unknown.append(contact)
        else:
            settlement.rejected.append((contact, code))
    if unlisted:
        sums = report.summary or DeletionSummary()
        gone = sums.deleted_contacts - len(settlement.deleted)
        unknown = sums.unknown_contacts - len(settlement.unknown)
        if min(gone, unknown) < 0 or gone + unknown != len(unlisted):
            raise DotdigitalError(
                f"Deletion {delete_id}: Dotdigital's report leaves out {len(unlisted)} of "
                f"{len(contacts)} contacts, whose rows are not settled"
            )
        settlement.deleted += unlisted[:gone]
        settlement.unknown += unlisted[gone:]
    return settlement


def _codes(failures: Iterable[FailedDeletion]) -> dict[str, str]:
    """Return the reject code of each contact that was not deleted, by canonical identity."""
    failed: dict[str, str] = {}
    for entry in failures:
        codes = [reject_code(failure.failure_code) for failure in entry.failures or ()]
        # Whatever else is told of it, a contact that is not there needs no deletion.
        codes.sort(key=lambda code: code.lower() != _NOT_THERE)
        for identity in identities_of(entry.identifier):
            failed.setdefault(canonical(identity), codes[0] if codes else reject_code(None))
    return failed
