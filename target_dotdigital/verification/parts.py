"""Parts of a contact that are compared: what they are called, and what is kept of their values."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from target_dotdigital.mapping import identity_hash

ACCOUNT: Final = 0
"""Stands for the account where an address book's ID would, as it does for loads."""

EMPTY: Final = 0
"""The part holds nothing."""
FILLED: Final = 1
"""The part holds something; or the contact is in the address book."""
OUT: Final = 2
"""The contact is not in the address book, or not in the account."""
OPTED_OUT: Final = 3
"""The channel's status is that of somebody who has opted out."""
_CODES: Final = 4

PartKind = Literal["data field", "identifier", "preference", "status", "address book"]


class Part(NamedTuple):
    """Something that the account holds of a contact."""

    kind: PartKind
    name: str
    """Of a data field, an identifier or a channel; of a preference or an address book the ID."""

    @property
    def title(self) -> str:
        """What it is called where it differs."""
        return self.name if self.kind == "data field" else f"{self.kind} {self.name}"


def digest(form: object) -> int:
    """Return what is kept of a value.

    Args:
        form: What `comparable_value` returns for it.
    """
    return EMPTY if form is None else _digest(hash(str(form)))


def identity_digest(identity: str) -> int:
    """Return what is kept of an identifier that is not the match identifier.

    Args:
        identity: The identifier, normalised.
    """
    return _digest(identity_hash(identity))


def _digest(hashed: int) -> int:
    return max(hashed & 0xFFFFFFFF, _CODES)
