"""Compares a contact of the account with what a stream holds of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.account import identities_of
from target_dotdigital.mapping import comparable_value
from target_dotdigital.verification.parts import (
    EMPTY,
    FILLED,
    OPTED_OUT,
    digest,
    identity_digest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_dotdigital.api import HeldContact
    from target_dotdigital.verification.parts import Part

_OPTED_OUT_WORDS: Final = frozenset({"unsubscribed", "suppressed"})
_GONE_WORDS: Final = frozenset({"deleted", "binned"})


class HeldParts:
    """What the account holds of a contact, as it is compared."""

    def __init__(self, contact: HeldContact, data_fields: Mapping[str, str]) -> None:
        """Look at a contact.

        Args:
            contact: The contact.
            data_fields: The account's data fields: name to type.
        """
        self._contact = contact
        self._types = data_fields
        self._fields = {name.lower(): value for name, value in (contact.data_fields or {}).items()}
        self._channels = _channels(contact)
        self._identifiers: dict[str, int] | None = None

    def differing(self, parts: Sequence[Part], wanted: Mapping[int, int]) -> list[str]:
        """Return the titles of what differs.

        Args:
            parts: All parts, by number.
            wanted: By a part's number what the account should hold.
        """
        return [
            parts[number].title
            for number, value in wanted.items()
            if parts[number].kind != "address book" and not self._is(parts[number], value)
        ]

    @property
    def is_opted_out(self) -> bool:
        """Whether the contact has opted out: of e-mails, or of all that it can be sent."""
        status = self._channels.get("email", {}).get("status") or self._contact.status
        return _word(status) in _OPTED_OUT_WORDS

    def _is(self, part: Part, wanted: int) -> bool:
        actual = self._digest(part)
        return actual != EMPTY if wanted == FILLED else actual == wanted

    def _digest(self, part: Part) -> int:
        if part.kind == "data field":
            value = self._fields.get(part.name.lower())
            return digest(comparable_value(value, self._types[part.name]))
        if part.kind == "status":
            status = self._channels.get(part.name.lower(), {}).get("status")
            return OPTED_OUT if _word(status) in _OPTED_OUT_WORDS else EMPTY
        if part.kind == "preference":
            # A preference that was never set is not told: the contact is not in it.
            chosen = {str(each.id): bool(each.is_opted_in) for each in self._preferences}
            return digest(chosen.get(part.name, False))
        if self._identifiers is None:
            identities = identities_of(self._contact.identifiers)
            self._identifiers = {
                each.partition(":")[0].lower(): identity_digest(each) for each in identities
            }
        return self._identifiers.get(part.name.lower(), EMPTY)

    @property
    def _preferences(self) -> Iterable[Any]:
        return self._contact.preferences or ()


def is_gone(contact: HeldContact) -> bool:
    """Return whether a contact that an answer has is in the account's recycle bin.

    Args:
        contact: The contact.
    """
    return _word(contact.status) in _GONE_WORDS


def is_member(contact: HeldContact, address_book_id: int) -> bool:
    """Return whether a contact says of itself that it is in an address book.

    Args:
        contact: The contact.
        address_book_id: The address book's ID.
    """
    return any(
        each.id == address_book_id and _word(each.status) not in _OPTED_OUT_WORDS
        for each in contact.lists or ()
    )


def has_left(contact: HeldContact, address_book_id: int) -> bool:
    """Return whether a contact says of itself that it has opted out of an address book.

    Args:
        contact: The contact.
        address_book_id: The address book's ID.
    """
    return any(
        each.id == address_book_id and _word(each.status) in _OPTED_OUT_WORDS
        for each in contact.lists or ()
    )


def _channels(contact: HeldContact) -> dict[str, dict[str, Any]]:
    return {
        channel.lower(): {name.lower(): value for name, value in (properties or {}).items()}
        for channel, properties in (contact.channel_properties or {}).items()
    }


def _word(status: object) -> str:
    return status.lower() if isinstance(status, str) else ""
