"""The plan of a write: what it creates, updates and refuses, decided contact by contact."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.account import load_definitions
from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.contacts.merge import merge
from target_dotdigital.sandbox.contacts.records import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    SUPPRESSED,
    Contact,
    Failure,
    find_contacts,
    is_consent_record,
    reported_identifiers,
)
from target_dotdigital.sandbox.contacts.validation import validate
from target_dotdigital.sandbox.storage import next_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from target_dotdigital.sandbox.account import Definitions
    from target_dotdigital.sandbox.contacts.records import (
        ConsentRecord,
        ContactIndex,
        Identifiers,
        MergeOption,
        Preference,
        SentContact,
    )
    from target_dotdigital.sandbox.faults import Switches

DUPLICATE = "duplicateIdentifier"
CONFLICT = "identifierConflict"
GLOBALLY_SUPPRESSED = "globallySuppressed"


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


@dataclass(slots=True, kw_only=True)
class Plan:
    """The plan for some contacts that are written together.

    Attributes:
        definitions: What contacts may refer to.
        index: Every contact that has any identifier of those that are sent.
        written_ids: IDs of the contacts that the same import has written already. Grows.
        merge_option: What happens to values that are there already.
        now: The time of writing (ISO 8601, UTC).
        next_contact_id: The ID that the next new contact gets.
        switches: What Dotdigital's documents leave open.
        outcome: Grows with every contact that is added.
    """

    definitions: Definitions
    index: ContactIndex
    written_ids: set[int]
    merge_option: MergeOption
    now: str
    next_contact_id: int
    switches: Switches
    outcome: Outcome = field(default_factory=Outcome)

    def add(
        self,
        sent: SentContact,
        identifiers: Identifiers,
        failures: Sequence[Failure],
        existing: Contact | None = None,
    ) -> None:
        """Add a contact to the plan.

        Args:
            sent: The contact as sent.
            identifiers: Its identifiers, normalised.
            failures: Identifiers that are invalid.
            existing: The contact that it is, if that is known. Otherwise it is looked up.
        """
        existing = existing or self._find(sent, identifiers)
        validated = validate(sent, self.definitions, self.switches)
        problems = [*failures, *validated.failures]
        if not problems:
            problems = self._obstacles(sent.match_identifier, existing, identifiers)
        if problems:
            self._refuse(sent, existing, problems)
            return
        contact = self._write(validated.contact, existing, identifiers)
        if validated.warnings:
            self._report(sent, contact, validated.warnings)

    def refuse(self, sent: SentContact, identifiers: Identifiers, failure: Failure) -> None:
        """Add a contact that fails whatever the account holds.

        Args:
            sent: The contact, as far as it could be read.
            identifiers: Its identifiers, normalised.
            failure: Why.
        """
        self._refuse(sent, self._find(sent, identifiers), [failure])

    def _find(self, sent: SentContact, identifiers: Identifiers) -> Contact | None:
        value = identifiers.get(sent.match_identifier)
        return None if value is None else self.index.find(sent.match_identifier, value)

    def _obstacles(
        self, match: str, existing: Contact | None, identifiers: Identifiers
    ) -> list[Failure]:
        """Return the first reason why a contact without problems cannot be written."""
        is_reachable = identifiers.email or identifiers.mobile_number
        if identifiers.get(match) is None or not (existing or is_reachable):
            description = f"Nothing to match or create by '{match}'"
            return [Failure("noValidIdentifiers", description)]
        if self._is_suppressed(existing, identifiers):
            return [Failure(GLOBALLY_SUPPRESSED, "The contact is suppressed")]
        conflict = self._conflict(match, existing, identifiers)
        return [] if conflict is None else [conflict]

    def _is_suppressed(self, existing: Contact | None, identifiers: Identifiers) -> bool:
        # A new address can be barred as well: another contact has it.
        owner = self.index.find(EMAIL, identifiers.email) if identifiers.email else None
        return any(one and one.email_status == SUPPRESSED for one in (existing, owner))

    def _conflict(
        self, match: str, existing: Contact | None, identifiers: Identifiers
    ) -> Failure | None:
        if existing and existing.id in self.written_ids:
            return Failure(
                DUPLICATE,
                f"Duplicate identifier detected for {match} '{identifiers.get(match)}'",
            )
        for name in (CONTACT_ID, EMAIL, MOBILE_NUMBER, *identifiers.custom):
            value = identifiers.get(name)
            owner = None if value is None else self.index.find(name, value)
            if owner and owner is not existing:
                return Failure(CONFLICT, f"'{name}' belongs to another contact")
        return None

    def _write(
        self, sent: SentContact, existing: Contact | None, identifiers: Identifiers
    ) -> Contact:
        if existing is None:
            contact = Contact(self.next_contact_id, created=self.now, updated=self.now)
            self.next_contact_id += 1
        else:
            contact = existing
            contact.updated = self.now
            self.index.remove(contact)
        before = (contact.email, contact.mobile_number)
        merge(contact, sent, identifiers, self.merge_option, self.switches)
        self.index.add(contact)
        self.written_ids.add(contact.id)
        reference = ContactReference(contact.id, reported_identifiers(contact))
        (self.outcome.updated if existing else self.outcome.created).append(reference)
        if existing and before == (contact.email, contact.mobile_number):
            self.outcome.refreshed.append(contact)
        else:
            self.outcome.written.append(contact)
        for list_id in sent.lists or ():
            self.outcome.memberships.setdefault(list_id, set()).add(contact.id)
        self._add_consent(sent, contact)
        return contact

    def _add_consent(self, sent: SentContact, contact: Contact) -> None:
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
            if self._are_preferences(sent.preferences):
                self.outcome.preferences[contact.id] = sent.preferences
            else:
                failures.append(
                    Failure("preferencesNotApplied", "The provided preferences do not exist")
                )
        if failures:
            self._report(sent, contact, failures)

    def _are_preferences(self, sent: Sequence[Preference]) -> bool:
        if self.switches.unknown_preference == "taken":
            return all(one.id > 0 for one in sent)
        return self.definitions.preferences.issuperset(one.id for one in sent)

    def _refuse(self, sent: SentContact, existing: Contact | None, failures: list[Failure]) -> None:
        code = failures[0].failure_code
        if code == GLOBALLY_SUPPRESSED:
            self.outcome.globally_suppressed += 1
        elif code in {DUPLICATE, CONFLICT}:
            self.outcome.duplicate_identifiers += 1
        else:
            self.outcome.invalid_entries += 1
        self._report(sent, existing, failures)

    def _report(self, sent: SentContact, existing: Contact | None, failures: list[Failure]) -> None:
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


def load_plan(
    connection: sqlite3.Connection,
    wanted: Sequence[Identifiers],
    merge_option: MergeOption,
    switches: Switches,
    written_ids: set[int],
) -> Plan:
    """Begin a plan with what the account holds.

    Args:
        connection: In a transaction, while the contacts are held.
        wanted: Identifiers of the contacts that will be added.
        merge_option: What happens to values that are there already.
        switches: What Dotdigital's documents leave open.
        written_ids: IDs of the contacts that the same import has written already.
    """
    return Plan(
        definitions=load_definitions(connection),
        index=find_contacts(connection, wanted),
        written_ids=written_ids,
        merge_option=merge_option,
        now=timestamp(),
        next_contact_id=next_id(connection, "contact"),
        switches=switches,
    )
