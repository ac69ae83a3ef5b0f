"""One contact at a time: create, merge, replace and delete it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.api.v3.contacts.replies import contact_not_found, find_contact
from target_dotdigital.sandbox.api.v3.contacts.requests import read_identifier
from target_dotdigital.sandbox.contacts import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    SUPPRESSIONS,
    Contact,
    clear_contact,
    delete_contacts,
    find_contacts,
    load_plan,
    matched_by,
    normalise_identifiers,
    write_plan,
)
from target_dotdigital.sandbox.http import Detail, v3_refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.sandbox.api.v3.contacts.replies import ContactReply
    from target_dotdigital.sandbox.api.v3.contacts.requests import NamedContact
    from target_dotdigital.sandbox.contacts import (
        ContactData,
        Failure,
        Identifiers,
        MergeOption,
        Plan,
    )
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.http import RefusalError
    from target_dotdigital.sandbox.storage import Store

INVALID_IDENTIFIERS = {
    "invalidContactId": CONTACT_ID,
    "invalidEmail": EMAIL,
    "invalidPhoneNumber": MOBILE_NUMBER,
}
"""Failures that a call about one contact answers as `contacts:invalidId`."""


class DeletedContact(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a deletion."""

    contact_id: int


class SingleContacts:
    """Contacts one at a time."""

    def __init__(self, store: Store, switches: Switches) -> None:
        """Keep what every call needs."""
        self._store = store
        self._switches = switches

    def create(self, sent: NamedContact) -> ContactReply:
        """Create a contact.

        Raises:
            RefusalError: 400, something of it is invalid; 409, another contact has an
                identifier of it.
        """
        if CONTACT_ID in sent.identifiers:
            raise v3_refusal("contacts:badRequest", "It is not possible to choose the contactId")
        identifiers, failures = _normalised(sent)
        name = EMAIL if identifiers.email else MOBILE_NUMBER
        with self._store.contacts:
            plan = self._plan([identifiers])
            _insist_on_own(plan, None, identifiers)
            plan.add(matched_by(name, sent), identifiers, failures)
            return self._write(plan)

    def merge(
        self, name: str, value: str, sent: ContactData, option: MergeOption
    ) -> tuple[ContactReply, bool]:
        """Update the contact that has an identifier, restore it if it is deleted, or create it.

        Args:
            name: The identifier's name.
            value: Its value.
            sent: The rest. An identifier of that name in it becomes the new one.
            option: What happens to values that are there already.

        Returns:
            The contact, and whether it is new.

        Raises:
            RefusalError: 400, something of it is invalid; 409, another contact has an
                identifier of it.
        """
        wanted = read_identifier(name, value)
        key = wanted.get(name) or 0
        complete = msgspec.structs.replace(sent, identifiers={name: key, **sent.identifiers})
        identifiers, failures = _normalised(complete)
        with self._store.contacts:
            plan = self._plan([wanted, identifiers], option)
            existing = plan.find(name, wanted)
            _insist_on_own(plan, existing, identifiers)
            plan.add(matched_by(name, complete), identifiers, failures, existing)
            return self._write(plan), bool(plan.outcome.created)

    def replace(self, name: str, value: str, sent: NamedContact) -> ContactReply:
        """Replace the whole contact that has an identifier: what is not sent is emptied.

        Channels keep their status unless one is sent, and consents once given stay on record:
        the request has no place for them.

        Args:
            name: The identifier's name.
            value: Its value.
            sent: All of the contact.

        Raises:
            RefusalError: 400, something of it is invalid, or another contact has an identifier
                of it; 404, no contact has it.
        """
        wanted = read_identifier(name, value)
        sent = msgspec.structs.replace(sent, consent_records=msgspec.UNSET)
        identifiers, failures = _normalised(sent)
        if not (failures or identifiers.email or identifiers.mobile_number):
            raise v3_refusal("contacts:badRequest", "A contact has an email or a mobileNumber")
        with self._store.contacts:
            plan = self._plan([wanted, identifiers])
            existing = plan.index.find(name, wanted.get(name) or 0)
            if existing is None:
                raise contact_not_found(name, value)
            # The vendor's specification has no 409 for this call.
            _insist_on_own(plan, existing, identifiers, HTTPStatus.BAD_REQUEST)
            plan.index.remove(existing)
            _empty(existing, identifiers)
            plan.index.add(existing)
            match = EMAIL if identifiers.email else MOBILE_NUMBER
            plan.add(matched_by(match, sent), identifiers, failures, existing)
            # It is written with its identifiers even if those that are left are the same.
            plan.outcome.written += plan.outcome.refreshed
            plan.outcome.refreshed = []
            return self._write(plan, replaced=existing.id)

    def delete(self, name: str, value: str) -> DeletedContact:
        """Delete the contact that has an identifier, from the account.

        Raises:
            RefusalError: 400, no contact could have it; 404, none has it.
        """
        wanted = read_identifier(name, value)
        with self._store.contacts, self._store.writing() as connection:
            contact = find_contacts(connection, [wanted]).find(name, wanted.get(name) or 0)
            if contact is None:
                raise contact_not_found(name, value)
            delete_contacts(connection, [contact.id])
        return DeletedContact(contact.id)

    def _plan(self, wanted: Sequence[Identifiers], option: MergeOption = "overwrite") -> Plan:
        with self._store.reading() as connection:
            return load_plan(connection, wanted, option, self._switches, set())

    def _write(self, plan: Plan, replaced: int | None = None) -> ContactReply:
        """Write a plan of one contact, and answer it as it then is."""
        outcome = plan.outcome
        if outcome.failures:
            raise _refusal(outcome.failures[0].failures)
        contact = [*outcome.written, *outcome.refreshed][0]
        with self._store.writing() as connection:
            if replaced is not None:
                clear_contact(connection, replaced)
            write_plan(connection, plan)
            return find_contact(connection, CONTACT_ID, str(contact.id))


