"""What an account has from the start, beside what every account has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account.custom_identifiers import ensure_custom_identifier
from target_dotdigital.sandbox.account.lists import ensure_address_book
from target_dotdigital.sandbox.account.preferences import ensure_preference
from target_dotdigital.sandbox.account.suppression_list import suppress

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """What is created at the start if it is missing, and again after a reset.

    Attributes:
        address_books: IDs or names.
        preferences: IDs or names of marketing preferences.
        custom_identifiers: Names.
        suppressed: Addresses and domains of the suppression list.
    """

    address_books: Sequence[str | int] = ()
    preferences: Sequence[str | int] = ()
    custom_identifiers: Sequence[str] = ()
    suppressed: Sequence[str] = ()


def ensure_seeds(connection: sqlite3.Connection, seeds: Seeds) -> None:
    """Create what is missing.

    Args:
        connection: The writer, in a transaction.
        seeds: What the account is to have.

    Raises:
        ValueError: Something of it cannot have its ID or name; the text says which.
    """
    for wanted in seeds.address_books:
        ensure_address_book(connection, wanted)
    for wanted in seeds.preferences:
        ensure_preference(connection, wanted)
    for name in seeds.custom_identifiers:
        ensure_custom_identifier(connection, name)
    suppress(connection, seeds.suppressed)
