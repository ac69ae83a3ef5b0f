"""The lookup of contacts by their identifiers: all that a part of an import touches at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.contacts.records.contact import Contact
from target_dotdigital.sandbox.contacts.records.identifiers import CONTACT_ID, EMAIL, MOBILE_NUMBER

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from target_dotdigital.sandbox.contacts.records.identifiers import Identifiers

_BY_ID = "SELECT * FROM contact WHERE id IN (SELECT value FROM json_each(?))"
_BY_EMAIL = "SELECT * FROM contact WHERE email IN (SELECT value FROM json_each(?))"
_BY_MOBILE_NUMBER = "SELECT * FROM contact WHERE mobile_number IN (SELECT value FROM json_each(?))"
_BY_CUSTOM_IDENTIFIER = """
    SELECT contact_id FROM custom_identifier
    WHERE name = ? AND value IN (SELECT value FROM json_each(?))
"""
_CUSTOM_IDENTIFIERS = """
    SELECT contact_id, name, value FROM custom_identifier
    WHERE contact_id IN (SELECT value FROM json_each(?))
"""


class ContactIndex:
    """Contacts by each of their identifiers."""

    def __init__(self, contacts: Iterable[Contact]) -> None:
        """Add the contacts."""
        self._by_identifier: dict[tuple[str, int | str], Contact] = {}
        for contact in contacts:
            self.add(contact)

    def __iter__(self) -> Iterator[Contact]:
        """Yield each contact once."""
        for (name, _), contact in self._by_identifier.items():
            if name == CONTACT_ID:
                yield contact

    def find(self, name: str, value: int | str) -> Contact | None:
        """Return the contact that has the identifier."""
        return self._by_identifier.get((name, value))

    def add(self, contact: Contact) -> None:
        """Add a contact, by all identifiers that it has."""
        for key in _keys(contact):
            self._by_identifier[key] = contact

    def remove(self, contact: Contact) -> None:
        """Remove a contact, before its identifiers change."""
        for key in _keys(contact):
            del self._by_identifier[key]


def _keys(contact: Contact) -> Iterable[tuple[str, int | str]]:
    yield CONTACT_ID, contact.id
    if contact.email is not None:
        yield EMAIL, contact.email
    if contact.mobile_number is not None:
        yield MOBILE_NUMBER, contact.mobile_number
    yield from contact.custom.items()


def find_contacts(connection: sqlite3.Connection, wanted: Sequence[Identifiers]) -> ContactIndex:
    """Look up every contact that has any of the identifiers.

    Args:
        connection: In a transaction.
        wanted: Identifiers of the contacts of a part: a thousand or so.
    """
    ids = {one.contact_id for one in wanted if one.contact_id is not None}
    custom: dict[str, list[str]] = {}
    for one in wanted:
        for name, value in one.custom.items():
            custom.setdefault(name, []).append(value)
    for name, values in custom.items():
        rows = connection.execute(_BY_CUSTOM_IDENTIFIER, (name, json.dumps(values)))
        ids.update(row[0] for row in rows)
    contacts: dict[int, Contact] = {}
    searches: list[tuple[str, Sequence[int | str]]] = [
        (_BY_ID, list(ids)),
        (_BY_EMAIL, [one.email for one in wanted if one.email]),
        (_BY_MOBILE_NUMBER, [one.mobile_number for one in wanted if one.mobile_number]),
    ]
    for query, keys in searches:
        if keys:
            for row in connection.execute(query, (json.dumps(keys),)):
                contacts[row["id"]] = Contact(**row)
    add_custom_identifiers(connection, contacts)
    return ContactIndex(contacts.values())


def add_custom_identifiers(connection: sqlite3.Connection, contacts: dict[int, Contact]) -> None:
    """Add the custom identifiers to contacts that were read without them."""
    rows = connection.execute(_CUSTOM_IDENTIFIERS, (json.dumps(list(contacts)),))
    for contact_id, name, value in rows:
        contact = contacts[contact_id]
        contact.custom = {**contact.custom, name: value}
