"""A contact to be sent: its identities, its JSON bytes, and the rows that it was made of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
from typing_extensions import override

from target_dotdigital.mapping.contacts.channels import channels_of, joined_channels
from target_dotdigital.mapping.contacts.identifiers import normalise
from target_dotdigital.mapping.contacts.limits import MAX_CONSENT_RECORDS, MAX_LISTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_dotdigital.mapping.contacts.identity_set import IdentitySet
    from target_dotdigital.mapping.contacts.stream_counts import StreamCounts
    from target_dotdigital.settings import MergeOption

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class Row(NamedTuple):
    """A row that a contact stands for."""

    counts: StreamCounts
    """Where the row is counted."""
    line: bytes | None
    """The row's message as it was read; None when rejects are not kept."""
    schema: bytes | None
    """The SCHEMA message that the row came under; None when rejects are not kept."""
    identity_set: IdentitySet | None = None
    """Takes the contact's ID once that is known; None if no mirror needs it."""
    number: int = 0
    """Which row of its stream it is, from 1 on; 0 when rejects are not kept."""


class Source(Protocol):
    """What holds the JSON of contacts, and their rows: of many together, or of one."""

    @property
    def identity_sets(self) -> Sequence[IdentitySet | None]:
        """What takes the ID of each contact; one if it is one for all."""

    @property
    def counted(self) -> tuple[Row, ...]:
        """Rows that are counted as those of each contact."""

    @property
    def bodies(self) -> Sequence[bytes]:
        """The JSON of each contact."""

    def sets_of(self, place: int) -> Sequence[IdentitySet | None]:
        """Return what takes the ID of one contact."""

    def rows(self, place: int) -> tuple[Row, ...]:
        """Return the rows of a contact."""

    def joined(self, contacts: Sequence[Contact]) -> bytes:
        """Return the JSON of some contacts, with commas between them."""

    def size(self, contacts: Sequence[Contact]) -> int:
        """Return how many bytes that has."""


class OwnSource:
    """What holds the JSON and the rows of one contact. See `Source`."""

    def __init__(self, body: bytes, rows: tuple[Row, ...] = ()) -> None:
        """Hold them.

        Args:
            body: The JSON.
            rows: The rows, the newest last.
        """
        self.bodies = (body,)
        self.counted = rows

    @property
    def identity_sets(self) -> list[IdentitySet | None]:
        """What takes the contact's ID, by row."""
        return [row.identity_set for row in self.counted]

    def sets_of(self, place: int) -> Sequence[IdentitySet | None]:  # noqa: ARG002 - there is one
        """Return what takes the contact's ID, by row."""
        return self.identity_sets

    def rows(self, place: int) -> tuple[Row, ...]:  # noqa: ARG002 - there is one
        """Return the contact's rows."""
        return self.counted

    def joined(self, contacts: Sequence[Contact]) -> bytes:  # noqa: ARG002 - there is one
        """Return its JSON."""
        return self.bodies[0]

    def size(self, contacts: Sequence[Contact]) -> int:  # noqa: ARG002 - there is one
        """Return how many bytes that has."""
        return len(self.bodies[0])


class Contact(msgspec.Struct, gc=False):
    """A contact to be sent. Its `repr` shows nothing of it.

    There are hundreds of thousands of them at a time, and they hold no cycles.

    Attributes:
        key: The normalised match identifier.
        other_identities: The contact's other identifiers, normalised.
        source: What holds its JSON and its rows.
        place: Where it is in there.
        only_if_known: Whether it is left out if the account does not know it: it has opted out.
        traces: Where only changes are sent: what is kept of its row once it is settled, and the
            place in there; of rows that were joined, those of each, one behind the other.
    """

    key: str
    other_identities: tuple[str, ...]
    source: Source
    place: int = 0
    only_if_known: bool = False
    traces: tuple[Any, ...] = ()

    @property
    def body(self) -> bytes:
        """Its JSON, as the import takes it; of one that leaves, its identifier alone."""
        return self.source.bodies[self.place]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that it stands for, the newest last."""
        return self.source.rows(self.place)

    @property
    def identity_sets(self) -> set[IdentitySet]:
        """What takes its ID once that is known, and its identities."""
        return {each for each in self.source.sets_of(self.place) if each is not None}

    @override
    def __repr__(self) -> str:
        """Return how many rows it stands for."""
        return f"<contact of {len(self.source.counted)} rows>"

    @property
    def identities(self) -> tuple[str, ...]:
        """Everything that finds this contact, the match identifier first."""
        return (self.key, *self.other_identities)


class SentPreference(msgspec.Struct, rename="camel"):
    """A marketing preference, as the import takes it."""

    id: int
    is_opted_in: bool


class SentChannel(msgspec.Struct):
    """What the import takes of a channel, as far as it is read again."""

    status: str | None = None


class SentContact(msgspec.Struct, rename="camel"):
    """A contact's JSON, as the import takes it. Its `repr` shows nothing of it."""

    match_identifier: str
    identifiers: dict[str, Any]
    data_fields: dict[str, Any] = {}
    lists: list[int] = []
    preferences: list[SentPreference] = []
    channel_properties: dict[str, SentChannel] = {}

    @override
    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "<contact to be sent>"


