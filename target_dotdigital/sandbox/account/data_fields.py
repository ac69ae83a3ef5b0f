"""Data fields: what an account knows of its contacts."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from target_dotdigital.sandbox.account.field_values import VALUE_CHECKS, is_text
from target_dotdigital.sandbox.http import v2_refusal

if TYPE_CHECKING:
    import sqlite3

NAME = re.compile(r"[A-Za-z0-9_-]{1,20}")

RESERVED_NAMES = frozenset(
    """
    account campaign campaignid contact contact_api_id contactid email hcontactid hemail
    hemail256 id messagecontent mobilenumberid notes uniquecontactid unsubscribed
    """.upper().split()
)
"""Names that Dotdigital keeps for its own merge tags."""

BUILT_IN_NAMES = frozenset(
    {"FIRSTNAME", "LASTNAME", "FULLNAME", "GENDER", "POSTCODE", "LASTSUBSCRIBED"}
)
"""Every account has these, and keeps them."""


class DataField(msgspec.Struct, frozen=True, rename="camel"):
    """A data field as v2 answers it.

    Attributes:
        name: Upper case, as Dotdigital stores it.
        type: A key of `VALUE_CHECKS`.
        visibility: `Private` or `Public`.
        default_value: A JSON value of that type, or null.
    """

    name: str
    type: str
    visibility: str
    default_value: msgspec.Raw


class NewDataField(msgspec.Struct, frozen=True, rename="camel"):
    """The body of `POST /v2/data-fields`."""

    name: str
    type: Literal["String", "Numeric", "Date", "Boolean"]
    visibility: Literal["Private", "Public"] = "Private"
    default_value: Any = None


class DataFieldDeletion(msgspec.Struct, frozen=True):
    """The answer to a deletion.

    Attributes:
        result: False if something depends on the field, which nothing in the sandbox does.
        dependencies: What does.
    """

    result: bool
    dependencies: tuple[str, ...] = ()


def list_data_fields(connection: sqlite3.Connection) -> list[DataField]:
    """Return all data fields, the oldest first."""
    rows = connection.execute(
        "SELECT name, type, visibility, default_value FROM data_field ORDER BY rowid"
    )
    return [
        DataField(name, kind, visibility, msgspec.Raw(default.encode()))
        for name, kind, visibility, default in rows
    ]


def delete_data_field(connection: sqlite3.Connection, written: str) -> DataFieldDeletion:
    """Delete a data field, and its value from every contact.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        written: The name, in any case.

    Raises:
        RefusalError: 404, there is none; 400, every account has it.
    """
    name = written.upper()
    found = connection.execute("SELECT 1 FROM data_field WHERE name = ?", (name,)).fetchone()
    if found is None:
        raise v2_refusal(
            "ERROR_DATAFIELD_NOTFOUND", "The data field does not exist.", HTTPStatus.NOT_FOUND
        )
    if name in BUILT_IN_NAMES:
        raise v2_refusal("ERROR_DATAFIELD_INVALID", "A built-in data field cannot be deleted.")
    connection.execute("DELETE FROM data_field WHERE name = ?", (name,))
    # Otherwise the values would be there again with the next field of that name.
    for table in ("contact", "deleted_contact"):
        connection.execute(
            f"UPDATE {table} SET data_fields = json_remove(data_fields, ?) "  # noqa: S608 - constants
            "WHERE json_type(data_fields, ?) IS NOT NULL",
            (f'$."{name}"', f'$."{name}"'),
        )
    return DataFieldDeletion(result=True)


def create_data_field(connection: sqlite3.Connection, new: NewDataField) -> DataField:
    """Create a data field.

    Args:
        connection: The writer, in a transaction.
        new: What to create.

    Raises:
        RefusalError: 400, the name is taken or not allowed, or the default is not of the type.
    """
    name = new.name.upper()
    check = VALUE_CHECKS[new.type]
    if not NAME.fullmatch(new.name) or name in RESERVED_NAMES:
        raise v2_refusal("ERROR_DATAFIELD_INVALID", "The data field's name is not allowed.")
    # The specification types the default as a string, for fields of every type.
    if not (new.default_value is None or is_text(new.default_value) or check(new.default_value)):
        raise v2_refusal("ERROR_DATAFIELD_INVALID", "The default is not of the field's type.")
    if connection.execute("SELECT 1 FROM data_field WHERE name = ?", (name,)).fetchone():
        raise v2_refusal("ERROR_NON_UNIQUE_DATAFIELD", "Field already exists.")
    default = msgspec.json.Encoder(decimal_format="number").encode(new.default_value)
    connection.execute(
        "INSERT INTO data_field (name, type, visibility, default_value) VALUES (?, ?, ?, ?)",
        (name, new.type, new.visibility, default.decode()),
    )
    return DataField(name, new.type, new.visibility, msgspec.Raw(default))
