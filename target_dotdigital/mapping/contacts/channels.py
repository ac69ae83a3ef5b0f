"""Channels of a contact: what is sent of them, and the opt-outs, which nothing undoes.

Source: the vendor's OpenAPI file, contacts 3.4.3 (`channelProperties`).
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, compress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_dotdigital.mapping.contacts.identity_set import IdentitySet, all_identities, hashes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from target_dotdigital.mapping.contacts.identity_set import Identified
    from target_dotdigital.settings import StreamSettings

UNSUBSCRIBED: Final = "unsubscribed"
_EMAIL: Final = "email"
_CHANNELS: Final = (_EMAIL, "sms", "whatsApp")

ChannelProperties: TypeAlias = "dict[str, dict[str, str]]"
"""By channel, the properties that are sent. None of them is empty."""


def email_properties(settings: StreamSettings) -> dict[str, str]:
    """Return what is sent for e-mail of all contacts of a stream.

    Args:
        settings: The stream's settings.
    """
    found: dict[str, str] = {}
    if settings.email_type is not None:
        found["emailType"] = settings.email_type
    if settings.email_opt_in_type is not None:
        found["optInType"] = settings.email_opt_in_type
    if settings.resubscribe:
        # The only place that sends this status: it opts people in again.
        found["status"] = "subscribed"
    return found


def channel_properties(
    email: Mapping[str, str], opted_out: Collection[str] = ()
) -> ChannelProperties:
    """Return what is sent for the channels of a contact.

    Args:
        email: What is sent for e-mail of all contacts of the stream.
        opted_out: The channels that this one has opted out of.
    """
    found = {name: {"status": UNSUBSCRIBED} for name in _CHANNELS if name in opted_out}
    return joined_channels({_EMAIL: dict(email)} if email else {}, found)


def joined_channels(
    earlier: Mapping[str, Mapping[str, str]], later: Mapping[str, Mapping[str, str]]
) -> ChannelProperties:
    """Join what two rows send for the channels of one contact: an opt-out in either one stays.

    Sent one after the other, the first one would have opted the contact out, and a row that does
    not opt out sends no status. One that sends `subscribed` is not to undo it.

    Args:
        earlier: Of the older row.
        later: Of the newer one.
    """
    found: ChannelProperties = {}
    for name in _CHANNELS:
        old, new = earlier.get(name, {}), later.get(name, {})
        if not (properties := {**old, **new}):
            continue
        if UNSUBSCRIBED in (old.get("status"), new.get("status")):
            properties["status"] = UNSUBSCRIBED
            if properties.get("optInType") == "verifiedDouble":
                # It would have Dotdigital ask somebody by mail who has opted out.
                del properties["optInType"]
        found[name] = properties
    return found


class HeldOptOuts:
    """The opt-outs of a run, held so that no later row of it undoes one.

    Whether two rows of a person go in one import or in two depends on the size of batches. What
    becomes of the person does not.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._by_channel = {name: IdentitySet() for name in _CHANNELS}
        self._left_out = IdentitySet()

    def hold(
        self, identities: Sequence[str], opted_out: Collection[str], *, is_left_out: bool
    ) -> tuple[list[str], bool]:
        """Hold the opt-outs of a contact, and return those that hold for it.

        Args:
            identities: Everything that finds the contact.
            opted_out: The channels that its row opts out of.
            is_left_out: Whether it is left out if the account does not know it.

        Returns:
            The channels that it has opted out of, by this row or an earlier one, and whether it is
            left out if the account does not know it.
        """
        if is_left_out:
            self._left_out.add_all(identities)
        for name in opted_out:
            self._by_channel[name].add_all(identities)
        hashes = hashes_of(identities)
        held = [name for name, known in self._by_channel.items() if known.among(hashes)]
        return held, bool(self._left_out.among(hashes))

    def concerned(
        self, contacts: Sequence[Identified], opted_out: Sequence[Collection[str]]
    ) -> list[bool]:
        """Return for each of many contacts whether the opt-out of another row may hold for it.

        Args:
            contacts: The contacts.
            opted_out: The channels that the row of each opts out of.
        """
        found = [False] * len(contacts)
        sets = [known for known in (*self._by_channel.values(), self._left_out) if known]
        if not any(opted_out) and not sets:
            return found
        hashes = hashes_of(all_identities(contacts))
        held: set[int] = set().union(*(known.among(hashes) for known in sets))
        if not held and len({*hashes}) == len(hashes):
            return found  # nobody is in two rows
        owners = [*range(len(contacts))]
        owners += [number for number in owners for _ in contacts[number].other_identities]
        opting = Counter(
            hashed for hashed, owner in zip(hashes, owners, strict=True) if opted_out[owner]
        )
        for hashed, owner in zip(hashes, owners, strict=True):
            if hashed in held or opting[hashed] > bool(opted_out[owner]):
                found[owner] = True
        return found

    def add_all(
        self,
        contacts: Sequence[Identified],
        opted_out: Sequence[Collection[str]],
        left_out: Sequence[bool],
    ) -> None:
        """Hold the opt-outs of contacts that other rows have nothing to do with.

        Args:
            contacts: The contacts.
            opted_out: The channels that the row of each opts out of.
            left_out: Whether each is left out if the account does not know it.
        """
        for name in {*chain.from_iterable(opted_out)}:
            leaving = compress(contacts, [name in channels for channels in opted_out])
            self._by_channel[name].add_all(all_identities([*leaving]))
        self._left_out.add_all(all_identities([*compress(contacts, left_out)]))


def channels_of(contact: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """Return what a contact's JSON holds for its channels.

    Args:
        contact: The JSON, decoded.
    """
    channels: Mapping[str, Mapping[str, str]] = contact.get("channelProperties", {})
    return channels
