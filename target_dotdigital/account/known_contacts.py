"""Contacts that the account knows: looked up one by one as long as they are few, then listed."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_dotdigital.account.members import IncompleteListError, read_account
from target_dotdigital.errors import RequestRefusedError
from target_dotdigital.mapping import CONTACT_ID, EMAIL, MOBILE_NUMBER, IdentitySet, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_dotdigital.api import Client
    from target_dotdigital.mapping import Contact

MAX_LOOKUPS: Final = 200
"""Calls of a run that look one contact up. Then the account is read, 5,000 contacts a call."""

NOT_IN_A_PATH: Final = frozenset({".", ".."})
"""Values that HTTP clients take out of a path, so that another call would be made."""

_SPELLINGS = {name.lower(): name for name in (CONTACT_ID, EMAIL, MOBILE_NUMBER)}

_logger = logging.getLogger("target-dotdigital.account")


class _Sent(msgspec.Struct):
    """What matters here of a contact's JSON, as the import takes it."""

    identifiers: dict[str, Any]


_decode_sent = msgspec.json.Decoder(_Sent).decode


def identities_of(
    identifiers: Mapping[str, Any] | None, contact_id: int | None = None
) -> Iterator[str]:
    """Yield everything that finds a contact of an answer, however the answer spells the names.

    Args:
        identifiers: Its identifiers.
        contact_id: Its ID.
    """
    if contact_id is not None:
        yield normalise(CONTACT_ID, contact_id)
    for name, value in (identifiers or {}).items():
        if value is not None:
            yield normalise(_SPELLINGS.get(name.lower(), name), value)


class KnownContacts:
    """Tells which contacts the account knows. Safe to use from several threads.

    Where it cannot be told, a contact counts as known: an opt-out is sent rather than lost.
    """

    def __init__(self, client: Client) -> None:
        """Call nothing yet.

        Args:
            client: Calls Dotdigital, by GET alone.
        """
        self._client = client
        self._lock = threading.Lock()
        self._lookups = 0
        self._known = IdentitySet()
        self._is_listing = False
        """Whether the list of the account's contacts is used, or just being read."""
        self._is_read = False
        self._is_unreadable = False

    def divide(self, contacts: Iterable[Contact]) -> tuple[list[Contact], list[Contact]]:
        """Divide contacts into those that are to be sent, and those that are left out.

        Args:
            contacts: The contacts.

        Returns:
            Left out are those that are to be sent only if the account knows them, and are unknown.

        Raises:
            TargetDotdigitalError: A call fails.
        """
        everybody = list(contacts)
        unsure = [each for each in everybody if each.only_if_known]
        if not unsure:
            return everybody, []
        with self._lock:
            if not self._is_read and self._lookups + len(unsure) > MAX_LOOKUPS:
                self._read_account()
            is_known = self._is_listed if self._is_read else self._is_found
            left_out = [each for each in unsure if not is_known(each)]
        keys = {each.key for each in left_out}
        return [each for each in everybody if each.key not in keys], left_out

    def note(self, contacts: Iterable[Contact]) -> None:
        """Take note of contacts that are known from now on.

        Args:
            contacts: They were imported.
        """
        if not self._is_listing:
            return  # the account is asked for each contact, and will list these
        with self._lock:
            if self._is_read:
                for contact in contacts:
                    for identity in contact.identities:
                        self._known.add(identity)

    def _read_account(self) -> None:
        if self._is_unreadable:
            return
        self._is_listing = True
        try:
            for contact in read_account(self._client):
                for identity in identities_of(contact.identifiers, contact.contact_id):
                    self._known.add(identity)
        except IncompleteListError:
            self._is_unreadable = True
            self._known = IdentitySet()
            _logger.warning(
                "The list of the account's contacts is not complete: each contact that has opted "
                "out is looked up by itself, for opt_out_new: skip"
            )
        else:
            self._is_read = True

    def _is_listed(self, contact: Contact) -> bool:
        return any(identity in self._known for identity in contact.identities)

    def _is_found(self, contact: Contact) -> bool:
        """Look a contact up by each of its identifiers, until one finds somebody."""
        for identifier, value in _decode_sent(contact.body).identifiers.items():
            self._lookups += 1
            try:
                if str(value) in NOT_IN_A_PATH or self._client.contact(identifier, value):
                    return True
            except RequestRefusedError:
                return True  # the import says what is wrong with it
        return False
