"""What an import of v2 uploads, in the one form in which files and collections are kept."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from target_dotdigital.sandbox.contacts import EMAIL, MergeOption

if TYPE_CHECKING:
    from collections.abc import Iterable

EMAIL_COLUMN = EMAIL
"""The one column that a file must have, in any case."""


class UploadError(Exception):
    """A file that is no CSV. The text tells nothing of what is in it."""


class NoEmailColumnError(Exception):
    """A file that has no column for the e-mail address."""


class UploadedContact(msgspec.Struct, frozen=True, array_like=True):
    """A row of a file, or an entry of a collection.

    Attributes:
        email: As it was sent.
        cells: The others by the name of their column, as it was written. Of a file, all are texts.
    """

    email: str
    cells: dict[str, Any]


class Upload(msgspec.Struct, frozen=True):
    """What was uploaded. Its contacts stay encoded: decoded, they are many times that size.

    Attributes:
        merge_option: What happens to values that are there already.
        lists: IDs of the address books that its contacts join.
        columns: The names of all columns but that of the address, as they were written.
        is_file: Whether it is a file, of which columns that are no data fields are passed over.
        is_readable: Whether its format is one that the sandbox reads.
        contacts: The contacts, in the order in which they were sent.
    """

    merge_option: MergeOption
    lists: list[int]
    columns: list[str]
    is_file: bool
    is_readable: bool
    contacts: list[msgspec.Raw]


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_UPLOAD = msgspec.json.Decoder(Upload)
_CONTACT = msgspec.json.Decoder(UploadedContact, float_hook=Decimal)


def upload_of(
    contacts: Iterable[UploadedContact],
    columns: list[str],
    *,
    merge_option: MergeOption,
    lists: list[int],
    is_file: bool,
) -> Upload:
    """Return an upload of contacts."""
    encoded = [msgspec.Raw(_ENCODER.encode(contact)) for contact in contacts]
    return Upload(merge_option, lists, columns, is_file, is_readable=True, contacts=encoded)


def unreadable(merge_option: MergeOption, lists: list[int]) -> Upload:
    """Return an upload of which nothing can be read."""
    return Upload(merge_option, lists, [], is_file=True, is_readable=False, contacts=[])


def encode_upload(upload: Upload) -> bytes:
    """Return an upload as it is kept until it is worked off."""
    return _ENCODER.encode(upload)


def decode_upload(kept: bytes) -> Upload:
    """Read an upload that was kept."""
    return _UPLOAD.decode(kept)


def decode_contact(kept: msgspec.Raw) -> UploadedContact:
    """Read a contact of an upload."""
    return _CONTACT.decode(kept)
