"""From an import's report to what became of each contact in it.

The report names contacts by their identifiers only, and nearly every part of it is optional. A
contact counts as imported only when the report says so, one by one or by its sums.
Source: https://developer.dotdigital.com/reference/getimportstatus.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.api import ImportSummary
from target_dotdigital.errors import DotdigitalError, SettingsError
from target_dotdigital.mapping import CONTACT_ID, normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from target_dotdigital.api import FailedContact, ImportStatus, WrittenContact
    from target_dotdigital.mapping import Contact

_SAFE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
CONFLICTS = frozenset(
    {
        "dotdigital.duplicate",
        "dotdigital.duplicateidentifier",
        "dotdigital.duplicateidentifiers",
        "dotdigital.identifierconflict",
        "dotdigital.idalreadyexists",
        "dotdigital.http409",
    }
)
"""Reject codes, in lower case, of a contact of which another one owns an identifier. Which of them
an import reports is not documented; the last three are those of single contacts."""

_WRONG_ADDRESS_BOOK = "dotdigital.invalidaddressbookids"


@dataclass(slots=True)
class Settlement:
    """What became of a load's contacts.

    All of them are in exactly one of `imported`, `left`, `deleted`, `unknown`, `rejected` and
    `unnamed`.
    """

    imported: list[Contact] = field(default_factory=list)
    new: list[Contact] = field(default_factory=list)
    """Of the imported ones: those that the report tells to be new to the account."""
    updated: list[Contact] = field(default_factory=list)
    """Of the imported ones: those that the report tells to have been there."""
    left: list[Contact] = field(default_factory=list)
    """Contacts that have left the address book."""
    deleted: list[Contact] = field(default_factory=list)
    """Contacts that were deleted from the account."""
    unknown: list[Contact] = field(default_factory=list)
    """Contacts that were to leave, and are not there."""
    rejected: list[tuple[Contact, str]] = field(default_factory=list)
    """Contacts with their reject codes."""
    unnamed: list[Contact] = field(default_factory=list)
    """Contacts of which Dotdigital tells only how many were refused, and not which."""
    unnamed_codes: Counter[str] = field(default_factory=Counter)
    """How many of `unnamed` were refused, by reject code; the others were imported."""
    warnings: list[tuple[Contact, str]] = field(default_factory=list)
    """Imported contacts of which a part was refused, with its code."""
    unmatched: Counter[str] = field(default_factory=Counter)
    """Failures of contacts that were not sent, by code."""
    ids: list[tuple[Contact, int]] = field(default_factory=list)
    """Contact IDs that a report tells, of contacts that a mirror holds."""

    def add(self, other: Settlement) -> None:
        """Take another part of the same import in.

        Args:
            other: What became of the contacts of that part.
        """
        self.imported += other.imported
        self.new += other.new
        self.updated += other.updated
        self.left += other.left
        self.deleted += other.deleted
        self.unknown += other.unknown
        self.rejected += other.rejected
        self.unnamed += other.unnamed
        self.unnamed_codes += other.unnamed_codes
        self.warnings += other.warnings
        self.unmatched += other.unmatched
        self.ids += other.ids


def reject_code(failure_code: str | None) -> str:
    """Return the reject code for one of Dotdigital's, as it spells it, first letter in lower case.

    Args:
        failure_code: Dotdigital's code; anything that does not look like one is not repeated.
    """
    if failure_code is None or not _SAFE_CODE.fullmatch(failure_code):
        return "dotdigital.unknown"
    return f"dotdigital.{failure_code[0].lower()}{failure_code[1:]}"


def settle(import_id: str, report: ImportStatus, contacts: Collection[Contact]) -> Settlement:
    """Read the report of an import that has finished.

    Args:
        import_id: The import's ID, for messages.
        report: Its report.
        contacts: What was sent.

    Raises:
        SettingsError: The address book is gone.
        DotdigitalError: The report does not account for every contact.
    """
    settlement = Settlement()
    unlisted: Collection[Contact] = contacts
    if report.created or report.updated or report.failures:
        unlisted = _settle_listed(import_id, report, settlement, contacts)
    if unlisted:
        _settle_unlisted(import_id, report.summary, settlement, unlisted)
    return settlement


def _settle_listed(
    import_id: str, report: ImportStatus, settlement: Settlement, contacts: Collection[Contact]
) -> list[Contact]:
    """Settle by the report's lists; return the contacts that are in none."""
    sent = {identity: contact for contact in contacts for identity in contact.identities}
    spellings = {name.lower(): name for name in {each.partition(":")[0] for each in sent}}
    created, updated = (
        {identity for entry in entries or () for identity in _identities(entry, spellings)}
        for entries in (report.created, report.updated)
    )
    failed, failures, codes = _failures(report.failures or (), spellings)
    if any(code.lower() == _WRONG_ADDRESS_BOOK for code in codes):
        raise SettingsError(f"Import {import_id}: Dotdigital does not know the address book (now)")
    unlisted = []
    for contact in contacts:
        code = None
        if failed:
            code = next((failed[one] for one in contact.identities if one in failed), None)
        is_new = contact.key in created
        if is_new or contact.key in updated:
            settlement.imported.append(contact)
            (settlement.new if is_new else settlement.updated).append(contact)
            if code is not None:
                settlement.warnings.append((contact, code))
        elif code is not None:
            settlement.rejected.append((contact, code))
        else:
            unlisted.append(contact)
    for identities, code in failures:
        if sent.keys().isdisjoint(identities):
            settlement.unmatched[code] += 1
    if any(row.identity_set is not None for contact in contacts for row in contact.rows):
        settlement.ids += _ids(report, sent, spellings)
    return unlisted


