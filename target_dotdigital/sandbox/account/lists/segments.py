"""Segments: contacts that a rule describes.

Dotdigital's API lists and refreshes segments, and has no call that creates one: that is done in
its user interface, and here through `POST /sandbox/segments`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec

from target_dotdigital.sandbox.account.lists.address_books import (
    LARGEST_ID,
    MAXIMUM_NAME_CHARACTERS,
    find_address_book,
    is_name_taken,
)
from target_dotdigital.sandbox.http import v2_refusal, v3_refusal
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID, take_id

if TYPE_CHECKING:
    import sqlite3

Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""As large as the database compares them."""

Lists = Annotated[list[int], msgspec.Meta(min_length=1, max_length=100)]

_COLUMNS = "SELECT id, name, contacts FROM segment"
_PAGE = f"{_COLUMNS} ORDER BY id LIMIT ? OFFSET ?"
_INSERT = "INSERT INTO segment (id, name, name_key, rule, contacts) VALUES (?, ?, ?, ?, 0)"
_JOIN = "INSERT INTO segment_member (segment_id, contact_id)"
_MEMBERS_OF_ANY = f"""
    {_JOIN} SELECT DISTINCT :segment, contact_id FROM membership
    WHERE address_book_id IN (SELECT value FROM json_each(:lists))
"""  # noqa: S608 - constants
_MEMBERS_OF_ALL = f"""
    {_JOIN} SELECT :segment, contact_id FROM membership
    WHERE address_book_id IN (SELECT value FROM json_each(:lists))
    GROUP BY contact_id HAVING count(*) = (SELECT count(*) FROM json_each(:lists))
"""  # noqa: S608 - constants
_CONTACTS_WITH_VALUE = f"""
    {_JOIN} SELECT :segment, id FROM contact WHERE json_extract(data_fields, :path) = :value
"""  # noqa: S608 - constants


class Segment(msgspec.Struct, frozen=True):
    """A segment as v2 answers it.

    Attributes:
        id: An int32, of the same numbers as those of address books.
        name: No address book and no other segment has it, in any case of letters.
        contacts: How many contacts were in it when it was last refreshed.
    """

    id: int
    name: str
    contacts: int


class SegmentRefresh(msgspec.Struct, frozen=True):
    """How far the refresh of a segment is, as v2 answers it."""

    id: int
    status: str


class Rule(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Which contacts a segment has: one of three kinds.

    Attributes:
        in_any: IDs of address books: contacts that are in one of them.
        in_all: IDs of address books: contacts that are in each of them.
        field: A data field's name, in any case: contacts that have the value `equals` in it.
        equals: A text, a number, true or false.
    """

    in_any: Lists | None = None
    in_all: Lists | None = None
    field: str | None = None
    equals: str | Number | float | bool | None = None


class NewSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /sandbox/segments`."""

    name: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=MAXIMUM_NAME_CHARACTERS)]
    rule: Rule


_RULE = msgspec.json.Decoder(Rule)


def segment_page(connection: sqlite3.Connection, select: int, skip: int) -> list[Segment]:
    """Return segments in the order of their IDs."""
    return [Segment(*row) for row in connection.execute(_PAGE, (select, skip))]


def find_segment(connection: sqlite3.Connection, segment_id: int) -> Segment | None:
    """Return the segment of that ID, if there is one."""
    if not 0 < segment_id <= LARGEST_ID:
        return None
    row = connection.execute(f"{_COLUMNS} WHERE id = ?", (segment_id,)).fetchone()
    return Segment(*row) if row else None


def get_segment(connection: sqlite3.Connection, segment_id: int) -> Segment:
    """Return the segment of that ID.

    Raises:
        RefusalError: 404, there is none.
    """
    found = find_segment(connection, segment_id)
    if found is None:
        raise v2_refusal(
            "ERROR_SEGMENT_NOT_FOUND",
            "The segment does not exist in the account.",
            HTTPStatus.NOT_FOUND,
        )
    return found


def create_segment(connection: sqlite3.Connection, new: NewSegment) -> Segment:
    """Create a segment, and look for its contacts.

    Args:
        connection: The writer, in a transaction.
        new: What to create.

    Raises:
        RefusalError: 400, its rule is none; 409, the name is taken.
    """
    _check_rule(connection, new.rule)
    if is_name_taken(connection, new.name):
        raise v3_refusal(
            "sandbox:nameTaken",
            "An address book or a segment has this name",
            status=HTTPStatus.CONFLICT,
        )
    segment_id = take_id(connection, "address_book")
    while find_address_book(connection, segment_id):
        segment_id = take_id(connection, "address_book")
    rule = msgspec.json.encode(new.rule).decode()
    connection.execute(_INSERT, (segment_id, new.name, new.name.casefold(), rule))
    return refresh_segment(connection, segment_id)


def refresh_segment(connection: sqlite3.Connection, segment_id: int) -> Segment:
    """Look anew which contacts are in a segment.

    Args:
        connection: The writer, in a transaction.
        segment_id: Which one.

    Raises:
        RefusalError: 404, there is none.
    """
    get_segment(connection, segment_id)
    connection.execute("DELETE FROM segment_member WHERE segment_id = ?", (segment_id,))
    row = connection.execute("SELECT rule FROM segment WHERE id = ?", (segment_id,)).fetchone()
    found = _join_members(connection, segment_id, _RULE.decode(row["rule"]))
    connection.execute("UPDATE segment SET contacts = ? WHERE id = ?", (found, segment_id))
    return get_segment(connection, segment_id)


def delete_segment(connection: sqlite3.Connection, segment_id: int) -> bool:
    """Delete a segment, and tell whether there was one."""
    connection.execute("DELETE FROM segment_member WHERE segment_id = ?", (segment_id,))
    return connection.execute("DELETE FROM segment WHERE id = ?", (segment_id,)).rowcount > 0


def _check_rule(connection: sqlite3.Connection, rule: Rule) -> None:
    by_value = rule.field is not None or rule.equals is not None
    if [rule.in_any is not None, rule.in_all is not None, by_value].count(True) != 1:
        raise _bad_rule("A rule has one of inAny, inAll, and field with equals")
    for list_id in rule.in_any or rule.in_all or ():
        if list_id == ALL_CONTACTS_ID or find_address_book(connection, list_id) is None:
            raise _bad_rule("inAny and inAll take IDs of address books, All Contacts excepted")
    if by_value:
        known = connection.execute(
            "SELECT 1 FROM data_field WHERE name = ?", ((rule.field or "").upper(),)
        )
        if known.fetchone() is None or rule.equals is None:
            raise _bad_rule("field takes the name of a data field, equals what its value is")


def _bad_rule(description: str) -> Exception:
    return v3_refusal("sandbox:badSegment", description)


def _join_members(connection: sqlite3.Connection, segment_id: int, rule: Rule) -> int:
    if rule.field is not None:
        path = f'$."{rule.field.upper()}"'
        statement = _CONTACTS_WITH_VALUE
        parameters = {"segment": segment_id, "path": path, "value": rule.equals}
    else:
        statement = _MEMBERS_OF_ANY if rule.in_any is not None else _MEMBERS_OF_ALL
        lists = sorted(set(rule.in_any or rule.in_all or ()))
        parameters = {"segment": segment_id, "lists": msgspec.json.encode(lists).decode()}
    return connection.execute(statement, parameters).rowcount
