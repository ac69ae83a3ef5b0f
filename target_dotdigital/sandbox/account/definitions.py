"""What an account defines that its contacts refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.account.custom_identifiers import identifier_names
from target_dotdigital.sandbox.storage import TEST_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


class Definitions(msgspec.Struct, frozen=True):
    """What contacts may refer to.

    Attributes:
        data_fields: Each field's type by its name in upper case.
        lists: IDs of address books that an import may add contacts to.
        preferences: IDs of the preferences, without those of their categories.
        identifiers: Names of identifiers that contacts may have.
    """

    data_fields: Mapping[str, str]
    lists: frozenset[int]
    preferences: frozenset[int]
    identifiers: frozenset[str]


def load_definitions(connection: sqlite3.Connection) -> Definitions:
    """Read what contacts may refer to."""
    data_fields = connection.execute("SELECT name, type FROM data_field").fetchall()
    lists = connection.execute("SELECT id FROM address_book WHERE id <> ?", (TEST_ID,))
    preferences = connection.execute("SELECT id FROM marketing_preference WHERE is_preference")
    return Definitions(
        dict(data_fields),
        frozenset(row[0] for row in lists),
        frozenset(row[0] for row in preferences),
        identifier_names(connection),
    )
