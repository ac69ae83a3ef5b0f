"""The terms of a stream, from its settings, its mapping and its schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.fingerprints.terms import StreamTerms

if TYPE_CHECKING:
    from target_dotdigital.mapping import ContactMapping
    from target_dotdigital.settings import StreamSettings

_encode = msgspec.json.Encoder().encode


_OF_MIRRORS = ("sync_mode", "max_removal_percent", "mirror_shared")
"""Settings that say who leaves, and change nothing of a contact that is sent. Whether there is a
mirror at all is one of the terms by itself."""


def _encode_sorted(what: object) -> bytes:
    """Return JSON that does not depend on the order of names.

    Preferences' names are numbers, and a SCHEMA's may hold half a surrogate pair.
    """
    return json.dumps(msgspec.to_builtins(what, str_keys=True), sort_keys=True).encode()


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
        is_mirrored: Whether the settings have a mirror. Only then Dotdigital's ID of each contact
            is kept, without which a mirror might not find who is unchanged, and let him leave.
        schema: The stream's JSON schema, and the tap's key properties.
    """
    match, *others = mapping.identifiers
    fields = [(each.name, each.path.name, each.type) for each in mapping.fields]
    identifiers = [(each.name, each.path.name) for each in mapping.identifiers]
    own = {name: each for name, each in asdict(settings).items() if name not in _OF_MIRRORS}
    what = [own, fields, identifiers, address_book_id, is_mirrored]
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
