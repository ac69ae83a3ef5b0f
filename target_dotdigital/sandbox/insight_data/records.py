"""Records of insight data: an object under a key, of the account or of a contact."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.http import Detail, v3_refusal
from target_dotdigital.sandbox.insight_data.collections import SERVICE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from target_dotdigital.sandbox.insight_data.collections import Collection

NO_CONTACT = 0
"""Whose records those of the account are."""

MAXIMUM_KEY_CHARACTERS = 255
"""No limit is documented; this one is that of a collection's name."""

_PUT = """
    INSERT INTO insight_record (collection_id, contact_id, key, json, created, updated)
    VALUES (:collection, :contact, :key, :json, :now, :now)
    ON CONFLICT (collection_id, contact_id, key)
    DO UPDATE SET json = excluded.json, updated = excluded.updated
"""
_IS_THERE = """
    SELECT 1 FROM insight_record WHERE collection_id = ? AND contact_id = ? AND key = ?
"""
_COLUMNS = "key, json, created, updated, contact_id"
_ONE = f"""
    SELECT {_COLUMNS} FROM insight_record WHERE collection_id = ? AND contact_id = ? AND key = ?
"""  # noqa: S608 - a constant
_PAGE = f"""
    SELECT {_COLUMNS}, id FROM insight_record
    WHERE collection_id = :collection AND id > :after AND updated >= :modified
    ORDER BY id LIMIT :limit
"""  # noqa: S608 - a constant
_PAGE_OF_CONTACT = f"""
    SELECT {_COLUMNS}, id FROM insight_record
    WHERE +collection_id = :collection AND contact_id = :contact AND id > :after
    AND updated >= :modified
    ORDER BY id LIMIT :limit
"""  # noqa: S608 - a constant
"""The plus sign keeps SQLite from the index of collections: a contact has fewer records."""
_FOUND = """
    SELECT key FROM insight_record
    WHERE collection_id = ? AND contact_id = ? AND key IN (SELECT value FROM json_each(?))
"""
_DELETE = """
    DELETE FROM insight_record
    WHERE collection_id = ? AND contact_id = ? AND key IN (SELECT value FROM json_each(?))
"""
_DELETE_FIRST = """
    DELETE FROM insight_record WHERE id IN (
        SELECT id FROM insight_record WHERE collection_id = :collection LIMIT :count
    )
"""
_DELETE_FIRST_OF_CONTACT = """
    DELETE FROM insight_record WHERE id IN (
        SELECT id FROM insight_record
        WHERE collection_id = :collection AND contact_id = :contact LIMIT :count
    )
"""


class Record(msgspec.Struct, frozen=True, rename="camel"):
    """A record as it is answered.

    Attributes:
        key: Unique among those of its owner in the collection.
        json: An object.
        created: ISO 8601, UTC.
        updated: ISO 8601, UTC.
        owner_contact_id: The contact, unless it is of the account.
    """

    key: str
    json: msgspec.Raw
    created: str
    updated: str
    owner_contact_id: int | UnsetType = UNSET


class RecordQuery(msgspec.Struct, frozen=True):
    """Which records are asked for.

    Attributes:
        modified_since: Only those that were written then or later.
        after: Only those that came after this one.
        limit: So many at most.
    """

    modified_since: str = ""
    after: int = 0
    limit: int = 1_000


class Deleted(msgspec.Struct, frozen=True):
    """What became of keys whose records were to be deleted.

    Attributes:
        deleted: How many there were.
        not_found: Those without a record, as sent.
    """

    deleted: int
    not_found: list[str]


def is_key(key: str) -> bool:
    """Tell whether a record may have the key."""
    return len(key.strip()) > 0 and len(key) <= MAXIMUM_KEY_CHARACTERS and key.isprintable()


def put_record(
    connection: sqlite3.Connection,
    collection: Collection,
    contact_id: int,
    key: str,
    content: bytes,
) -> bool:
    """Write a record, in place of one of the same key.

    Args:
        connection: The writer, in a transaction.
        collection: Where to.
        contact_id: Its owner, or 0.
        key: Its key.
        content: An object as JSON.

    Returns:
        Whether it is new.
    """
    place = (collection.id, contact_id, key)
    is_new = connection.execute(_IS_THERE, place).fetchone() is None
    connection.execute(
        _PUT,
        {
            "collection": collection.id,
            "contact": contact_id,
            "key": key,
            "json": content,
            "now": timestamp(),
        },
    )
    return is_new


def get_record(
    connection: sqlite3.Connection, collection: Collection, contact_id: int, key: str
) -> Record:
    """Return a record.

    Raises:
        RefusalError: 404, there is none.
    """
    row = connection.execute(_ONE, (collection.id, contact_id, key)).fetchone()
    if row is None:
        raise v3_refusal(
            f"{SERVICE}:recordNotFound",
            "The Insight data record could not be found",
            Detail(item=key, description=f"Not found in the collection '{collection.name}'"),
            status=HTTPStatus.NOT_FOUND,
        )
    return _record(row)


def record_page(
    connection: sqlite3.Connection,
    collection: Collection,
    contact_id: int,
    query: RecordQuery,
) -> tuple[list[Record], int | None]:
    """Return a page of records, those that came first in front.

    Args:
        connection: In a transaction.
        collection: Where from.
        contact_id: Their owner; 0 for all of the collection.
        query: Which of them.

    Returns:
        The records, and the one after which the next page begins, if there is one.
    """
    rows = connection.execute(
        _PAGE_OF_CONTACT if contact_id else _PAGE,
        {
            "collection": collection.id,
            "contact": contact_id,
            "after": query.after,
            "modified": query.modified_since,
            # One more than asked for tells whether there is a next page.
            "limit": query.limit + 1,
        },
    ).fetchall()
    page = rows[: query.limit]
    return [_record(row) for row in page], page[-1]["id"] if len(rows) > query.limit else None


def delete_records(
    connection: sqlite3.Connection, collection: Collection, contact_id: int, keys: Sequence[str]
) -> Deleted:
    """Delete the records of some keys.

    Args:
        connection: The writer, in a transaction.
        collection: Where from.
        contact_id: Their owner, or 0.
        keys: Some thousands at most.
    """
    wanted = (collection.id, contact_id, json.dumps(list(keys)))
    found = {row[0] for row in connection.execute(_FOUND, wanted)}
    connection.execute(_DELETE, wanted)
    return Deleted(len(found), [key for key in dict.fromkeys(keys) if key not in found])


def delete_first_records(
    connection: sqlite3.Connection, collection: Collection, contact_id: int, count: int
) -> int:
    """Delete the first records of a collection.

    Args:
        connection: The writer, in a transaction.
        collection: Where from.
        contact_id: Their owner; 0 for all of the collection.
        count: How many at most.

    Returns:
        How many there were.
    """
    parameters = {"collection": collection.id, "contact": contact_id, "count": count}
    statement = _DELETE_FIRST_OF_CONTACT if contact_id else _DELETE_FIRST
    return connection.execute(statement, parameters).rowcount


def _record(row: sqlite3.Row) -> Record:
    owner = row["contact_id"]
    return Record(
        row["key"],
        msgspec.Raw(row["json"]),
        row["created"],
        row["updated"],
        UNSET if owner == NO_CONTACT else owner,
    )
