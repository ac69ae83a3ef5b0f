"""The contacts that a stream holds: who they are, and what the account should hold of each.

A million of them fit into memory, whatever their values are: of an identifier the text is kept, of
every other value a hash of 32 bits. So a value that differs is overlooked once in four thousand
million times, and one that is the same never looks as if it differed.
"""

from __future__ import annotations

import sqlite3
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from target_dotdigital.account import identities_of
from target_dotdigital.api import Details
from target_dotdigital.mapping import comparable_value, decode_sent, identity_hash, normalise
from target_dotdigital.verification.parts import (
    ACCOUNT,
    FILLED,
    OPTED_OUT,
    OUT,
    Part,
    digest,
    identity_digest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_dotdigital.api import HeldContact
    from target_dotdigital.mapping import Contact, SentContact
    from target_dotdigital.settings import MergeOption
    from target_dotdigital.verification.parts import PartKind

_HEADER: Final = struct.Struct("<IIHB")
_PART: Final = struct.Struct("<HI")
_NOT_CREATED: Final = 1 << 7
"""Beside the flags: the contact is left out if the account does not know it."""


@dataclass(slots=True)
class ExpectedContact:
    """A contact that a stream holds.

    Attributes:
        key: Its normalised match identifier.
        stream: Which stream held it last.
        row: The number of its row there; 0 if rows are not numbered.
        parts: By the number of a part what the account should hold: a hash, or one of the codes.
        order: When it came, among all.
        flags: What has been found of it so far.
        is_created: Whether a load would create it, if the account does not know it.
    """

    key: str = field(repr=False)
    stream: int = 0
    row: int = 0
    parts: dict[int, int] = field(default_factory=dict, repr=False)
    order: int = 0
    flags: int = 0
    is_created: bool = True


class ExpectedContacts:
    """Keeps contacts in the order in which their rows take effect. Not thread-safe.

    Attributes:
        parts: All parts that any of them has, by number.
        streams: The streams that they came in.
        match_names: The identifiers that they are known by, in lower case.
    """

    def __init__(self, data_fields: Mapping[str, str]) -> None:
        """Start with none.

        Args:
            data_fields: The account's data fields: name to type.
        """
        self.parts: list[Part] = []
        self.streams: list[str] = []
        self.match_names: set[str] = set()
        self._types = data_fields
        self._there = tuple(data_fields)
        """The data fields that the account has: others may be planned later."""
        self._numbers: dict[tuple[str, str], int] = {}
        self._streams: dict[str, int] = {}
        self._order = 0
        # In memory: packed as no dictionary is, and nothing of it is on a disk. Workers take turns.
        self._contacts = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._contacts.execute(
            "CREATE TABLE contact (identity INTEGER PRIMARY KEY, key TEXT, body BLOB)"
        )

    def __len__(self) -> int:
        """Return how many there are that have not been taken."""
        return int(self._contacts.execute("SELECT count(*) FROM contact").fetchone()[0])

    def __iter__(self) -> Iterator[ExpectedContact]:
        """Yield those that have not been taken."""
        for key, body in self._contacts.execute("SELECT key, body FROM contact"):
            yield _unpacked(key, body)

    def close(self) -> None:
        """Forget all of them."""
        self._contacts.close()

    # What the stream holds.

    def join(self, contacts: Iterable[Contact], merge_option: MergeOption) -> None:
        """Take contacts in that are imported.

        Args:
            contacts: The contacts of an import.
            merge_option: How Dotdigital merges them.
        """
        for contact in contacts:
            expected = self._entry(contact, is_created=not contact.only_if_known)
            sent = decode_sent(contact.body)
            self._expect(expected.parts, sent, fills=merge_option == "overwriteIfEmpty")
            self.keep(expected)

    def leave(self, contacts: Iterable[Contact], place: int) -> None:
        """Take contacts in whose rows are marked as deleted.

        Args:
            contacts: The contacts of a removal.
            place: The ID of the address book that they leave, or `ACCOUNT`.
        """
        for contact in contacts:
            expected = self._entry(contact, is_created=False)
            if place == ACCOUNT:
                expected.parts.clear()
                expected.is_created = False
            expected.parts[self.address_book(place)] = OUT
            self.keep(expected)

    def address_book(self, place: int) -> int:
        """Return the number of the part that says whether a contact is in an address book.

        Args:
            place: The address book's ID, or `ACCOUNT`.
        """
        return self._number("address book", str(place))

    def is_in_address_book(self, number: int, value: int) -> bool:
        """Return whether a contact should be in an address book, or in the account without one.

        Args:
            number: The number of one of its parts.
            value: What is expected of the part.
        """
        return value == FILLED and self.parts[number].kind == "address book"

    def places(self) -> set[int]:
        """Return the IDs of all address books that contacts should be in, or should have left."""
        return {int(each.name) for each in self.parts if each.kind == "address book"}

    def _entry(self, contact: Contact, *, is_created: bool) -> ExpectedContact:
        """Return what is expected of a contact so far, with the row that changes it."""
        self.match_names.add(contact.key.partition(":")[0].lower())
        found = self.take((contact.key,))
        if found is None:
            found = ExpectedContact(contact.key, is_created=is_created)
        found.is_created |= is_created
        self._order += 1
        found.order = self._order
        if contact.rows:
            row = contact.rows[-1]
            name = row.counts.stream
            if name not in self._streams:
                self._streams[name] = len(self.streams)
                self.streams.append(name)
            found.stream, found.row = self._streams[name], row.number
        return found

    def _expect(self, parts: dict[int, int], sent: SentContact, *, fills: bool) -> None:
        """Change what is expected of a contact by what is sent of it."""
        parts.pop(self.address_book(ACCOUNT), None)
        for name, value in sent.data_fields.items():
            form = comparable_value(value, self._types[name])
            self._set(parts, "data field", name, digest(form), fills=fills)
        for name, value in sent.identifiers.items():
            if name != sent.match_identifier:
                digested = identity_digest(normalise(name, value))
                self._set(parts, "identifier", name, digested, fills=fills)
        for each in sent.preferences if not fills else ():
            number = self._number("preference", str(each.id))
            parts[number] = digest(each.is_opted_in)
        for channel, properties in sent.channel_properties.items():
            if properties.status == "unsubscribed":
                parts[self._number("status", channel)] = OPTED_OUT
        for place in sent.lists:
            parts[self.address_book(place)] = FILLED
        if not any(self.is_in_address_book(*part) for part in parts.items()):
            parts[self.address_book(ACCOUNT)] = FILLED

    def _set(
        self, parts: dict[int, int], kind: PartKind, name: str, value: int, *, fills: bool
    ) -> None:
        number = self._number(kind, name)
        if fills:  # what was there before stays, whatever it is
            before = parts.get(number)
            value = FILLED if before is None else before or value
        parts[number] = value

    def _number(self, kind: PartKind, name: str) -> int:
        number = self._numbers.get((kind, name))
        if number is None:
            number = self._numbers[kind, name] = len(self.parts)
            self.parts.append(Part(kind, name))
        return number

    # What is compared with the account.

    def details(self) -> Details:
        """Return what has to be told of a contact of the account."""
        kinds: dict[str, set[str]] = {}
        for part in self.parts:
            kinds.setdefault(part.kind, set()).add(part.name)
        used = kinds.get("data field", set())
        include = ["channelProperties", "lists"]
        if "preference" in kinds:
            include.append("preferences")
        return Details([name for name in self._there if name in used], include)

    def take(self, identities: Iterable[str]) -> ExpectedContact | None:
        """Take out what is expected of a contact; None if nothing is.

        Streams may know one person by different identifiers: the later row wins.

        Args:
            identities: The contact's normalised identifiers.
        """
        found: list[ExpectedContact] = []
        for identity in identities:
            hashed = (identity_hash(identity),)
            row = self._contacts.execute(
                "SELECT key, body FROM contact WHERE identity = ?", hashed
            ).fetchone()
            if row is not None:
                self._contacts.execute("DELETE FROM contact WHERE identity = ?", hashed)
                found.append(_unpacked(*row))
        if not found:
            return None
        found.sort(key=lambda each: each.order)
        newest = found.pop()
        account = self.address_book(ACCOUNT)
        for earlier in reversed(found):
            if newest.parts.get(account) != OUT:  # a deletion leaves nothing of what was before
                kept = {each: value for each, value in earlier.parts.items() if value != OUT}
                newest.parts = {**kept, **newest.parts}
                newest.is_created |= earlier.is_created
            newest.flags |= earlier.flags
        return newest

    def take_held(self, contact: HeldContact) -> ExpectedContact | None:
        """Take out what is expected of a contact of the account; see `take`.

        Args:
            contact: The contact.
        """
        identities = identities_of(contact.identifiers, contact.contact_id)
        names = self.match_names
        return self.take(each for each in identities if each.partition(":")[0].lower() in names)

    def keep(self, expected: ExpectedContact) -> None:
        """Put back what is expected of a contact.

        Args:
            expected: What `take` returned, or what has become of it.
        """
        flags = expected.flags | (0 if expected.is_created else _NOT_CREATED)
        header = _HEADER.pack(expected.order, expected.row, expected.stream, flags)
        body = header + b"".join(_PART.pack(*part) for part in expected.parts.items())
        self._contacts.execute(
            "INSERT OR REPLACE INTO contact VALUES (?, ?, ?)",
            (identity_hash(expected.key), expected.key, body),
        )


def _unpacked(key: str, body: bytes) -> ExpectedContact:
    order, row, stream, flags = _HEADER.unpack_from(body)
    parts = dict(_PART.iter_unpack(body[_HEADER.size :]))
    is_created = not flags & _NOT_CREATED
    return ExpectedContact(key, stream, row, parts, order, flags & ~_NOT_CREATED, is_created)
