"""One contact at a time, as v2 writes it: by its e-mail address, or by its ID.

v2 does not write to whoever was unsubscribed or suppressed. Source:
developer.dotdigital.com/reference/unified-contacts.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import UNSET

from target_dotdigital.sandbox.account import opted_out_at, writable_address_book
from target_dotdigital.sandbox.api.v2.contacts.contact_bodies import (
    Along,
    channel_properties,
    contact_not_found,
    invalid_email,
    read_address,
    typed_fields,
)
from target_dotdigital.sandbox.contacts import (
    CONFLICTS,
    CONTACT_ID,
    DUPLICATE,
    EMAIL,
    SUPPRESSED,
    SUPPRESSIONS,
    UNSUBSCRIBED,
    Identifiers,
    SentContact,
    delete_contacts,
    find_contacts,
    load_plan,
    write_plan,
)
from target_dotdigital.sandbox.http import LARGEST_PARAMETER, RefusalError, v2_refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from target_dotdigital.sandbox.api.v2.contacts.contact_bodies import ContactBody
    from target_dotdigital.sandbox.contacts import Contact, ContactIndex, Plan
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.storage import Store

OPTED_OUT = frozenset({UNSUBSCRIBED, SUPPRESSED})

CONTACT_SUPPRESSED = "ERROR_CONTACT_SUPPRESSED"

NOTHING_ELSE = Along()

PREFERENCE_NOT_FOUND = "ERROR_PREFERENCE_NOT_FOUND"

REFUSALS = {
    "invalidEmail": ("ERROR_INVALID_EMAIL", "The email address of the contact is invalid."),
    **dict.fromkeys(
        (DUPLICATE, *CONFLICTS), ("ERROR_NON_UNIQUE_EMAIL", "The email address is not unique.")
    ),
    "apiSchemaViolation": ("ERROR_DATAFIELD_INVALID", "A data field's value is invalid."),
    "preferencesNotApplied": (PREFERENCE_NOT_FOUND, "Error:"),
    **dict.fromkeys(SUPPRESSIONS, (CONTACT_SUPPRESSED, "Contact is suppressed.")),
}
"""v2's codes for the failures of an import."""

INVALID = ("ERROR_CONTACT_INVALID", "The contact is invalid.")
"""For any other failure."""


def read_name(name: str) -> Identifiers:
    """Read what a path names a contact by: digits are an ID, all else is an address.

    Raises:
        RefusalError: 404, no contact could have it.
    """
    if name.isascii() and name.isdigit():
        # Longer than any ID: Python refuses to read numbers of thousands of digits.
        is_id = len(name) <= len(str(LARGEST_PARAMETER))
        return Identifiers(contact_id=int(name) if is_id else 0)
    try:
        return read_address(name)
    except RefusalError:
        raise contact_not_found() from None


def named_in(body: ContactBody) -> Identifiers:
    """Return what a body names a contact by: its address, or else its ID.

    Raises:
        RefusalError: 400, there is neither, or the address is none.
    """
    if body.email:
        return read_address(body.email)
    if body.id > 0:
        return Identifiers(contact_id=body.id)
    raise invalid_email()


def find_named(index: ContactIndex, named: Identifiers) -> Contact | None:
    """Return the contact that is named, if it has an address: v2 knows no others."""
    if named.email:
        return index.find(EMAIL, named.email)
    contact = index.find(CONTACT_ID, named.contact_id or 0)
    return contact if contact and contact.email else None


def find_planned(plan: Plan, named: Identifiers) -> Contact | None:
    """Return the contact that is named, of those that a plan knows."""
    contact = plan.find(EMAIL if named.email else CONTACT_ID, named)
    return contact if contact and contact.email else None


def get_contact(connection: sqlite3.Connection, name: str) -> Contact:
    """Return a contact.

    By its ID, v2 does not answer whoever was unsubscribed or suppressed; by the address it does,
    and clients resubscribe what they are answered.

    Args:
        connection: In a transaction.
        name: Its ID or its address.

    Raises:
        RefusalError: 404, there is none.
    """
    named = read_name(name)
    contact = find_named(find_contacts(connection, [named]), named)
    if contact is None or (not named.email and contact.email_status in OPTED_OUT):
        raise contact_not_found()
    return contact


def delete_contact(store: Store, name: str) -> None:
    """Delete a contact from the account.

    Args:
        store: The database.
        name: Its ID or its address.

    Raises:
        RefusalError: 404, there is none.
    """
    named = read_name(name)
    with store.contacts, store.writing() as connection:
        contact = find_named(find_contacts(connection, [named]), named)
        if contact is None:
            raise contact_not_found()
        delete_contacts(connection, [contact.id])


