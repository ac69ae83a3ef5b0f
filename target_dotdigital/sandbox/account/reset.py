"""The reset that empties an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account.lists import ensure_address_book
from target_dotdigital.sandbox.account.suppression_list import suppress
from target_dotdigital.sandbox.storage import (
    ALL_CONTACTS_ID,
    BEGIN_GROWTH,
    BUILT_IN_DATA_FIELDS,
    TEST_ID,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.sandbox.storage import Store

_NOT_EMPTIED = ("sequence", "address_book")
"""IDs go on where they were: one that a client remembers is never another contact's."""

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def reset_account(
    store: Store, address_books: Sequence[str | int], suppressed: Sequence[str] = ()
) -> None:
    """Leave an account as it is at its first start, but for the IDs that it has given away.

    Imports that are under way come to nothing.

    Args:
        store: The database.
        address_books: Those that the sandbox was started with. They keep their IDs.
        suppressed: What the suppression list was started with.
    """
    ids = {ALL_CONTACTS_ID, TEST_ID}
    names = set()
    for wanted in address_books:
        text = str(wanted)
        if text.isascii() and text.isdigit():
            ids.add(int(text))
        else:
            names.add(text.casefold())
    with store.contacts, store.writing() as connection:
        rows = connection.execute("SELECT id, name_key FROM address_book").fetchall()
        connection.executemany(
            "DELETE FROM address_book WHERE id = ?",
            [(row[0],) for row in rows if row[0] not in ids and row[1] not in names],
        ).close()
        connection.execute("UPDATE address_book SET contacts = 0").close()
        for table in [row[0] for row in connection.execute(_TABLES)]:
            if table not in _NOT_EMPTIED:
                connection.execute(f'DELETE FROM "{table}"').close()  # noqa: S608 - its own tables
        connection.execute(BUILT_IN_DATA_FIELDS).close()
        connection.execute(BEGIN_GROWTH).close()
        for wanted in address_books:
            ensure_address_book(connection, wanted)
        suppress(connection, suppressed)
