"""Compares the contacts that a dry run would send with the account and its address books."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from target_dotdigital.account import (
    MAX_LOOKUPS,
    NOT_IN_A_PATH,
    IncompleteListError,
    identities_of,
    read_held_account,
    read_held_members,
)
from target_dotdigital.errors import RequestRefusedError
from target_dotdigital.loading import ACCOUNT
from target_dotdigital.mapping import IdentitySet, decode_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from target_dotdigital.api import Client, Details, HeldContact
    from target_dotdigital.mapping import Contact


_decode_leaver = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(slots=True)
class Group:
    """Contacts that would join, or leave, the same address book or the account.

    Attributes:
        all: Their match identifiers.
        existing: Those of them that are in the account.
        members: Those of them that are in the address book.
    """

    all: IdentitySet = field(default_factory=IdentitySet)
    existing: IdentitySet = field(default_factory=IdentitySet)
    members: IdentitySet = field(default_factory=IdentitySet)


class Comparison:
    """Keeps contacts as 64-bit hashes, and finds those that exist. Not thread-safe.

    Attributes:
        joining: The contacts that would join each address book, by its ID; all that would be
            imported under `ACCOUNT`. A negative ID stands for one that is yet to be created.
        leaving: The contacts whose rows are marked as deleted, by what they would leave.
        is_done: Whether the account has been compared.
        problem: Why it could not be; None if it was, or was not tried.
    """

    def __init__(
        self,
        details: Callable[[], Details],
        meet: Callable[[HeldContact, Collection[int]], None],
    ) -> None:
        """Start with no contacts.

        Args:
            details: Returns what has to be told of the contacts that are read.
            meet: Called with each of them, and the address books that it is known to be in. It may
                come again in another one.
        """
        self._details = details
        self._meet = meet
        self.joining: dict[int, Group] = {ACCOUNT: Group()}
        self.leaving: dict[int, Group] = {}
        self.is_done = False
        self.problem: str | None = None
        self._all = IdentitySet()
        self._few: dict[str, tuple[str, Any]] | None = {}

    def join(self, contacts: Iterable[Contact]) -> None:
        """Add contacts that would be imported.

        Args:
            contacts: The contacts of an import.
        """
        for contact in contacts:
            sent = decode_sent(contact.body)
            for place in (ACCOUNT, *sent.lists):
                self.joining.setdefault(place, Group()).all.add(contact.key)
            self._add(contact.key, sent.match_identifier, sent.identifiers[sent.match_identifier])

    def leave(self, leaving: int, contacts: Iterable[Contact]) -> None:
        """Add contacts that would leave.

        Args:
            leaving: The ID of the address book, or `ACCOUNT`.
            contacts: The contacts of a removal.
        """
        group = self.leaving.setdefault(leaving, Group())
        for contact in contacts:
            group.all.add(contact.key)
            ((identifier, value),) = _decode_leaver(contact.body).items()
            self._add(contact.key, identifier, value)

    def compare(self, client: Client, on_call: Callable[[], None]) -> None:
        """Find the contacts that exist in the account and in the address books.

        Args:
            client: Calls Dotdigital.
            on_call: Called now and then; it may raise.

        Raises:
            TargetDotdigitalError: A call fails.
        """
        try:
            if self._few is not None:
                unclear = self._look_up(client, self._few, on_call)
                self._read_books(client, unclear, on_call)
            elif self._all:
                places = {*self.joining, *self.leaving}
                self._read_books(client, {place for place in places if place > ACCOUNT}, on_call)
                if self._is_incomplete():
                    details = self._details()
                    for contact in read_held_account(client, details, on_call):
                        self._match(contact, None)
        except IncompleteListError as error:
            self.problem = error.message
        else:
            self.is_done = True

    def _add(self, key: str, identifier: str, value: object) -> None:
        self._all.add(key)
        if self._few is None:
            return
        self._few[key] = (identifier, value)
        if len(self._few) > MAX_LOOKUPS or str(value) in NOT_IN_A_PATH:
            self._few = None

    def _look_up(
        self, client: Client, few: dict[str, tuple[str, Any]], on_call: Callable[[], None]
    ) -> set[int]:
        """Look contacts up, and return the address books whose members are still unclear."""
        unclear: set[int] = set()
        for key, (identifier, value) in few.items():
            on_call()
            try:
                contact = client.held_contact(identifier, value)
            except RequestRefusedError:
                continue  # no contact can have it
            if contact is None:
                continue
            self._add_existing(key)
            self._meet(contact, [each.id for each in contact.lists or ()])
            for place, group in self._groups_of(key):
                if contact.lists is None and place > ACCOUNT:
                    unclear.add(place)
                elif any(each.id == place for each in contact.lists or ()):
                    group.members.add(key)
        return unclear

    def _read_books(self, client: Client, books: set[int], on_call: Callable[[], None]) -> None:
        details = self._details()
        for book in sorted(books):
            for contact in read_held_members(client, book, details, on_call):
                self._match(contact, book)

    def _match(self, contact: HeldContact, book: int | None) -> None:
        """Take in a contact of the account, or of an address book."""
        self._meet(contact, () if book is None else (book,))
        for identity in identities_of(contact.identifiers, contact.contact_id):
            if identity not in self._all:
                continue
            self._add_existing(identity)
            for groups in (self.joining, self.leaving):
                if book in groups and identity in groups[book].all:
                    groups[book].members.add(identity)

    def _add_existing(self, identity: str) -> None:
        for _, group in self._groups_of(identity):
            group.existing.add(identity)

    def _groups_of(self, identity: str) -> list[tuple[int, Group]]:
        return [
            (place, group)
            for groups in (self.joining, self.leaving)
            for place, group in groups.items()
            if identity in group.all
        ]

    def _is_incomplete(self) -> bool:
        groups = [self.joining[ACCOUNT]]
        if ACCOUNT in self.leaving:
            groups.append(self.leaving[ACCOUNT])
        return any(len(group.existing) < len(group.all) for group in groups)
