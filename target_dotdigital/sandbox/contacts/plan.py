"""The plan of a write: what it creates, updates and refuses, decided contact by contact."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from target_dotdigital.sandbox.account import domain_of, find_suppressed, load_definitions
from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.contacts.merge import merge
from target_dotdigital.sandbox.contacts.outcome import (
    CONFLICTS,
    DUPLICATE,
    GLOBALLY_SUPPRESSED,
    SUPPRESSED_BY_DOMAIN,
    SUPPRESSIONS,
    ContactReference,
    FailedContact,
    Outcome,
)
from target_dotdigital.sandbox.contacts.records import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    NO_SUBSCRIPTION,
    SUPPRESSED,
    Contact,
    Failure,
    find_contacts,
    find_deleted_contacts,
    identifiers_of,
    is_consent_record,
    reported_identifiers,
)
from target_dotdigital.sandbox.contacts.validation import validate
from target_dotdigital.sandbox.storage import next_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence

    from target_dotdigital.sandbox.account import Definitions
    from target_dotdigital.sandbox.contacts.records import (
        ContactIndex,
        Identifiers,
        MergeOption,
        Preference,
        SentContact,
    )
    from target_dotdigital.sandbox.faults import Switches


@dataclass(slots=True, kw_only=True)
class Plan:
    """The plan for some contacts that are written together.

    Attributes:
        definitions: What contacts may refer to.
        index: Every contact that has any identifier of those that are sent.
        deleted: The same of contacts in the recycle bin.
        suppressed: Addresses and domains that may not be written to, of those concerned.
        written_ids: IDs of the contacts that the same import has written already. Grows.
        merge_option: What happens to values that are there already.
        now: The time of writing (ISO 8601, UTC).
        next_contact_id: The ID that the next new contact gets.
        switches: What Dotdigital's documents leave open.
        outcome: Grows with every contact that is added.
    """

    definitions: Definitions
    index: ContactIndex
    deleted: ContactIndex
    suppressed: Collection[str]
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
        existing = existing or self.find(sent.match_identifier, identifiers)
        validated = validate(sent, self.definitions, self.switches)
        problems = [*failures, *validated.failures]
        if not problems:
            problems = [*islice(self._obstacles(sent.match_identifier, existing, identifiers), 1)]
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
        self._refuse(sent, self.find(sent.match_identifier, identifiers), [failure])

    def find(self, match: str, identifiers: Identifiers) -> Contact | None:
        """Return the contact that is matched: one of the account, or else of the recycle bin.

        Args:
            match: The name of the identifier that it is matched by.
            identifiers: What was sent, normalised.
        """
        value = identifiers.get(match)
        if value is None:
            return None
        if live := self.index.find(match, value):
            return live
        deleted = self.deleted.find(match, value)
        # The same import may have restored it, and changed this identifier.
        return None if deleted is None or self._is_live(deleted) else self._without_taken(deleted)

    def _is_live(self, contact: Contact) -> bool:
        return self.index.find(CONTACT_ID, contact.id) is not None

    def _without_taken(self, deleted: Contact) -> Contact:
        """Return a deleted contact without identifiers that others, or nobody, may have now."""
        contact = msgspec.structs.replace(deleted)
        if contact.email and self.index.find(EMAIL, contact.email):
            contact.email, contact.email_status = None, NO_SUBSCRIPTION
        if contact.mobile_number and self.index.find(MOBILE_NUMBER, contact.mobile_number):
            contact.mobile_number = None
            contact.sms_status = contact.whatsapp_status = NO_SUBSCRIPTION
        contact.custom = {
            name: value
            for name, value in contact.custom.items()
            if name in self.definitions.identifiers and not self.index.find(name, value)
        }
        return contact

    def _obstacles(
        self, match: str, existing: Contact | None, identifiers: Identifiers
    ) -> Iterator[Failure]:
        """Yield the reasons why a contact without problems cannot be written."""
        reachable = [identifiers.email, identifiers.mobile_number]
        if existing:
            reachable += [existing.email, existing.mobile_number]
        if identifiers.get(match) is None or not any(reachable):
            yield Failure("noValidIdentifiers", f"Nothing to match or create by '{match}'")
        if self._is_unknown_id(existing, identifiers):
            yield Failure("invalidContactId", f"No contact has this '{CONTACT_ID}'")
        yield from self._suppressions(existing, identifiers)
        yield from self._conflicts(match, existing, identifiers)

    def _is_unknown_id(self, existing: Contact | None, identifiers: Identifiers) -> bool:
        if existing or identifiers.contact_id is None:
            return False
        is_known = self.index.find(CONTACT_ID, identifiers.contact_id)
        return not is_known and self.switches.unknown_contact_id == "invalidContactId"

    def _suppressions(
        self, existing: Contact | None, identifiers: Identifiers
    ) -> Iterator[Failure]:
        for email in (identifiers.email, existing.email if existing else None):
            if email is None:
                continue
            if email in self.suppressed:
                yield Failure(GLOBALLY_SUPPRESSED, "The address is on the suppression list")
            if domain_of(email) in self.suppressed:
                yield Failure(SUPPRESSED_BY_DOMAIN, "The domain is on the suppression list")
        if self.switches.suppressed == "refused":
            # A new address can be barred as well: another contact has it.
            owner = self.index.find(EMAIL, identifiers.email) if identifiers.email else None
            if any(one and one.email_status == SUPPRESSED for one in (existing, owner)):
                yield Failure(GLOBALLY_SUPPRESSED, "The contact is suppressed")

    def _conflicts(
        self, match: str, existing: Contact | None, identifiers: Identifiers
    ) -> Iterator[Failure]:
        if existing and existing.id in self.written_ids:
            yield Failure(
                DUPLICATE,
                f"Duplicate identifier detected for {match} '{identifiers.get(match)}'",
            )
        for name in (CONTACT_ID, EMAIL, MOBILE_NUMBER, *identifiers.custom):
            value = identifiers.get(name)
            owner = None if value is None else self.index.find(name, value)
            if owner and owner is not existing:
                yield Failure(self.switches.two_owners, f"'{name}' belongs to another contact")

    def _write(
        self, sent: SentContact, existing: Contact | None, identifiers: Identifiers
    ) -> Contact:
        is_live = existing is not None and self._is_live(existing)
        if existing is None:
            contact = Contact(self.next_contact_id, created=self.now, updated=self.now)
            self.next_contact_id += 1
        else:
            contact = existing
            contact.updated = self.now
            if is_live:
                self.index.remove(contact)
            else:
                self.outcome.restored.append(contact.id)
        before = (contact.email, contact.mobile_number)
        merge(contact, sent, identifiers, self.merge_option, self.switches)
        deleted = None if is_live else self.deleted.find(CONTACT_ID, contact.id)
        if deleted and deleted.email_status != contact.email_status:
            self.outcome.changed_statuses.append(contact.id)
        self.index.add(contact)
        self.written_ids.add(contact.id)
        reference = ContactReference(contact.id, reported_identifiers(contact))
        (self.outcome.updated if existing else self.outcome.created).append(reference)
        if is_live and before == (contact.email, contact.mobile_number):
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
        if code in SUPPRESSIONS:
            self.outcome.globally_suppressed += 1
        elif code == DUPLICATE or (
            code in CONFLICTS and self.switches.conflict_sum == "duplicateIdentifiers"
        ):
            self.outcome.duplicate_identifiers += 1
        else:
            self.outcome.invalid_entries += 1
        self._report(sent, existing, failures)

    def _report(self, sent: SentContact, existing: Contact | None, failures: list[Failure]) -> None:
        contact_id = sent.identifiers.get(CONTACT_ID, UNSET)
        if existing and self._is_live(existing):
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
    deleted = find_deleted_contacts(connection, wanted)
    # Whoever has got an identifier of a deleted contact since keeps it.
    index = find_contacts(connection, [*wanted, *map(identifiers_of, deleted)])
    concerned = (one.email for one in (*wanted, *index, *deleted))
    return Plan(
        definitions=load_definitions(connection),
        index=index,
        deleted=deleted,
        suppressed=find_suppressed(connection, concerned),
        written_ids=written_ids,
        merge_option=merge_option,
        now=timestamp(),
        next_contact_id=next_id(connection, "contact"),
        switches=switches,
    )
