"""Marketing preferences of the account, and the categories that they may be in.

Source: the vendor's file on preferences and subscriptions, and its complete file of v2.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.http import v2_refusal
from target_dotdigital.sandbox.storage import take_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from target_dotdigital.sandbox.http import RefusalError

LARGEST_ID = 2**31 - 1
"""Preference IDs are int32 in Dotdigital's specification."""

MAXIMUM_NAME_CHARACTERS = 128
"""No limit is documented; this one is that of an address book's name."""

NO_CATEGORY = 0
TOP, BOTTOM = "top", "bottom"

Int32 = Annotated[int, Meta(ge=-(2**31), le=LARGEST_ID)]

_ALL = "SELECT * FROM marketing_preference ORDER BY category_id, position, id"
_INSERT = "INSERT INTO marketing_preference VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE = """
    UPDATE marketing_preference
    SET public_name = ?, private_name = ?, is_public = ?, category_id = ?, modified = ?
    WHERE id = ?
"""
_SIBLINGS = """
    SELECT id FROM marketing_preference WHERE category_id = ? AND id <> ? ORDER BY position, id
"""
_DELETE_CHOICES = """
    DELETE FROM preference WHERE preference_id IN (
        SELECT id FROM marketing_preference WHERE :id IN (id, category_id)
    )
"""
_DELETE = "DELETE FROM marketing_preference WHERE :id IN (id, category_id)"


class MarketingPreference(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A preference, or a category of preferences, as v2 answers it.

    Attributes:
        id: An int32.
        public_name: What contacts see of it.
        private_name: What the account's users see of it.
        is_preference: False for a category.
        order: Its place among those of its category, or among those without one; from 0.
        is_public: Whether contacts see it at all.
        category_id: The category of a preference, or 0.
        preference_count: How many preferences a category has.
        created: ISO 8601, UTC.
        last_modified: ISO 8601, UTC.
        is_opted_in: Of a preference in the answer about a contact.
        preferences: Those of a category.
    """

    id: int
    public_name: str
    private_name: str
    is_preference: bool
    order: str
    is_public: bool
    category_id: int
    preference_count: int = 0
    created: str
    last_modified: str
    is_opted_in: bool | UnsetType = UNSET
    preferences: list[MarketingPreference] | UnsetType = UNSET


class NewPreference(msgspec.Struct, frozen=True, rename="camel"):
    """The body of `POST /v2/preferences`. The order is a number, its digits, `top` or `bottom`."""

    public_name: str
    private_name: str
    is_preference: bool = False
    order: int | str | None = None
    is_public: bool = True
    category_id: Int32 | None = None


class ChangedPreference(msgspec.Struct, frozen=True, rename="camel"):
    """The body of `PUT /v2/preferences/{id}`. What is not sent stays as it is."""

    id: Int32
    public_name: str
    private_name: str
    is_preference: bool | UnsetType = UNSET
    order: int | str | None = None
    is_public: bool | UnsetType = UNSET
    category_id: Int32 | UnsetType | None = UNSET


def preference_tree(
    connection: sqlite3.Connection, opted_in: Collection[int] | None = None
) -> list[MarketingPreference]:
    """Return what has no category, in its order, the categories with their preferences.

    Args:
        connection: In a transaction.
        opted_in: IDs of the preferences that a contact has opted in to, if it is about one.
    """
    entries = _entries(connection, opted_in)
    return [entry for entry in entries if entry.category_id == NO_CATEGORY]


def create_preference(connection: sqlite3.Connection, new: NewPreference) -> MarketingPreference:
    """Create a preference, or a category, under the next free ID.

    Args:
        connection: The writer, in a transaction.
        new: What to create.

    Raises:
        RefusalError: 400, a name or the order is invalid, or a category would be in one; 404,
            there is no such category.
    """
    preference_id = take_id(connection, "preference")
    while _find(connection, preference_id):
        preference_id = take_id(connection, "preference")
    _insert(connection, preference_id, new)
    return get_preference(connection, preference_id)


def get_preference(connection: sqlite3.Connection, preference_id: int) -> MarketingPreference:
    """Return the preference, or the category, of that ID.

    Raises:
        RefusalError: 404, there is none.
    """
    for entry in _entries(connection):
        if entry.id == preference_id:
            return entry
    raise preference_not_found()


def update_preference(
    connection: sqlite3.Connection, preference_id: int, changed: ChangedPreference
) -> MarketingPreference:
    """Change a preference, or a category.

    Args:
        connection: The writer, in a transaction.
        preference_id: Which one.
        changed: What is to be changed.

    Raises:
        RefusalError: 404, there is none, or no such category; 400, as for a new one, or the
            body is about another one, or makes a category of a preference.
    """
    found = get_preference(connection, preference_id)
    if changed.id != found.id:
        raise _invalid("The ID in the body is another one than in the path.")
    if changed.is_preference not in {UNSET, found.is_preference}:
        raise _invalid("A preference stays a preference, and a category a category.")
    category = found.category_id
    if changed.category_id is not UNSET:
        category = changed.category_id or NO_CATEGORY
    _check_names(changed.public_name, changed.private_name)
    _check_category(connection, category, is_preference=found.is_preference)
    is_public = found.is_public if changed.is_public is UNSET else changed.is_public
    connection.execute(
        _UPDATE,
        (changed.public_name, changed.private_name, is_public, category, timestamp(), found.id),
    )
    if changed.order is not None or category != found.category_id:
        _place(connection, found.id, category, changed.order)
    return get_preference(connection, found.id)


