"""Contacts as v2 answers them, where a contact is an e-mail address."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from target_dotdigital.sandbox.account import find_segment
from target_dotdigital.sandbox.contacts import PENDING, VERIFIED_DOUBLE
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from target_dotdigital.sandbox.contacts import Contact

UNCONFIRMED = "Double"
"""The opt-in type of a verified double opt-in until the person confirms it.
Source: developer.dotdigital.com/reference/createcontactwithconsent."""

COLUMNS = "contact.id, email, opt_in_type, email_type, email_status, data_fields"
"""What `members_of` takes, in its order."""

_PAGE_OF_ALL = f"""
    SELECT {COLUMNS} FROM contact WHERE email IS NOT NULL ORDER BY id LIMIT ? OFFSET ?
"""  # noqa: S608 - a constant
_PAGE_OF_LIST = f"""
    SELECT {COLUMNS} FROM membership JOIN contact ON contact.id = contact_id
    WHERE address_book_id = ? AND email IS NOT NULL ORDER BY contact_id LIMIT ? OFFSET ?
"""  # noqa: S608 - a constant
_PAGE_OF_SEGMENT = f"""
    SELECT {COLUMNS} FROM segment_member JOIN contact ON contact.id = contact_id
    WHERE segment_id = ? AND email IS NOT NULL ORDER BY contact_id LIMIT ? OFFSET ?
"""  # noqa: S608 - a constant

_DATA_FIELDS = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class FieldValue(msgspec.Struct, frozen=True):
    """A data field that is set."""

    key: str
    value: Any


class Member(msgspec.Struct, frozen=True, rename="camel"):
    """A contact in the shape of v2.

    Attributes:
        id: The same as v3's `contactId`.
        email: Lower case.
        opt_in_type: Such as `Single`.
        email_type: `Html` or `PlainText`.
        data_fields: Null unless they were asked for.
        status: In Pascal case, where v3 has camel case.
    """

    id: int
    email: str
    opt_in_type: str
    email_type: str
    data_fields: list[FieldValue] | None
    status: str


def member_page(
    connection: sqlite3.Connection,
    address_book_id: int,
    select: int,
    skip: int,
    *,
    with_fields: bool,
) -> list[Member]:
    """Return contacts of an address book, or of a segment, in the order of their IDs.

    Args:
        connection: In a transaction.
        address_book_id: An address book or a segment that is there.
        select: So many contacts at most.
        skip: So many are left out before.
        with_fields: Whether data fields are asked for.
    """
    if address_book_id == ALL_CONTACTS_ID:
        rows = connection.execute(_PAGE_OF_ALL, (select, skip))
    else:
        is_segment = find_segment(connection, address_book_id) is not None
        statement = _PAGE_OF_SEGMENT if is_segment else _PAGE_OF_LIST
        rows = connection.execute(statement, (address_book_id, select, skip))
    return members_of(rows, with_fields=with_fields)


def members_of(rows: Iterable[sqlite3.Row], *, with_fields: bool) -> list[Member]:
    """Return contacts as v2 answers them.

    Args:
        rows: Their `COLUMNS`.
        with_fields: Whether data fields are asked for.
    """
    return [
        Member(
            contact_id,
            email,
            UNCONFIRMED if (opt_in_type, status) == (VERIFIED_DOUBLE, PENDING) else opt_in_type,
            email_type,
            _field_values(data_fields) if with_fields else None,
            v2_status(status),
        )
        for contact_id, email, opt_in_type, email_type, status, data_fields in rows
    ]


def member_of(contact: Contact, *, with_fields: bool = True) -> Member:
    """Return a contact that has an address as v2 answers it."""
    row: Any = (
        contact.id,
        contact.email,
        contact.opt_in_type,
        contact.email_type,
        contact.email_status,
        contact.data_fields,
    )
    return members_of([row], with_fields=with_fields)[0]


def v2_status(status: str) -> str:
    """Return a status in Pascal case, as v2 writes it."""
    return status[0].upper() + status[1:]


def _field_values(data_fields: str) -> list[FieldValue]:
    return [FieldValue(name, value) for name, value in _DATA_FIELDS.decode(data_fields).items()]
