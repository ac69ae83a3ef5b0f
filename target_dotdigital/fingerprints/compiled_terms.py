"""The terms of a stream, from its settings, its mapping and its schema."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.fingerprints.terms import StreamTerms

if TYPE_CHECKING:
    from target_dotdigital.mapping import ContactMapping
    from target_dotdigital.settings import StreamSettings

_encode = msgspec.json.Encoder().encode
_in_order = msgspec.json.Encoder(order="deterministic").encode


def _encode_sorted(what: object) -> bytes:
    """Return JSON that does not depend on the order of names. Preferences' names are numbers."""
    return _in_order(msgspec.to_builtins(what, str_keys=True))


def terms_of(
    settings: StreamSettings,
    mapping: ContactMapping,
    address_book_id: int | None,
    *,
    is_mirrored: bool,
    schema: object,
) -> StreamTerms:
    """Return the terms under which a stream's contacts are sent.

    Args:
        settings: The stream's settings.
        mapping: How its records are mapped.
        address_book_id: The address book that its contacts join.
        is_mirrored: Whether somebody leaves the address book if he is not known to stay in it.
        schema: The stream's JSON schema, and the tap's key properties.
    """
    match, *others = mapping.identifiers
    fields = [(each.name, each.path.name, each.type) for each in mapping.fields]
    identifiers = [(each.name, each.path.name) for each in mapping.identifiers]
    what = [asdict(settings), fields, identifiers, address_book_id, is_mirrored]
    channels = mapping.channel_properties(())
    constant: dict[str, object] = {"channelProperties": channels} if channels else {}
    if mapping.lists is not None:
        constant["lists"] = mapping.lists
    constants = _encode(constant).decode()[1:]
    writes = {f"field {name}" for name, _, _ in fields}
    writes |= {f"identifier {each.name}" for each in others}
    writes |= {f"preference {each}" for each in settings.preferences}
    if channels or settings.opt_out or mapping.held_opt_outs is not None:
        writes.add("channelProperties")
    return StreamTerms(
        digest=blake2b(_encode_sorted(what), digest_size=16).hexdigest(),
        match=match.name,
        writes=frozenset(writes),
        constants=constants if constants == "}" else f",{constants}",
        schema=blake2b(_encode_sorted(schema), digest_size=16).hexdigest(),
    )
