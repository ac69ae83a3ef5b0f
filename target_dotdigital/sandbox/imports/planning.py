"""Decide, contact by contact, what a part of an import creates, updates and refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.account.consent import is_consent_record
from target_dotdigital.sandbox.account.identifiers import (
    BUILT_IN,
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    Failure,
)
from target_dotdigital.sandbox.account.merging import SUPPRESSED, Account, Contact, merge, problems
from target_dotdigital.sandbox.faults.switches import Switches
from target_dotdigital.sandbox.imports.rulings import DUPLICATE, rule

if TYPE_CHECKING:
    from target_dotdigital.sandbox.account.directory import Directory
    from target_dotdigital.sandbox.account.identifiers import Identifiers
    from target_dotdigital.sandbox.imports.import_body import (
        ConsentRecord,
        ImportContact,
        MergeOption,
        Preference,
    )


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
        preferences: To set, by the contact's ID.
        consent_records: To add, by the contact's ID.
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
    preferences: dict[int, list[Preference]] = {}
    consent_records: dict[int, list[ConsentRecord]] = {}
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
        switches: What Dotdigital's documents leave open.
        outcome: Grows with every contact that is added.
    """

    account: Account
    directory: Directory
    taken: set[int]
    merge_option: MergeOption
    now: str
    next_contact_id: int
    switches: Switches = field(default_factory=Switches)
    outcome: Outcome = field(default_factory=Outcome)

    def add(
        self,
        sent: ImportContact,
        identifiers: Identifiers,
        failures: list[Failure],
        existing: Contact | None = None,
    ) -> None:
        """Add a contact to the plan.

        Args:
            sent: The contact as sent.
            identifiers: Its identifiers, normalised.
            failures: Identifiers that are invalid.
            existing: The contact that it is, if that is known. Otherwise it is looked up.
        """
        ruling = rule(sent, self.account, self.switches)
        sent = ruling.contact
        failures = failures + ruling.failures + problems(sent, self.account)
        match = sent.match_identifier
        is_misspelt = match.lower() in BUILT_IN and match not in BUILT_IN.values()
        if is_misspelt and match not in sent.identifiers:
            failures.append(Failure("invalidMatchIdentifier", "Unknown matchIdentifier"))
        value = identifiers.get(match)
        if existing is None and value is not None:
            existing = self.directory.find(match, value)
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
            if ruling.remarks:
                self._fail(sent, self.directory.find(match, value), ruling.remarks)
            return
        self._fail(sent, existing, failures)

    def refuse(self, sent: ImportContact, identifiers: Identifiers, failure: Failure) -> None:
        """Add a contact that fails whatever the account holds.

        Args:
            sent: The contact, as far as it could be read.
            identifiers: Its identifiers, normalised.
            failure: Why.
        """
        if failure.failure_code == DUPLICATE:
            self.outcome.duplicate_identifiers += 1
        else:
            self.outcome.invalid_entries += 1
        value = identifiers.get(sent.match_identifier)
        existing = None if value is None else self.directory.find(sent.match_identifier, value)
        self._fail(sent, existing, [failure])

    def _is_suppressed(self, existing: Contact | None, identifiers: Identifiers) -> bool:
        # A new address can be barred as well: another contact has it.
        owner = self.directory.find(EMAIL, identifiers.email) if identifiers.email else None
        return any(one and one.email_status == SUPPRESSED for one in (existing, owner))

    def _clash(
        self, match: str, existing: Contact | None, identifiers: Identifiers
    ) -> Failure | None:
        if existing and existing.id in self.taken:
            return Failure(
                DUPLICATE,
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
        merge(contact, sent, identifiers, self.merge_option, self.switches)
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
        self._attach(sent, contact)

    def _attach(self, sent: ImportContact, contact: Contact) -> None:
        # A contact whose preferences or consents are at fault is imported without them, and is
        # in the failures all the same: so does the vendor report a data set that it refused.
        failures = []
        if sent.consent_records is not UNSET:
            if all(map(is_consent_record, sent.consent_records)):
                self.outcome.consent_records[contact.id] = sent.consent_records
            else:
                failures.append(
                    Failure(
                        "consentRecordsNotApplied",
                        "The provided consent records could not be applied as they were "
                        "incorrectly formatted",
                    )
                )
        if sent.preferences is not UNSET:
            if all(one.id > 0 for one in sent.preferences):
                self.outcome.preferences[contact.id] = sent.preferences
            else:
                failures.append(
                    Failure("preferencesNotApplied", "The provided preferences do not exist")
                )
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
