"""Custom identifiers: what an account knows its contacts by, beside Dotdigital's own identifiers.

Source: the vendor's OpenAPI file, configuration 3.0.2.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.http import Detail, v3_refusal

if TYPE_CHECKING:
    import sqlite3

MAXIMUM_NAME_CHARACTERS = 50
MAXIMUM_IDENTIFIERS = 50
"""There is a limit, and nothing public tells which."""

IDENTIFIER_NAME = re.compile(rf"[-A-Za-z0-9_]{{1,{MAXIMUM_NAME_CHARACTERS}}}")
BUILT_IN_IDENTIFIERS = {name.lower(): name for name in ("contactId", "email", "mobileNumber")}
"""Dotdigital's own, by their names in lower case."""

_ALL = "SELECT name, created, updated FROM custom_identifier_name ORDER BY created, name"
_INSERT = "INSERT OR IGNORE INTO custom_identifier_name (name, created, updated) VALUES (?, ?, ?)"
_VALUES = "SELECT count(*) FROM custom_identifier WHERE name = ?"
_DELETE_VALUES = "DELETE FROM custom_identifier WHERE name = ?"
_DELETE_VALUES_IN_BIN = (
    "DELETE FROM deleted_identifier WHERE name = :name",
    """
    UPDATE deleted_contact SET contact = json_remove(CAST(contact AS TEXT), :path)
    WHERE json_type(CAST(contact AS TEXT), :path) IS NOT NULL
    """,
)
_DELETE = "DELETE FROM custom_identifier_name WHERE name = ?"


class CustomIdentifier(msgspec.Struct, frozen=True):
    """A custom identifier as the API answers it."""

    name: str
    created: str
    updated: str


class NewCustomIdentifier(msgspec.Struct, frozen=True):
    """The body of `POST /configuration/v3/customIdentifiers`."""

    name: str


def list_custom_identifiers(connection: sqlite3.Connection) -> list[CustomIdentifier]:
    """Return all custom identifiers, the oldest first."""
    return [CustomIdentifier(**row) for row in connection.execute(_ALL)]


def identifier_names(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the names of the identifiers that contacts may have, Dotdigital's own included."""
    rows = connection.execute("SELECT name FROM custom_identifier_name")
    return frozenset((*BUILT_IN_IDENTIFIERS.values(), *(row[0] for row in rows)))


def create_custom_identifier(
    connection: sqlite3.Connection, new: NewCustomIdentifier
) -> CustomIdentifier:
    """Create a custom identifier.

    Args:
        connection: The writer, in a transaction.
        new: What to create.

    Raises:
        RefusalError: 400, the name is not allowed; 409, it is taken; 412, there are too many.
    """
    if len(new.name) > MAXIMUM_NAME_CHARACTERS:
        raise v3_refusal(
            "customIdentifiers:nameTooLong",
            f"The custom identifier is too long. It has {MAXIMUM_NAME_CHARACTERS} at most.",
        )
    if not IDENTIFIER_NAME.fullmatch(new.name):
        raise v3_refusal("customIdentifiers:nameInvalid", "The custom identifier's name is invalid")
    names = identifier_names(connection)
    if new.name.lower() in {name.lower() for name in names}:
        raise v3_refusal(
            "customIdentifiers:nameAlreadyExists",
            "The custom identifier already exists.",
            status=HTTPStatus.CONFLICT,
        )
    if len(names) - len(BUILT_IN_IDENTIFIERS) >= MAXIMUM_IDENTIFIERS:
        raise v3_refusal(
            "customIdentifiers:limitReached",
            "The account has as many custom identifiers as it may have.",
            status=HTTPStatus.PRECONDITION_FAILED,
        )
    created = CustomIdentifier(new.name, now := timestamp(), now)
    connection.execute(_INSERT, msgspec.structs.astuple(created))
    return created


def ensure_custom_identifier(connection: sqlite3.Connection, name: str) -> None:
    """Create a custom identifier if it is missing.

    Args:
        connection: The writer, in a transaction.
        name: Its name.

    Raises:
        ValueError: No custom identifier can have this name.
    """
    if not IDENTIFIER_NAME.fullmatch(name) or name.lower() in BUILT_IN_IDENTIFIERS:
        message = (
            f"a custom identifier's name has 1 to {MAXIMUM_NAME_CHARACTERS} letters, digits, - "
            f"and _, and is none of {', '.join(BUILT_IN_IDENTIFIERS.values())}"
        )
        raise ValueError(message)
    now = timestamp()
    connection.execute(_INSERT, (name, now, now))


def delete_custom_identifier(
    connection: sqlite3.Connection, name: str, *, with_values: bool
) -> None:
    """Delete a custom identifier.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        name: Its name.
        with_values: Whether contacts may have it. They lose it.

    Raises:
        RefusalError: 404, there is none; 400, contacts have it.
    """
    if name not in identifier_names(connection) - set(BUILT_IN_IDENTIFIERS.values()):
        raise v3_refusal(
            "customIdentifiers:notExist",
            "The custom identifier does not exist.",
            status=HTTPStatus.NOT_FOUND,
        )
    (count,) = connection.execute(_VALUES, (name,)).fetchone()
    if count and not with_values:
        raise v3_refusal(
            "customIdentifiers:inUse",
            "The custom identifier is in use.",
            Detail("contacts", f"Contacts that have it: {count}"),
        )
    connection.execute(_DELETE_VALUES, (name,))
    # Otherwise the values would be there again with the next identifier of that name.
    for statement in _DELETE_VALUES_IN_BIN:
        connection.execute(statement, {"name": name, "path": f'$.custom."{name}"'})
    connection.execute(_DELETE, (name,))
