"""The recycle bin: deleted contacts, which come back when they are sent again.

They are kept for 30 days, with everything but their memberships. Sources:
https://developer.dotdigital.com/reference/importcontact,
https://support.dotdigital.com/en/articles/8199445-use-the-recycle-bin.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.contacts.records.contact import Contact, reported_identifiers
from target_dotdigital.sandbox.contacts.records.lookup import ContactIndex, add_custom_identifiers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from target_dotdigital.sandbox.contacts.records.identifiers import Identifiers

KEPT = timedelta(days=30)

_ANY = "SELECT 1 FROM deleted_contact LIMIT 1"
_CONTACTS = "SELECT * FROM contact WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
_PUT = "INSERT INTO deleted_contact (id, deleted, data_fields, contact) VALUES (?, ?, ?, ?)"
_PUT_IDENTIFIER = "INSERT INTO deleted_identifier VALUES (?, ?, ?)"
_FOUND = """
    SELECT contact_id FROM deleted_identifier
    WHERE name = ? AND value IN (SELECT value FROM json_each(?))
"""
_READ = """
    SELECT data_fields, contact FROM deleted_contact
    WHERE id IN (SELECT value FROM json_each(?)) AND deleted >= ? ORDER BY sequence
"""
_EXPIRED = "SELECT id FROM deleted_contact WHERE deleted < ?"
_TAKE_OUT = (
    "DELETE FROM deleted_contact WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM deleted_identifier WHERE contact_id IN (SELECT value FROM json_each(?))",
)

_ENCODER = msgspec.json.Encoder()
_CONTACT = msgspec.json.Decoder(Contact)


def put_into_recycle_bin(connection: sqlite3.Connection, contact_ids: str) -> None:
    """Copy contacts into the recycle bin that are about to be deleted.

    Args:
        connection: The writer, in a transaction.
        contact_ids: A JSON array. Their preferences and consents are not copied: they stay where
            they are, under the contacts' IDs.
    """
    now = timestamp()
    contacts = {row["id"]: Contact(**row) for row in connection.execute(_CONTACTS, (contact_ids,))}
    add_custom_identifiers(connection, contacts)
    connection.executemany(
        _PUT,
        [
            (
                one.id,
                now,
                one.data_fields,
                _ENCODER.encode(msgspec.structs.replace(one, data_fields="{}")),
            )
            for one in contacts.values()
        ],
    )
    connection.executemany(
        _PUT_IDENTIFIER,
        [
            (name, value, one.id)
            for one in contacts.values()
            for name, value in reported_identifiers(one).items()
        ],
    )


def take_out_of_recycle_bin(connection: sqlite3.Connection, contact_ids: Sequence[int]) -> None:
    """Take contacts out of the recycle bin.

    Args:
        connection: The writer, in a transaction.
        contact_ids: A thousand or so.
    """
    if contact_ids:
        for statement in _TAKE_OUT:
            connection.execute(statement, (json.dumps(contact_ids),))


def expired_contacts(connection: sqlite3.Connection) -> list[int]:
    """Return the IDs of contacts that have been in the recycle bin for too long."""
    return [row[0] for row in connection.execute(_EXPIRED, (timestamp(ago=KEPT),))]


def find_deleted_contacts(
    connection: sqlite3.Connection, wanted: Sequence[Identifiers]
) -> ContactIndex:
    """Look up every contact in the recycle bin that has any of the identifiers.

    Of two with the same identifier, the one is found that was deleted last.

    Args:
        connection: In a transaction.
        wanted: Identifiers of the contacts of a part: a thousand or so.
    """
    if connection.execute(_ANY).fetchone() is None:
        return ContactIndex(())
    ids = {one.contact_id for one in wanted if one.contact_id is not None}
    values: dict[str, list[str]] = {}
    for one in wanted:
        for name, value in one.named():
            values.setdefault(name, []).append(value)
    for name, some in values.items():
        ids.update(row[0] for row in connection.execute(_FOUND, (name, json.dumps(some))))
    rows = connection.execute(_READ, (json.dumps([*ids]), timestamp(ago=KEPT)))
    return ContactIndex(
        msgspec.structs.replace(_CONTACT.decode(contact), data_fields=data_fields)
        for data_fields, contact in rows
    )