decode_sent = msgspec.json.Decoder(SentContact).decode
"""Returns the `SentContact` of a contact's `body`. One that leaves has none."""


def collapse(earlier: Contact, later: Contact, merge_option: MergeOption) -> Contact | None:
    """Join two contacts with the same match identifier into one that has the effect of both.

    Sent one after the other, the later one would win only the fields that it holds. So the
    contents of the account do not depend on where one import ends and the next begins.

    Args:
        earlier: The contact of the older row.
        later: The contact of the newer row.
        merge_option: How Dotdigital merges them with the account's contact.

    Returns:
        The contact, or None if only two imports, one after the other, have the effect of both.
    """
    old: dict[str, Any] = _decoder.decode(earlier.body)
    new: dict[str, Any] = _decoder.decode(later.body)
    if _differ_in_turn(old, new, merge_option):
        return None
    joined = _joined(old, new, merge_option)
    if (
        len(joined.get("lists", ())) > MAX_LISTS
        or len(joined.get("consentRecords", ())) > MAX_CONSENT_RECORDS
    ):
        return None
    return Contact(
        key=later.key,
        other_identities=tuple(dict.fromkeys((*earlier.other_identities, *later.other_identities))),
        source=OwnSource(_encoder.encode(joined), (*earlier.rows, *later.rows)),
        # A row that would have created the contact comes first, or none does: opt-outs are held.
        only_if_known=earlier.only_if_known and later.only_if_known,
        traces=(*earlier.traces, *later.traces),
    )


def _joined(old: dict[str, Any], new: dict[str, Any], merge_option: MergeOption) -> dict[str, Any]:
    """Return the JSON of two contacts as one; for each part but opt-outs, the later value wins."""
    fields = {**old.get("dataFields", {}), **new.get("dataFields", {})}
    if merge_option == "overwriteIfEmpty":
        fields.update(old.get("dataFields", {}))
    preferences = {**_preferences(old), **_preferences(new)}
    parts = {
        "dataFields": fields,
        "channelProperties": joined_channels(channels_of(old), channels_of(new)),
        "preferences": [
            {"id": number, "isOptedIn": opted_in} for number, opted_in in preferences.items()
        ],
        "consentRecords": [*old.get("consentRecords", ()), *new.get("consentRecords", ())],
        "lists": list(dict.fromkeys([*old.get("lists", ()), *new.get("lists", ())])),
    }
    return {
        **old,
        **new,
        "identifiers": {**old["identifiers"], **new["identifiers"]},
        **{name: part for name, part in parts.items() if part},
    }


def _differ_in_turn(old: dict[str, Any], new: dict[str, Any], merge_option: MergeOption) -> bool:
    """Return whether two contacts differ in a part whose values must take effect in turn."""
    # An address that the contact has only for a while may be what lets others swap theirs.
    pairs: list[tuple[dict[Any, Any], dict[Any, Any]]] = [(_identities(old), _identities(new))]
    if merge_option == "overwriteIfEmpty":
        # Dotdigital does not document whether this option covers more than data fields.
        pairs.append((dict(_email_channel(old)), dict(_email_channel(new))))
        pairs.append((_preferences(old), _preferences(new)))
    return any(
        earlier.get(name, value) != value
        for earlier, later in pairs
        for name, value in later.items()
    )


def _identities(contact: dict[str, Any]) -> dict[str, str]:
    return {name: normalise(name, value) for name, value in contact["identifiers"].items()}


def _preferences(contact: dict[str, Any]) -> dict[int, bool]:
    return {each["id"]: each["isOptedIn"] for each in contact.get("preferences", ())}


def _email_channel(contact: dict[str, Any]) -> Mapping[str, str]:
    return channels_of(contact).get("email", {})
