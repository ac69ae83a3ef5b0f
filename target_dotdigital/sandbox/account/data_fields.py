"""Data fields: what an account knows of its contacts, and which values they take."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from target_dotdigital.sandbox.errors import v2_refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

MAXIMUM_TEXT_CHARACTERS = 1_000
"""The longest text of the product's help. What the API does beyond it is documented nowhere;
here the contact fails, so that a rehearsal shows it."""

NUMERIC_LIMIT = 10**18
"""A Numeric has at most 18 digits before the decimal point."""

VISIBILITIES = ("Private", "Public")

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

ISO_8601 = re.compile(
    r"""
    (\d{4}-\d{2}-\d{2})
    (?:[T\ ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?)?
    """,
    re.VERBOSE | re.ASCII,
)


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
    type: str
    visibility: str = "Private"
    default_value: Any = None


NEW = msgspec.json.Decoder(NewDataField)


class Deletion(msgspec.Struct, frozen=True):
    """The answer to a deletion.

    Attributes:
        result: False if something depends on the field, which nothing in the sandbox does.
        dependencies: What does.
    """

    result: bool
    dependencies: tuple[str, ...] = ()


def is_text(value: object) -> bool:
    """Tell whether a String field takes the value."""
    return isinstance(value, str) and len(value) <= MAXIMUM_TEXT_CHARACTERS


def is_number(value: object) -> bool:
    """Tell whether a Numeric field takes the value."""
    if isinstance(value, Decimal):
        # The exponent, not `abs(value) < limit`: no arithmetic on 1e999999999.
        return value.is_zero() or value.adjusted() < len(str(NUMERIC_LIMIT)) - 1
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < NUMERIC_LIMIT


def is_date(value: object) -> bool:
    """Tell whether a Date field takes the value: an ISO 8601 date, with or without a time."""
    match = ISO_8601.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return False
    day, time, _zone = match.groups()
    try:
        datetime.fromisoformat(f"{day}T{time or '00:00'}")
    except ValueError:
        return False
    return True


def is_date_without_time(value: object) -> bool:
    """Tell whether the value is a date with no time of day."""
    return isinstance(value, str) and len(value) == len("2026-01-31") and is_date(value)


def is_boolean(value: object) -> bool:
    """Tell whether a Boolean field takes the value."""
    return isinstance(value, bool)


VALUE_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "String": is_text,
    "Numeric": is_number,
    "Date": is_date,
    "Boolean": is_boolean,
}


def every(connection: sqlite3.Connection) -> list[DataField]:
    """Return all data fields, the oldest first."""
    rows = connection.execute(
        "SELECT name, type, visibility, default_value FROM data_field ORDER BY rowid"
    )
    return [
        DataField(name, kind, visibility, msgspec.Raw(default.encode()))
        for name, kind, visibility, default in rows
    ]


def types(connection: sqlite3.Connection) -> dict[str, str]:
    """Return each data field's type by its name."""
    return dict(connection.execute("SELECT name, type FROM data_field").fetchall())


def delete(connection: sqlite3.Connection, written: str) -> Deletion:
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
    connection.execute(
        "UPDATE contact SET data_fields = json_remove(data_fields, ?) "
        "WHERE json_type(data_fields, ?) IS NOT NULL",
        (f'$."{name}"', f'$."{name}"'),
    )
    return Deletion(result=True)


def create(connection: sqlite3.Connection, new: NewDataField) -> DataField:
    """Create a data field.

    Args:
        connection: The writer, in a transaction.
        new: What to create.

    Raises:
        RefusalError: 400, the name is taken or not allowed, or the type, the visibility
            or the default is none.
    """
    name = new.name.upper()
    check = VALUE_CHECKS.get(new.type)
    if not NAME.fullmatch(new.name) or name in RESERVED_NAMES:
        raise v2_refusal("ERROR_DATAFIELD_INVALID", "The data field's name is not allowed.")
    if check is None or new.visibility not in VISIBILITIES:
        raise v2_refusal("ERROR_DATAFIELD_INVALID", "The data field's definition is not valid.")
    # The specification types the default as a string, for fields of every type.
    if not (new.default_value is None or is_text(new.default_value) or check(new.default_value)):
        raise v2_refusal("ERROR_DATAFIELD_INVALID", "The default is not of the field's type.")
    if connection.execute("SELECT 1 FROM data_field WHERE name = ?", (name,)).fetchone():
        raise v2_refusal("ERROR_NON_UNIQUE_DATAFIELD", "The data field exists already.")
    default = msgspec.json.Encoder(decimal_format="number").encode(new.default_value)
    connection.execute(
        "INSERT INTO data_field (name, type, visibility, default_value) VALUES (?, ?, ?, ?)",
        (name, new.type, new.visibility, default.decode()),
    )
    return DataField(name, new.type, new.visibility, msgspec.Raw(default))