def _ids(
    report: ImportStatus, sent: Mapping[str, Contact], spellings: Mapping[str, str]
) -> Iterator[tuple[Contact, int]]:
    """Yield the contact IDs that a report tells, each with the contacts that it may be of."""
    by_identity_set = {row.identity_set: each for each in sent.values() for row in each.rows}
    for entry in (*(report.created or ()), *(report.updated or ()), *(report.failures or ())):
        if entry.contact_id is None:
            continue
        named = _identities(entry, spellings)
        # If Dotdigital spells the identifiers in a way of its own, it may be of any contact.
        owners = [sent[one] for one in named if one in sent] or by_identity_set.values()
        for contact in owners:
            yield contact, entry.contact_id


def _settle_unlisted(
    import_id: str,
    summary: ImportSummary | None,
    settlement: Settlement,
    unlisted: Collection[Contact],
) -> None:
    """Settle by the report's sums what its lists leave out."""
    sums = summary or ImportSummary()
    written = sums.new_contacts + sums.updated_contacts - len(settlement.imported)
    refused = Counter(
        {
            "dotdigital.globallySuppressed": sums.globally_suppressed,
            "dotdigital.invalidEntries": sums.invalid_entries,
            "dotdigital.duplicateIdentifiers": sums.duplicate_identifiers,
        }
    )
    add_up = written >= 0 and min(refused.values()) >= 0
    if add_up and written == len(unlisted):
        settlement.imported += unlisted
        if sums.updated_contacts == len(settlement.updated):
            settlement.new += unlisted
        elif sums.new_contacts == len(settlement.new):
            settlement.updated += unlisted
    elif add_up and not settlement.rejected and written + sum(refused.values()) == len(unlisted):
        settlement.unnamed += unlisted
        settlement.unnamed_codes += refused
    else:
        known = len(settlement.imported) + len(settlement.rejected)
        raise DotdigitalError(
            f"Import {import_id}: the report accounts for {known} of {known + len(unlisted)} "
            "contacts; the others are unsettled"
        )


def _failures(
    entries: Collection[FailedContact], spellings: Mapping[str, str]
) -> tuple[dict[str, str], list[tuple[set[str], str]], set[str]]:
    """Return the first code by identity, every entry's identities and code, and all codes."""
    by_identity: dict[str, str] = {}
    listed = []
    all_codes: set[str] = set()
    for entry in entries:
        codes = [reject_code(failure.failure_code) for failure in entry.failures or ()]
        all_codes.update(codes)
        code = codes[0] if codes else reject_code(None)
        identities = _identities(entry, spellings)
        if entry.match_identifier is not None:
            # Its other identifiers may be those of a contact that is all right.
            match = entry.match_identifier.lower()
            start = f"{spellings.get(match, entry.match_identifier)}:"
            identities = {each for each in identities if each.startswith(start)} or identities
        for identity in identities:
            by_identity.setdefault(identity, code)
        listed.append((identities, code))
    return by_identity, listed, all_codes


def _identities(entry: WrittenContact | FailedContact, spellings: Mapping[str, str]) -> set[str]:
    """Return an entry's identifiers, normalised, however the report spells their names.

    Args:
        entry: Of the report.
        spellings: The names of identifiers that were sent, by their lower-case form.
    """
    found = {
        normalise(spellings.get(name.lower(), name), value)
        for name, value in (entry.identifiers or {}).items()
        if value is not None
    }
    if entry.contact_id is not None:
        found.add(normalise(CONTACT_ID, entry.contact_id))
    return found
