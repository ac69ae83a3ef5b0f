"""Decide, contact by contact, what a part of an import creates, updates and refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.identifiers import (
    BUILT_IN,
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    Failure,
)
from target_dotdigital.sandbox.merging import SUPPRESSED, Account, Contact, merge, problems

if TYPE_CHECKING:
    from target_dotdigital.sandbox.directory import Directory
    from target_dotdigital.sandbox.identifiers import Identifiers
    from target_dotdigital.sandbox.import_body import ImportContact, MergeOption


class ContactReference(msgspec.Struct, frozen=True, rename="camel"):
    """How a report names a contact that was created or updated."""

    contact_id: int
    identifiers: dict[str, str]


class FailedContact(msgspec.Struct, frozen=True, rename="camel"):
    """How a report names a contact that failed: by its identifiers, as they were sent."""

    match_identifier: str
    identifiers: dict[str, str]
    failures: list[Failure]
    contact_id: int | UnsetType = UNSET


class Outcome(msgspec.Struct):
    """What became of the contacts of a part.

    Attributes:
        written: Contacts to write that are new or have other identifiers than before, in the
            order in which they were sent: an identifier may pass from one to the next.
        refreshed: Contacts to write that keep their e-mail address and mobile number.
        memberships: The IDs of the contacts that join, by the ID of the list.
        created: For the report.
        updated: For the report.
        failures: For the report.
        globally_suppressed: Contacts that failed because they may not be written to.
        invalid_entries: Contacts that failed because of their own data.
        duplicate_identifiers: Contacts that failed because of another contact.
    """

    written: list[Contact] = []
    refreshed: list[Contact] = []
    memberships: dict[int, set[int]] = {}
    created: list[ContactReference] = []
    updated: list[ContactReference] = []
    failures: list[FailedContact] = []
    globally_suppressed: int = 0
    invalid_entries: int = 0
    duplicate_identifiers: int = 0


@dataclass(slots=True)
class Plan:
    """The plan for one part of an import.

    Attributes:
        account: What contacts may refer to.
        directory: Every contact that has any identifier of the part.
        taken: IDs of the contacts that this import has written already. Grows.
        merge_option: The import's.
        now: The time of writing (ISO 8601, UTC).
        next_contact_id: The ID that the next new contact gets.
        outcome: Grows with every contact that is added.
    """

    account: Account
    directory: Directory
    taken: set[int]
    merge_option: MergeOption
    now: str
    next_contact_id: int
    outcome: Outcome = field(default_factory=Outcome)

    def add(self, sent: ImportContact, identifiers: Identifiers, failures: list[Failure]) -> None:
        """Add a contact to the plan.

        Args:
            sent: The contact as sent.
            identifiers: Its identifiers, normalised.
            failures: Identifiers that are invalid.
        """
        failures = failures + problems(sent, self.account)
        match = sent.match_identifier
        is_misspelt = match.lower() in BUILT_IN and match not in BUILT_IN.values()
        if is_misspelt and match not in sent.identifiers:
            failures.append(Failure("invalidMatchIdentifier", "Unknown matchIdentifier"))
        value = identifiers.get(match)
        existing = None if value is None else self.directory.find(match, value)
        if failures:
            self.outcome.invalid_entries += 1
        elif value is None or not (existing or identifiers.email or identifiers.mobile_number):
            failures.append(
                Failure("noValidIdentifiers", f"Nothing to match or create by '{match}'")
            )
            self.outcome.invalid_entries += 1
        elif self._is_suppressed(existing, identifiers):
            failures.append(Failure("globallySuppressed", "The contact is suppressed"))
            self.outcome.globally_suppressed += 1
        elif failure := self._clash(match, existing, identifiers):
            failures.append(failure)
            self.outcome.duplicate_identifiers += 1
        else:
            self._write(sent, existing, identifiers)
            return
        self._fail(sent, existing, failures)

    def _is_suppressed(self, existing: Contact | None, identifiers: Identifiers) -> bool:
        # A new address can be barred as well: another contact has it.
        owner = self.directory.find(EMAIL, identifiers.email) if identifiers.email else None
        return any(one and one.email_status == SUPPRESSED for one in (existing, owner))

    def _clash(
        self, match: str, existing: Contact | None, identifiers: Identifiers
    ) -> Failure | None:
        if existing and existing.id in self.taken:
            return Failure(
                "duplicateIdentifier",
                f"Duplicate identifier detected for {match} '{identifiers.get(match)}'",
            )
        for name in (CONTACT_ID, EMAIL, MOBILE_NUMBER, *identifiers.custom):
            value = identifiers.get(name)
            owner = None if value is None else self.directory.find(name, value)
            if owner and owner is not existing:
                return Failure("identifierConflict", f"'{name}' belongs to another contact")
        return None

    def _write(
        self, sent: ImportContact, existing: Contact | None, identifiers: Identifiers
    ) -> None:
        if existing is None:
            contact = Contact(self.next_contact_id, created=self.now, updated=self.now)
            self.next_contact_id += 1
        else:
            contact = existing
            contact.updated = self.now
            self.directory.leave(contact)
        before = (contact.email, contact.mobile_number)
        merge(contact, sent, identifiers, self.merge_option)
        self.directory.enter(contact)
        self.taken.add(contact.id)
        reference = ContactReference(contact.id, reported_identifiers(contact))
        (self.outcome.updated if existing else self.outcome.created).append(reference)
        if existing and before == (contact.email, contact.mobile_number):
            self.outcome.refreshed.append(contact)
        else:
            self.outcome.written.append(contact)
        for list_id in sent.lists or ():
            self.outcome.memberships.setdefault(list_id, set()).add(contact.id)
        self._report_what_was_not_applied(sent, contact)

    def _report_what_was_not_applied(self, sent: ImportContact, contact: Contact) -> None:
        # The contact is imported, and it is in the failures: so does the vendor report a data
        # set that was refused. The sandbox keeps neither of these yet, and must not seem to.
        failures = []
        if sent.consent_records is not UNSET:
            failures.append(
                Failure("consentRecordsNotApplied", "The sandbox keeps no consent records")
            )
        if sent.preferences is not UNSET:
            failures.append(Failure("preferencesNotApplied", "The sandbox keeps no preferences"))
        if failures:
            self._fail(sent, contact, failures)

    def _fail(self, sent: ImportContact, existing: Contact | None, failures: list[Failure]) -> None:
        contact_id = sent.identifiers.get(CONTACT_ID, UNSET)
        if existing:
            contact_id = existing.id
        named = {name: str(value) for name, value in sent.identifiers.items()}
        if isinstance(contact_id, int) and contact_id >= 0:
            named.pop(CONTACT_ID, None)
        else:
            contact_id = UNSET
        self.outcome.failures.append(
            FailedContact(sent.match_identifier, named, failures, contact_id)
        )


def reported_identifiers(contact: Contact) -> dict[str, str]:
    """Return the identifiers by which answers name a contact: those it has, the ID excepted."""
    identifiers = dict(contact.custom)
    if contact.email is not None:
        identifiers[EMAIL] = contact.email
    if contact.mobile_number is not None:
        identifiers[MOBILE_NUMBER] = contact.mobile_number
    return identifiers
