"""The identifiers of contacts in Dotdigital's answers, normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_dotdigital.mapping import CONTACT_ID, EMAIL, MOBILE_NUMBER, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
