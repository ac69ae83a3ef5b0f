"""The contact that a record belongs to, which must be there before its records."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account import IDENTIFIER_NAME
from target_dotdigital.sandbox.contacts import (
    CONTACT_ID,
    EMAIL,
    LARGEST_CONTACT_ID,
    find_contacts,
    normalise_identifiers,
)
from target_dotdigital.sandbox.http import Detail, v3_refusal
from target_dotdigital.sandbox.insight_data.collections import SERVICE

if TYPE_CHECKING:
    import sqlite3

    from target_dotdigital.sandbox.contacts import Identifiers

UNKNOWN = {CONTACT_ID: "ContactIdDoesNotExist", EMAIL: "ContactEmailDoesNotExist"}
INVALID = "InvalidContactIdentifier"
"""The vendor's words for a contact that is not there. It has none for other identifiers."""


def read_identity(name: str, value: str | int | None) -> Identifiers | None:
    """Return an identifier in the form in which it is compared, or nothing if it is none."""
    if not IDENTIFIER_NAME.fullmatch(name) or value is None:
        return None
    sent: int | str = value
    if name != CONTACT_ID:
        sent = str(value)
    elif isinstance(value, str) and value.isascii() and value.isdigit():
        # Longer than any ID: `int` would be slow on thousands of digits, and Python refuses it.
        sent = int(value) if len(value) <= len(str(LARGEST_CONTACT_ID)) else -1
    identifiers, failures = normalise_identifiers({name: sent})
    return None if failures else identifiers


def owner_id(connection: sqlite3.Connection, name: str, value: str) -> int:
    """Return the ID of the contact that has an identifier.

    Args:
        connection: In a transaction.
        name: The identifier's name.
        value: Its value, decoded from the URL.

    Raises:
        RefusalError: 400, no contact could have it; 404, none has it.
    """
    identity = read_identity(name, value)
    if identity is None:
        raise v3_refusal(
            f"{SERVICE}:invalidId",
            f"The id value '{value}' is invalid for the identifier '{name}'",
        )
    found = find_contacts(connection, [identity]).find(name, identity.get(name) or 0)
    if found is None:
        raise v3_refusal(
            f"{SERVICE}:contactNotFound",
            "The following contacts could not be found",
            Detail(item=value, description=f"Not found using the identifier '{name}'"),
            status=HTTPStatus.NOT_FOUND,
        )
    return found.id