def delete_preference(connection: sqlite3.Connection, preference_id: int) -> None:
    """Delete a preference, or a category with its preferences, and what contacts chose of them.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        preference_id: Which one. Its ID is not given again.

    Raises:
        RefusalError: 404, there is none.
    """
    get_preference(connection, preference_id)
    connection.execute(_DELETE_CHOICES, {"id": preference_id})
    connection.execute(_DELETE, {"id": preference_id})


def ensure_preference(connection: sqlite3.Connection, wanted: str | int) -> None:
    """See to it that a preference is there.

    Args:
        connection: The writer, in a transaction.
        wanted: An ID (an integer, or digits), or a public name.

    Raises:
        ValueError: It is neither an ID nor a name that Dotdigital would have.
    """
    if isinstance(wanted, int) or (wanted.isascii() and wanted.isdigit()):
        preference_id = int(wanted)
        if not 0 < preference_id <= LARGEST_ID:
            message = f"a preference's ID is a number from 1 to {LARGEST_ID}"
            raise ValueError(message)
        if _find(connection, preference_id) is None:
            names = f"Preference {preference_id}", f"preference{preference_id}"
            _insert(connection, preference_id, NewPreference(*names, is_preference=True))
    elif not _is_name(wanted):
        message = f"a preference's name has 1 to {MAXIMUM_NAME_CHARACTERS} characters"
        raise ValueError(message)
    elif not any(
        row["is_preference"] and row["public_name"].casefold() == wanted.casefold()
        for row in connection.execute(_ALL)
    ):
        create_preference(connection, NewPreference(wanted, wanted, is_preference=True))


def preference_not_found() -> RefusalError:
    """Refuse an ID that no preference has."""
    return v2_refusal(
        "ERROR_PREFERENCE_NOT_FOUND",
        "There is no preference or preference category with this ID.",
        HTTPStatus.NOT_FOUND,
    )


def _entries(
    connection: sqlite3.Connection, opted_in: Collection[int] | None = None
) -> list[MarketingPreference]:
    entries = [_entry(row, opted_in) for row in connection.execute(_ALL)]
    return [
        entry if entry.is_preference else _with_preferences(entry, entries) for entry in entries
    ]


def _entry(row: sqlite3.Row, opted_in: Collection[int] | None) -> MarketingPreference:
    is_preference = bool(row["is_preference"])
    return MarketingPreference(
        id=row["id"],
        public_name=row["public_name"],
        private_name=row["private_name"],
        is_preference=is_preference,
        order=str(row["position"]),
        is_public=bool(row["is_public"]),
        category_id=row["category_id"],
        created=row["created"],
        last_modified=row["modified"],
        is_opted_in=row["id"] in opted_in if is_preference and opted_in is not None else UNSET,
    )


def _with_preferences(
    category: MarketingPreference, entries: Collection[MarketingPreference]
) -> MarketingPreference:
    inside = [entry for entry in entries if entry.category_id == category.id]
    return msgspec.structs.replace(category, preference_count=len(inside), preferences=inside)


def _find(connection: sqlite3.Connection, preference_id: int) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(
        "SELECT * FROM marketing_preference WHERE id = ?", (preference_id,)
    ).fetchone()
    return found


def _insert(connection: sqlite3.Connection, preference_id: int, new: NewPreference) -> None:
    category = new.category_id or NO_CATEGORY
    _check_names(new.public_name, new.private_name)
    _check_category(connection, category, is_preference=new.is_preference)
    now = timestamp()
    names = (new.public_name, new.private_name)
    flags = (new.is_preference, new.is_public)
    connection.execute(_INSERT, (preference_id, *names, *flags, category, 0, now, now))
    _place(connection, preference_id, category, new.order)


def _place(
    connection: sqlite3.Connection, preference_id: int, category: int, order: int | str | None
) -> None:
    """Put an entry where it is to be among those of its category, and number them all."""
    siblings = [row[0] for row in connection.execute(_SIBLINGS, (category, preference_id))]
    siblings.insert(_position(order, len(siblings)), preference_id)
    connection.executemany(
        "UPDATE marketing_preference SET position = ? WHERE id = ?", list(enumerate(siblings))
    )


def _position(order: int | str | None, siblings: int) -> int:
    word = BOTTOM if order is None else str(order).strip().lower()
    if word == BOTTOM:
        return siblings
    if word == TOP:
        return 0
    if word.isascii() and word.isdigit() and len(word) <= len(str(LARGEST_ID)):
        return min(int(word), siblings)
    raise _invalid("The order is a number from 0, top or bottom.")


def _check_names(*names: str) -> None:
    if not all(map(_is_name, names)):
        raise _invalid(f"The names have 1 to {MAXIMUM_NAME_CHARACTERS} characters.")


def _is_name(name: str) -> bool:
    return len(name.strip()) > 0 and len(name) <= MAXIMUM_NAME_CHARACTERS


def _check_category(connection: sqlite3.Connection, category: int, *, is_preference: bool) -> None:
    if category == NO_CATEGORY:
        return
    if not is_preference:
        raise _invalid("A category is in no other category.")
    found = _find(connection, category)
    if found is None:
        raise preference_not_found()
    if found["is_preference"]:
        raise _invalid("The category is a preference.")


def _invalid(sentence: str) -> RefusalError:
    return v2_refusal("ERROR_PREFERENCE_INVALID", sentence)
