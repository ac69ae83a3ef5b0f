"""A contact on its way to Dotdigital: its JSON bytes, and the rows that it was made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from target_dotdigital.held import HeldContacts
    from target_dotdigital.report import StreamCounts
    from target_dotdigital.settings_schema import MergeOption

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
    holding: HeldContacts | None = None
    """Told the contact's ID once that is known; None where no mirror wants to know."""


@dataclass(slots=True)
class Contact:
    """A contact to be sent. Its `repr` shows nothing of it."""

    key: str = field(repr=False)
    """The normalised match identifier."""
    other_identities: tuple[str, ...] = field(repr=False)
    """The contact's other identifiers, normalised."""
    body: bytes = field(repr=False)
    """The contact's JSON, as the import takes it; of one that leaves, its identifier alone."""
    rows: tuple[Row, ...] = field(default=(), repr=False)
    """The rows that it stands for, the newest last."""

    @property
    def identities(self) -> tuple[str, ...]:
        """Everything that finds this contact, the match identifier first."""
        return (self.key, *self.other_identities)


def collapse(earlier: Contact, later: Contact, merge_option: MergeOption) -> Contact:
    """Join two contacts with the same match identifier into one that has the effect of both.

    Sent one after the other, the later one would win only the fields that it holds. So the
    contents of the account do not depend on where one import ends and the next begins.

    Args:
        earlier: The contact of the older row.
        later: The contact of the newer row.
        merge_option: How Dotdigital merges them with the account's contact.
    """
    old: dict[str, Any] = _decoder.decode(earlier.body)
    new: dict[str, Any] = _decoder.decode(later.body)
    joined = {**old, **new}
    joined["identifiers"] = {**old["identifiers"], **new["identifiers"]}
    fields = {**old.get("dataFields", {}), **new.get("dataFields", {})}
    if merge_option == "overwriteIfEmpty":
        fields.update(old.get("dataFields", {}))
    if fields:
        joined["dataFields"] = fields
    if channel := {**_email_channel(old), **_email_channel(new)}:
        joined["channelProperties"] = {"email": channel}
    if lists := dict.fromkeys([*old.get("lists", ()), *new.get("lists", ())]):
        joined["lists"] = list(lists)
    return Contact(
        key=later.key,
        other_identities=tuple(dict.fromkeys((*earlier.other_identities, *later.other_identities))),
        body=_encoder.encode(joined),
        rows=(*earlier.rows, *later.rows),
    )


def _email_channel(contact: dict[str, Any]) -> dict[str, Any]:
    channel: dict[str, Any] = contact.get("channelProperties", {}).get("email", {})
    return channel