class ContactWrites:
    """Writes one contact at a time, while the contacts are held."""

    def __init__(self, store: Store, switches: Switches) -> None:
        """Keep what every call needs."""
        self._store = store
        self._switches = switches

    def create(self, body: ContactBody, along: Along = NOTHING_ELSE) -> Contact:
        """Create a contact, or update the one that has the address.

        Raises:
            RefusalError: 400, something of it is invalid, or it has opted out.
        """
        named = read_address(body.email or "")
        with self._store.contacts:
            plan = self.plan([named])
            existing = find_planned(plan, named)
            refuse_opted_out(existing)
            add(plan, existing, body, along)
            return self.write(plan)

    def update(self, name: str, body: ContactBody, along: Along = NOTHING_ELSE) -> Contact:
        """Update a contact; another address becomes the new one.

        Args:
            name: Its ID or its address.
            body: What to set. Without an address, it keeps the one that it has.
            along: What else is written.

        Raises:
            RefusalError: 400, something of it is invalid, or it has opted out; 404, there is
                none.
        """
        named = read_name(name)
        address = read_address(body.email) if body.email else named
        with self._store.contacts:
            plan = self.plan([named, address])
            existing = find_named(plan.index, named)
            if existing is None:
                raise contact_not_found()
            refuse_opted_out(existing)
            add(plan, existing, body, along)
            return self.write(plan)

    def add_to_list(self, list_id: int, body: ContactBody) -> Contact:
        """Add a contact to a list, and create or update it.

        Args:
            list_id: The list.
            body: It may be no more than the ID of a contact.

        Raises:
            RefusalError: 400, something of it is invalid, or it has opted out of the list or of
                everything; 404, there is no such list, or no contact of that ID.
        """
        named = named_in(body)
        with self._store.contacts:
            with self._store.reading() as connection:
                writable_address_book(connection, list_id)
                plan = load_plan(connection, [named], "overwrite", self._switches, set())
                existing = find_planned(plan, named)
                if existing is None and not named.email:
                    raise contact_not_found()
                if existing and opted_out_at(connection, list_id, existing.id):
                    raise v2_refusal(
                        "ERROR_CONTACT_SUPPRESSEDFORADDRESSBOOK",
                        "Contact is suppressed for the address book.",
                    )
            refuse_opted_out(existing)
            add(plan, existing, body, Along(list_id=list_id))
            return self.write(plan)

    def plan(self, wanted: Sequence[Identifiers]) -> Plan:
        """Begin a plan, while the contacts are held."""
        with self._store.reading() as connection:
            return load_plan(connection, wanted, "overwrite", self._switches, set())

    def write(self, plan: Plan) -> Contact:
        """Write a plan of one contact, and return the contact as it then is."""
        with self._store.writing() as connection:
            write_plan(connection, plan)
        return planned(plan)


def planned(plan: Plan) -> Contact:
    """Return the contact of a plan of one."""
    return [*plan.outcome.written, *plan.outcome.refreshed][0]


def refuse_opted_out(contact: Contact | None) -> None:
    """Refuse to write to a contact that was unsubscribed or suppressed.

    Raises:
        RefusalError: 400, it was.
    """
    if contact and contact.email_status in OPTED_OUT:
        raise v2_refusal(CONTACT_SUPPRESSED, "Contact is suppressed.")


def add(
    plan: Plan, existing: Contact | None, body: ContactBody, along: Along = NOTHING_ELSE
) -> None:
    """Add a contact to a plan.

    Args:
        plan: The plan.
        existing: The contact that it is, if there is one.
        body: What to set.
        along: What else is written.

    Raises:
        RefusalError: 400, something of it is invalid.
    """
    address = body.email or (existing.email if existing else None) or ""
    identifiers = read_address(address)
    contact = SentContact(
        match_identifier=EMAIL,
        identifiers={EMAIL: address},
        data_fields=typed_fields(body.data_fields, plan.definitions.data_fields),
        channel_properties=channel_properties(body, along.status),
        lists=[along.list_id] if along.list_id else UNSET,
        preferences=along.preferences or UNSET,
        consent_records=along.consent_records or UNSET,
    )
    plan.add(contact, identifiers, [], existing)
    # An import would write the contact without a consent that is none; here nothing says so.
    for failed in plan.outcome.failures:
        code, sentence = REFUSALS.get(failed.failures[0].failure_code, INVALID)
        is_missing = code == PREFERENCE_NOT_FOUND
        status = HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.BAD_REQUEST
        raise v2_refusal(code, sentence, status)
