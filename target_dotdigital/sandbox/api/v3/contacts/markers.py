"""The markers of pages: which page of the contacts is asked for.

A marker names a contact, and where its page is from there. What the page before begins with, and
the last one, is looked up when such a page is asked for, and not for the links of every other.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from target_dotdigital.sandbox.contacts import LARGEST_CONTACT_ID
from target_dotdigital.sandbox.http import v3_refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

_TEXT = re.compile(rb"([<>]?)([0-9]{1,19})")


class Marker(NamedTuple):
    """Which page of contacts.

    Attributes:
        contact_id: A contact's ID; 0 is before all of them.
        page: The one `after` that contact, the one `before` it (which ends with it), or the `last`
            one, in steps of a page after it.
    """

    contact_id: int
    page: Literal["after", "before", "last"] = "after"


FIRST = Marker(0)

_PAGES: Mapping[bytes, Literal["after", "before", "last"]] = {
    b"": "after",
    b"<": "before",
    b">": "last",
}
_PREFIXES = {page: prefix.decode() for prefix, page in _PAGES.items()}


class Source(NamedTuple):
    """Where contacts are read, as parts of a query.

    Attributes:
        contacts: Tables with all of a contact.
        ids: A table that is enough to count contacts.
        id: The column of their IDs.
        condition: Which of them.
    """

    contacts: str
    ids: str
    id: str
    condition: str


ACCOUNT = Source("contact", "contact", "id", "TRUE")
LIST = Source(
    "membership JOIN contact ON contact.id = contact_id",
    "membership",
    "contact_id",
    "address_book_id = :list",
)


SEGMENT = Source(
    "segment_member JOIN contact ON contact.id = contact_id",
    "segment_member",
    "contact_id",
    "segment_id = :segment",
)


class Selection:
    """The contacts that are asked for, in the order of their IDs."""

    def __init__(
        self, connection: sqlite3.Connection, source: Source, parameters: Mapping[str, str | int]
    ) -> None:
        """Keep what every query needs.

        Args:
            connection: In a transaction.
            source: Where they are read.
            parameters: `created` and `modified`, the times since which (none if empty), and what
                the source's condition needs.
        """
        self._connection = connection
        self._parameters = parameters
        self._id = source.id
        condition, ids = source.condition, source.ids
        if parameters["created"] or parameters["modified"]:
            condition += " AND created >= :created AND updated >= :modified"
            ids = source.contacts
        self._from = f"FROM {source.contacts} WHERE {condition}"
        self._count_from = f"FROM {ids} WHERE {condition}"

    def page(self, after: int, limit: int) -> list[sqlite3.Row]:
        """Return the contacts after an ID."""
        return self._rows(
            f"SELECT contact.* {self._from} AND {self._id} > :after ORDER BY {self._id} "
            "LIMIT :limit",
            after=after,
            limit=limit,
        )

    def beginning(self, marker: Marker, limit: int) -> int:
        """Return the ID after which the page of a marker begins.

        Args:
            marker: Which page.
            limit: How many contacts a page has.
        """
        if marker.page == "after":
            return marker.contact_id
        if marker.page == "before":
            return self._back(marker.contact_id, limit)
        count = self._rows(
            f"SELECT count(*) {self._count_from} AND {self._id} > :after", after=marker.contact_id
        )[0][0]
        return (
            self._back(LARGEST_CONTACT_ID, (count - 1) % limit + 1) if count else marker.contact_id
        )

    def has_earlier(self, after: int) -> bool:
        """Return whether there are contacts up to an ID."""
        return self._back(after, 0) > 0

    def _back(self, contact_id: int, steps: int) -> int:
        """Return an ID so many contacts before the last one up to an ID; 0 if there are too few."""
        rows = self._rows(
            f"SELECT {self._id} {self._from} AND {self._id} <= :upto ORDER BY {self._id} DESC "
            "LIMIT 1 OFFSET :steps",
            upto=contact_id,
            steps=steps,
        )
        return rows[0][0] if rows else 0

    def _rows(self, query: str, **parameters: int) -> list[sqlite3.Row]:
        return self._connection.execute(query, {**self._parameters, **parameters}).fetchall()


def written_marker(marker: Marker) -> str:
    """Return a marker as clients get it."""
    return base64.urlsafe_b64encode(
        f"{_PREFIXES[marker.page]}{marker.contact_id}".encode()
    ).decode()


def read_marker(text: str) -> Marker:
    """Read a marker that a client sends.

    Raises:
        RefusalError: 400, it is none.
    """
    try:
        match = _TEXT.fullmatch(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError):
        match = None
    if match is None or int(match[2]) > LARGEST_CONTACT_ID:
        raise v3_refusal("contacts:invalidMarker", "The marker is invalid")
    return Marker(int(match[2]), _PAGES[match[1]])
