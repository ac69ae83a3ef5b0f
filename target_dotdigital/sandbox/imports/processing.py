"""Work on a part of an import: look its contacts up, plan, write."""

from __future__ import annotations

from datetime import datetime, timezone
from operator import attrgetter
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account import consent as attachments
from target_dotdigital.sandbox.account import data_fields
from target_dotdigital.sandbox.account.directory import load_directory
from target_dotdigital.sandbox.account.identifiers import normalise
from target_dotdigital.sandbox.account.merging import Account
from target_dotdigital.sandbox.imports import import_log
from target_dotdigital.sandbox.imports.planning import Plan
from target_dotdigital.sandbox.imports.rulings import spelled
from target_dotdigital.sandbox.storage.schema import ALL_CONTACTS_ID, TEST_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from target_dotdigital.sandbox.account.merging import Contact
    from target_dotdigital.sandbox.faults.switches import Switches
    from target_dotdigital.sandbox.imports.import_log import Part
    from target_dotdigital.sandbox.imports.planning import Outcome
    from target_dotdigital.sandbox.storage.store import Store

_WRITE_CONTACT = """
    INSERT INTO contact
        (id, created, updated, email, mobile_number, email_type, opt_in_type,
         email_status, sms_status, whatsapp_status, data_fields)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        updated = excluded.updated,
        email = excluded.email,
        mobile_number = excluded.mobile_number,
        email_type = excluded.email_type,
        opt_in_type = excluded.opt_in_type,
        email_status = excluded.email_status,
        sms_status = excluded.sms_status,
        whatsapp_status = excluded.whatsapp_status,
        data_fields = excluded.data_fields
"""
_REFRESH_CONTACT = """
    UPDATE contact SET
        updated = ?, email_type = ?, opt_in_type = ?, email_status = ?, sms_status = ?,
        whatsapp_status = ?, data_fields = ?
    WHERE id = ?
"""
"""SQLite writes the index of a column anew whenever the column is set, changed or not: without the
identifiers an update costs half."""

_FORGET_CUSTOM_IDENTIFIERS = "DELETE FROM custom_identifier WHERE contact_id = ?"
_WRITE_CUSTOM_IDENTIFIER = "INSERT INTO custom_identifier VALUES (?, ?, ?)"
_JOIN = "INSERT OR IGNORE INTO membership (address_book_id, contact_id) VALUES (?, ?)"
_COUNT_MEMBERS = "UPDATE address_book SET contacts = contacts + ? WHERE id = ?"


def timestamp() -> str:
    """Return the time as Dotdigital writes it."""
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    return now.isoformat(timespec="milliseconds") + "Z"


def process(store: Store, part: Part, taken: set[int], switches: Switches) -> bool:
    """Import a part: all of it is on disk when this returns, or nothing of it.

    Args:
        store: The database.
        part: What to import.
        taken: IDs of the contacts that this import has written already. Grows.
        switches: What Dotdigital's documents leave open.

    Returns:
        Whether the import was still there: the account may have been emptied.
    """
    normalised = [normalise(contact.identifiers) for contact in part.contacts]
    with store.contacts:
        with store.reading() as connection:
            if not import_log.is_active(connection, part.import_sequence):
                return False
            plan = Plan(
                account=load_account(connection),
                directory=load_directory(connection, [one for one, _ in normalised]),
                taken=taken,
                merge_option=part.merge_option,
                now=timestamp(),
                next_contact_id=next_contact_id(connection),
                switches=switches,
            )
        for place, contact in enumerate(part.contacts):
            identifiers, failures = normalised[place]
            if fault := part.faults.get(place):
                plan.refuse(contact, identifiers, fault)
            else:
                plan.add(contact, identifiers, failures)
        plan.outcome.failures = [spelled(one, switches) for one in plan.outcome.failures]
        # A 202 is a promise, so accepting waits for the disk. This need not: a part that a
        # power cut undoes is done again at the next start.
        with store.writing(synchronous=False) as connection:
            write_plan(connection, plan)
            import_log.note_part(connection, part, plan.outcome, timestamp())
    return True


def write_plan(connection: sqlite3.Connection, plan: Plan) -> None:
    """Write everything that a plan came to.

    Args:
        connection: The writer, in a transaction.
        plan: It was made while the contacts were held, and they still are.
    """
    _write_contacts(connection, plan.outcome)
    _write_memberships(connection, plan.outcome)
    attachments.set_preferences(connection, plan.outcome.preferences)
    attachments.add_consent_records(connection, plan.outcome.consent_records, plan.now)
    connection.execute(
        "UPDATE sequence SET next = ? WHERE name = 'contact'", (plan.next_contact_id,)
    )


def load_account(connection: sqlite3.Connection) -> Account:
    """Read what contacts may refer to."""
    rows = connection.execute("SELECT id FROM address_book WHERE id <> ?", (TEST_ID,))
    return Account(data_fields.types(connection), frozenset(row[0] for row in rows))


def next_contact_id(connection: sqlite3.Connection) -> int:
    """Read the ID that the next new contact gets."""
    row = connection.execute("SELECT next FROM sequence WHERE name = 'contact'").fetchone()
    contact_id: int = row[0]
    return contact_id


def _write_contacts(connection: sqlite3.Connection, outcome: Outcome) -> None:
    connection.executemany(
        _WRITE_CONTACT,
        [
            (
                contact.id,
                contact.created,
                contact.updated,
                contact.email,
                contact.mobile_number,
                contact.email_type,
                contact.opt_in_type,
                contact.email_status,
                contact.sms_status,
                contact.whatsapp_status,
                contact.data_fields,
            )
            for contact in outcome.written
        ],
    )
    connection.executemany(
        _REFRESH_CONTACT,
        [
            (
                contact.updated,
                contact.email_type,
                contact.opt_in_type,
                contact.email_status,
                contact.sms_status,
                contact.whatsapp_status,
                contact.data_fields,
                contact.id,
            )
            for contact in sorted(outcome.refreshed, key=attrgetter("id"))
        ],
    )
    _write_custom_identifiers(connection, [*outcome.written, *outcome.refreshed])


def _write_custom_identifiers(connection: sqlite3.Connection, contacts: Sequence[Contact]) -> None:
    named = [contact for contact in contacts if contact.custom]
    connection.executemany(_FORGET_CUSTOM_IDENTIFIERS, [(contact.id,) for contact in named])
    connection.executemany(
        _WRITE_CUSTOM_IDENTIFIER,
        [(name, value, contact.id) for contact in named for name, value in contact.custom.items()],
    )


def _write_memberships(connection: sqlite3.Connection, outcome: Outcome) -> None:
    # Everyone is in "All Contacts", so it has a count but no members of its own.
    connection.execute(_COUNT_MEMBERS, (len(outcome.created), ALL_CONTACTS_ID))
    for list_id, contact_ids in sorted(outcome.memberships.items()):
        if list_id != ALL_CONTACTS_ID:
            joined = connection.executemany(
                _JOIN, [(list_id, contact_id) for contact_id in sorted(contact_ids)]
            )
            connection.execute(_COUNT_MEMBERS, (joined.rowcount, list_id))
