"""Compares a contact of the account with what a stream holds of it."""

from __future__ import annotations

from functools import cached_property
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
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from target_dotdigital.api import HeldContact
    from target_dotdigital.verification.parts import Part

_OPTED_OUT_WORDS: Final = frozenset({"unsubscribed", "suppressed"})
_GONE_WORDS: Final = frozenset({"deleted", "binned"})
_BLOCKED_WORDS: Final = frozenset(
    {
        *_OPTED_OUT_WORDS,
        "blockedlocalpart",
        "directcomplaint",
        "domainsuppressed",
        "ispcomplained",
        "knowncomplainer",
        "knownlitigator",
        "purchased",
        "shareddomainsuppression",
        "sharedsuppression",
        "spamtrap",
    }
)
"""Statuses of whom Dotdigital sends nothing. Whether an opt-out replaces one is not documented."""

_CHANNEL_IDENTIFIERS: Final = {
    "email": "email",
    "sms": "mobilenumber",
    "whatsapp": "mobilenumber",
}
"""By channel, the identifier that somebody is reached by; in lower case."""


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

    def has_opted_out_besides(self, channels: Collection[str]) -> bool:
        """Return whether the contact has opted out of a channel that is not one of these.

        Args:
            channels: The channels that the stream has opted it out of.
        """
        statuses = {name: each.get("status") for name, each in self._channels.items()}
        if not any(statuses.values()):  # the account tells of all channels together
            return not channels and _word(self._contact.status) in _OPTED_OUT_WORDS
        known = {each.lower() for each in channels}
        return any(
            _word(status) in _OPTED_OUT_WORDS and name not in known
            for name, status in statuses.items()
        )

    def _is(self, part: Part, wanted: int) -> bool:
        actual = self._digest(part)
        return actual != EMPTY if wanted == FILLED else actual == wanted

    def _digest(self, part: Part) -> int:
        if part.kind == "data field":
            value = self._fields.get(part.name.lower())
            return digest(comparable_value(value, self._types[part.name]))
        if part.kind == "status":
            return OPTED_OUT if self._is_sent_nothing(part.name.lower()) else EMPTY
        if part.kind == "preference":
            # A preference that was never set is not told: the contact is not in it.
            chosen = {str(each.id): bool(each.is_opted_in) for each in self._preferences}
            return digest(chosen.get(part.name, False))
        return self._identifiers.get(part.name.lower(), EMPTY)

    def _is_sent_nothing(self, channel: str) -> bool:
        status = self._channels.get(channel, {}).get("status")
        if status is None:  # no status is told of a channel that somebody cannot be reached by
            return _CHANNEL_IDENTIFIERS.get(channel) not in self._identifiers
        return _word(status) in _BLOCKED_WORDS

    @cached_property
    def _identifiers(self) -> dict[str, int]:
        identities = identities_of(self._contact.identifiers)
        return {each.partition(":")[0].lower(): identity_digest(each) for each in identities}

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
