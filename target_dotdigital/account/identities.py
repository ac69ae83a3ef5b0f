"""The identifiers of contacts in Dotdigital's answers, normalised."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from target_dotdigital.mapping import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    hashes_of,
    normalise,
    normalise_all,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_dotdigital.api import FoundContact
    from target_dotdigital.mapping import IdentitySet

_SPELLINGS = {name.lower(): name for name in (CONTACT_ID, EMAIL, MOBILE_NUMBER)}


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


def not_held(contacts: Sequence[FoundContact], sets: Sequence[IdentitySet]) -> list[FoundContact]:
    """Return the contacts of an answer of whom none of some sets holds any identity.

    Args:
        contacts: The contacts.
        sets: The sets.
    """
    rest = list(contacts)
    names = chain.from_iterable(each.identifiers or () for each in contacts)
    for name in dict.fromkeys(names):
        values = [each.identifiers.get(name) if each.identifiers else None for each in rest]
        rest = _not_held(rest, _SPELLINGS.get(name.lower(), name), values, sets)
    return _not_held(rest, CONTACT_ID, [each.contact_id for each in rest], sets)


def _not_held(
    contacts: list[FoundContact],
    name: str,
    values: Sequence[object],
    sets: Sequence[IdentitySet],
) -> list[FoundContact]:
    """Return the contacts whose identifiers of one name are in none of some sets."""
    hashes = hashes_of(normalise_all(name, [value for value in values if value is not None]))
    held = set().union(*(each.among(hashes) for each in sets))
    in_turn = iter(hashes)
    return [
        contact
        for contact, value in zip(contacts, values, strict=True)
        if value is None or next(in_turn) not in held
    ]
