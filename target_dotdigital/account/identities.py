"""The identifiers of contacts in Dotdigital's answers, normalised."""

from __future__ import annotations

from functools import partial, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from target_dotdigital.mapping import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    normalise,
    normalise_all,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from target_dotdigital.api import Member

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


def not_found(
    contacts: Sequence[Member],
    finders: Sequence[Callable[[Sequence[str]], Iterable[bool]]],
) -> list[Member]:
    """Return the contacts of an answer of whom no finder finds any identity.

    Args:
        contacts: The contacts.
        finders: Each tells of many normalised identifiers which of them it finds.
    """
    rest = list(contacts)
    tried: set[str] = set()
    # The first identifier finds nearly all: further names are looked for among the rest alone.
    while name := next(
        (name for each in rest for name in each.identifiers or () if name not in tried), None
    ):
        tried.add(name)
        values = [each.identifiers.get(name) if each.identifiers else None for each in rest]
        rest = _not_found(rest, _SPELLINGS.get(name.lower(), name), values, finders)
    return _not_found(rest, CONTACT_ID, [each.contact_id for each in rest], finders)


def _not_found(
    contacts: list[Member],
    name: str,
    values: Sequence[object],
    finders: Sequence[Callable[[Sequence[str]], Iterable[bool]]],
) -> list[Member]:
    """Return the contacts whose identifiers of one name are not found."""
    identities = normalise_all(name, [value for value in values if value is not None])
    found = iter(reduce(partial(map, or_), (find(identities) for find in finders)))
    return [
        contact
        for contact, value in zip(contacts, values, strict=True)
        if value is None or not next(found)
    ]
