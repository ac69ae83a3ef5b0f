"""One removal to its end: contacts leave an address book, or the account. In a worker thread."""

from __future__ import annotations

import logging
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from target_dotdigital.account import (
    NOT_IN_A_PATH,
    IncompleteListError,
    find_address_book,
    identities_of,
    read_member_pages,
)
from target_dotdigital.api import CONTACTS_A_PAGE, DELETION, REMOVAL
from target_dotdigital.errors import (
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    SettingsError,
)
from target_dotdigital.loading.bisection import Bisection
from target_dotdigital.loading.removals import ACCOUNT, FEW_CONTACTS, deletion_body
from target_dotdigital.loading.settlement import Settlement, reject_code, settle_deletion
from target_dotdigital.mapping import canonical
from target_dotdigital.settings import address_book_label, gone_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_dotdigital.api import Client, Jobs
    from target_dotdigital.events import Events
    from target_dotdigital.loading.removals import Removal
    from target_dotdigital.mapping import Contact

_logger = logging.getLogger("target-dotdigital.removals")
_decode_body = msgspec.json.Decoder(dict[str, Any]).decode


class Remover:
    """Takes contacts out of address books and the account. Safe to use from several threads."""

    def __init__(
        self,
        client: Client,
        removals: Jobs,
        deletions: Jobs,
        events: Events,
        label: Callable[[int], str] = address_book_label,
    ) -> None:
        """Keep what every removal shares.

        Args:
            client: Calls Dotdigital.
            removals: Starts removals from address books and awaits their ends.
            deletions: The same for deletions from the account.
            events: Where it is noted what happens to them.
            label: Returns what messages call an address book, by its ID.
        """
        self._client = client
        self._removals = removals
        self._deletions = deletions
        self._events = events
        self._label = label

    def perform(self, removal: Removal) -> Settlement:
        """Bring a removal to its end.

        Args:
            removal: The removal.

        Returns:
            What became of each of its contacts.

        Raises:
            TargetDotdigitalError: It cannot be settled.
        """
        contacts = list(removal.contacts.values())
        if removal.address_book_id != ACCOUNT:
            return self._take_out(contacts, removal.address_book_id)
        bisection = Bisection(contacts, self._delete)
        bisection.load(contacts)
        return bisection.total

    def remove(self, address_book_id: int, contact_ids: Sequence[int]) -> None:
        """Take contacts out of an address book, and wait until they are.

        Args:
            address_book_id: The address book's ID.
            contact_ids: At least one, and `CONTACTS_A_PAGE` at most. Contacts that are not in it
                any more do no harm.

        Raises:
            TargetDotdigitalError: It is not known that all of them are out.
        """
        try:
            with self._events.job(REMOVAL.name, len(contact_ids)) as job:
                removal_id, _ = self._removals.complete(
                    lambda: self._client.remove_members(address_book_id, contact_ids),
                    self._client.removal_status,
                    job,
                )
                job.settle(removed=len(contact_ids))
        except NotFoundError:
            raise SettingsError(gone_message(self._label(address_book_id))) from None
        except RequestRefusedError as error:
            # It holds nothing but IDs that Dotdigital has told: no row is at fault.
            raise DotdigitalError(error.message) from None
        _logger.info(
            "Removal %s: %d contacts left %s",
            removal_id,
            len(contact_ids),
            self._label(address_book_id),
        )

    def _delete(self, part: list[Contact]) -> Settlement:
        body = deletion_body(part)
        with self._events.job(DELETION.name, len(part)) as job:
            delete_id, report = self._deletions.complete(
                lambda: self._client.delete_contacts(body), self._client.deletion_status, job
            )
            settlement = settle_deletion(delete_id, report, part)
            job.settle(
                removed=len(settlement.deleted) + len(settlement.unknown),
                rejected=settlement.codes,
            )
        _logger.info(
            "Deletion %s is settled: %d contacts deleted, %d not found, %d rejected",
            delete_id,
            len(settlement.deleted),
            len(settlement.unknown),
            len(settlement.rejected),
        )
        return settlement

    def _take_out(self, contacts: list[Contact], address_book_id: int) -> Settlement:
        settlement = Settlement()
        found: dict[str, list[int]] = {}
        sought = contacts
        if self._is_read_sooner_as_a_whole(contacts, address_book_id):
            sought = self._find_in_list(contacts, address_book_id, found)
        self._look_up(sought, found, settlement)
        contact_ids = sorted({contact_id for ids in found.values() for contact_id in ids})
        for start in range(0, len(contact_ids), CONTACTS_A_PAGE):
            self.remove(address_book_id, contact_ids[start : start + CONTACTS_A_PAGE])
        refused = {contact.key for contact, _ in settlement.rejected}
        for contact in contacts:
            if contact.key in found:
                settlement.left.append(contact)
            elif contact.key not in refused:
                settlement.unknown.append(contact)
        return settlement

    def _is_read_sooner_as_a_whole(self, contacts: list[Contact], address_book_id: int) -> bool:
        if any(
            value in NOT_IN_A_PATH for contact in contacts for _, value in _identifiers(contact)
        ):
            return True
        if len(contacts) <= FEW_CONTACTS:
            return False
        members = find_address_book(self._client, address_book_id).contacts
        return members is None or members <= len(contacts) * CONTACTS_A_PAGE

    def _look_up(
        self, contacts: list[Contact], found: dict[str, list[int]], settlement: Settlement
    ) -> None:
        """Note contacts' IDs by match identifier; reject those that can be nobody's."""
        for contact in contacts:
            ((identifier, value),) = _identifiers(contact)
            try:
                known = self._client.contact(identifier, value)
            except RequestRefusedError as error:
                settlement.rejected.append((contact, reject_code(error.code)))
                continue
            if known is not None:
                found[contact.key] = [known.contact_id]

    def _find_in_list(
        self, contacts: list[Contact], address_book_id: int, found: dict[str, list[int]]
    ) -> list[Contact]:
        """Note contacts' IDs by match identifier; return whom the list may have left out."""
        wanted = {canonical(contact.key): contact.key for contact in contacts}
        try:
            label = self._label(address_book_id)
            pages = read_member_pages(self._client, address_book_id, label=label)
            for member in chain.from_iterable(pages):
                for identity in identities_of(member.identifiers, member.contact_id):
                    key = wanted.get(canonical(identity))
                    if key is not None:
                        found.setdefault(key, []).append(member.contact_id)
        except IncompleteListError as error:
            sought = [contact for contact in contacts if contact.key not in found]
            _logger.warning("%s. Looking up %d contacts one by one", error.message, len(sought))
            return sought
        return []


def _identifiers(contact: Contact) -> list[tuple[str, Any]]:
    return list(_decode_body(contact.body).items())