def _normalised(sent: ContactData) -> tuple[Identifiers, list[Failure]]:
    identifiers, failures = normalise_identifiers(sent.identifiers)
    for failure in failures:
        if name := INVALID_IDENTIFIERS.get(failure.failure_code):
            raise v3_refusal(
                "contacts:invalidId",
                f"The id value '{sent.identifiers[name]}' is invalid for the identifier '{name}'",
            )
    return identifiers, failures


def _insist_on_own(
    plan: Plan,
    existing: Contact | None,
    identifiers: Identifiers,
    status: HTTPStatus = HTTPStatus.CONFLICT,
) -> None:
    """Refuse identifiers of another contact, and an ID that is chosen by the client."""
    number = identifiers.contact_id
    if existing and number is not None and number != existing.id:
        raise v3_refusal("contacts:badRequest", "It is not possible to modify the contactId")
    for name in (EMAIL, MOBILE_NUMBER, *identifiers.custom):
        value = identifiers.get(name)
        owner = None if value is None else plan.index.find(name, value)
        if owner and owner is not existing:
            raise v3_refusal(
                f"contacts:{plan.switches.create_conflict}",
                f"The id value '{value}' for the identifier '{name}' already exists. "
                "All identifiers must be unique!",
                status=status,
            )


def _empty(contact: Contact, kept: Identifiers) -> None:
    blank = Contact(contact.id, contact.created, contact.updated)
    if contact.email and kept.email:
        blank.email, blank.email_status = contact.email, contact.email_status
    if contact.mobile_number and kept.mobile_number:
        blank.mobile_number = contact.mobile_number
        blank.sms_status = contact.sms_status
        blank.whatsapp_status = contact.whatsapp_status
    for field in Contact.__struct_fields__:
        setattr(contact, field, getattr(blank, field))


def _refusal(failures: Sequence[Failure]) -> RefusalError:
    code = failures[0].failure_code
    if code in SUPPRESSIONS:
        return v3_refusal(f"contacts:{code}", failures[0].description)
    if code in INVALID_IDENTIFIERS:
        return v3_refusal("contacts:invalidId", failures[0].description)
    details = [Detail(one.failure_code, one.description) for one in failures]
    return v3_refusal("contacts:badRequest", "Invalid contact data", *details)
