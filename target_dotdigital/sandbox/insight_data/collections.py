"""Collections of insight data: of the account, or of its contacts.

Source: the vendor's specification of insight data v3.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

import msgspec

from target_dotdigital.sandbox.http import Detail, v3_refusal
from target_dotdigital.sandbox.storage import insert

if TYPE_CHECKING:
    import sqlite3

    from target_dotdigital.sandbox.http import RefusalError

SERVICE = "insightData"

MAXIMUM_COLLECTIONS = 1_000

ACCOUNT: Final = "account"
CONTACT: Final = "contact"

Scope: TypeAlias = Literal["account", "contact"]

CUSTOM = "custom"
TYPES = {
    word.lower(): word
    for word in (
        "cartInsight",
        "catalog",
        "consentInsight",
        CUSTOM,
        "easyEditorExtensions",
        "nostoEmailCampaigns",
        "orders",
        "productCategories",
        "webInsight",
        "wishList",
    )
}
"""What a collection can hold. The vendor's PHP SDK sends `ConsentInsight`: any case is taken."""

_NAME = re.compile(r"[-A-Za-z_][-A-Za-z0-9_]{1,254}")

_FIND = "SELECT id, name, scope, type, fields FROM insight_collection WHERE name_key = ?"
_SUMMARIES = """
    SELECT name, type, scope, count(insight_record.id)
    FROM insight_collection LEFT JOIN insight_record ON collection_id = insight_collection.id
    WHERE :scope IN ('', scope)
    GROUP BY insight_collection.id ORDER BY insight_collection.id
"""
_SUMMARIES_OF_CONTACT = """
    SELECT name, type, scope, count(*)
    FROM insight_record JOIN insight_collection ON insight_collection.id = collection_id
    WHERE contact_id = ?
    GROUP BY collection_id ORDER BY collection_id
"""


class Collection(msgspec.Struct, frozen=True):
    """A collection as it is stored.

    Attributes:
        id: Never given again.
        name: Unique in the account; upper and lower case are the same name.
        scope: Whether the account has its records, or contacts have.
        type: What it holds, such as `orders`.
        fields: What its records have been like so far, as JSON.
    """

    id: int
    name: str
    scope: Scope
    type: str
    fields: bytes


class CollectionSummary(msgspec.Struct, frozen=True, rename="camel"):
    """A collection as it is listed."""

    collection_name: str
    collection_type: str
    collection_scope: str
    record_count: int


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a collection.

    Raises:
        RefusalError: 400.
    """
    if not _NAME.fullmatch(name):
        raise v3_refusal(f"{SERVICE}:invalidId", f"The collectionName value '{name}' is invalid")


def read_scope(word: str) -> Scope:
    """Read a scope, in any case.

    Raises:
        RefusalError: 400, it is none.
    """
    if word.lower() not in {ACCOUNT, CONTACT}:
        raise v3_refusal(f"{SERVICE}:badRequest", "The collectionScope is account or contact")
    return cast("Scope", word.lower())


def read_type(word: str) -> str:
    """Read a type, in any case.

    Raises:
        RefusalError: 400, it is none.
    """
    if word.lower() not in TYPES:
        listed = ", ".join(TYPES.values())
        raise v3_refusal(f"{SERVICE}:badRequest", f"The collectionType is one of {listed}")
    return TYPES[word.lower()]


def find_collection(
    connection: sqlite3.Connection, name: str, scope: Scope | None = None
) -> Collection | None:
    """Return the collection of that name, if there is one, and of that scope."""
    row = connection.execute(_FIND, (name.casefold(),)).fetchone()
    if row is None or scope not in {None, row["scope"]}:
        return None
    return Collection(*row)


def get_collection(
    connection: sqlite3.Connection, name: str, scope: Scope | None = None
) -> Collection:
    """Return the collection of that name.

    Args:
        connection: In a transaction.
        name: Its name, in any case.
        scope: One of another scope does not count.

    Raises:
        RefusalError: 400, this is no name of one; 404, there is none.
    """
    check_name(name)
    found = find_collection(connection, name, scope)
    if found is None:
        raise v3_refusal(
            f"{SERVICE}:collectionNotFound",
            "The collection could not be found",
            Detail(item=name, description="Not found"),
            status=HTTPStatus.NOT_FOUND,
        )
    return found


def open_collection(
    connection: sqlite3.Connection, name: str, scope: Scope, kind: str
) -> Collection:
    """Return the collection that records are for. It is created on its first use.

    Args:
        connection: The writer, in a transaction.
        name: Its name.
        scope: Its scope.
        kind: The type of a new one.

    Raises:
        RefusalError: 400, it has another scope; 412, there are 1,000 already.
    """
    found = find_collection(connection, name) or create_collection(connection, name, scope, kind)
    if found.scope != scope:
        raise v3_refusal(
            f"{SERVICE}:badRequest", f"The collection '{found.name}' is of scope '{found.scope}'"
        )
    return found


def create_collection(
    connection: sqlite3.Connection, name: str, scope: Scope, kind: str
) -> Collection:
    """Create a collection.

    Args:
        connection: The writer, in a transaction.
        name: A name that no other one has.
        scope: Whose records it holds.
        kind: Its type.

    Raises:
        RefusalError: 412, there are 1,000 already.
    """
    count = connection.execute("SELECT count(*) FROM insight_collection").fetchone()[0]
    if count >= MAXIMUM_COLLECTIONS:
        raise _too_many()
    collection_id = insert(
        connection,
        "INSERT INTO insight_collection (name, name_key, scope, type, fields) "
        "VALUES (?, ?, ?, ?, '{}') RETURNING id",
        (name, name.casefold(), scope, kind),
    )
    return Collection(collection_id, name, scope, kind, b"{}")


def delete_collection(connection: sqlite3.Connection, collection: Collection) -> None:
    """Delete a collection that has no records any more."""
    connection.execute("DELETE FROM insight_collection WHERE id = ?", (collection.id,))


def type_of_name(name: str) -> str:
    """Return the type of a collection that is created without one: `Orders` holds orders."""
    return TYPES.get(name.lower(), CUSTOM)


def collection_summaries(
    connection: sqlite3.Connection, scope: Scope | Literal[""] = ""
) -> list[CollectionSummary]:
    """Return all collections, or those of a scope, the oldest first."""
    rows = connection.execute(_SUMMARIES, {"scope": scope})
    return [CollectionSummary(*row) for row in rows]


def collections_of_contact(
    connection: sqlite3.Connection, contact_id: int
) -> list[CollectionSummary]:
    """Return the collections in which a contact has records, with the number of those."""
    rows = connection.execute(_SUMMARIES_OF_CONTACT, (contact_id,))
    return [CollectionSummary(*row) for row in rows]


def _too_many() -> RefusalError:
    return v3_refusal(
        f"{SERVICE}:collectionLimitExceeded",
        f"An account has at most {MAXIMUM_COLLECTIONS} collections",
        status=HTTPStatus.PRECONDITION_FAILED,
    )
