"""CSV files of contacts: commas, quotes, a first line of names.

Source: https://developer.dotdigital.com/reference/bulk-import-contacts. What it leaves open is
decided so that a file which is not as it should be comes to light.
"""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.imports.v2.uploads import (
    EMAIL_COLUMN,
    NoEmailColumnError,
    UploadedContact,
    UploadError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_csv(file: bytes) -> tuple[list[str], list[UploadedContact]]:
    """Read a file.

    Of a row that is too short, the cells that are missing are empty; of one that is too long, those
    without a column are passed over, as are columns without a name. A line that is empty is no row.

    Args:
        file: In UTF-8, or in UTF-16 with a byte order mark.

    Returns:
        The names of its columns, but for that of the address, and its contacts.

    Raises:
        UploadError: It is no CSV: nothing of it is a line of names, its encoding or its quotes are
            wrong, or two columns have one name.
        NoEmailColumnError: It has no column for the e-mail address.
    """
    rows = _rows(_decoded(file))
    names = [name.strip() for name in next(rows, [])]
    keys = [name.lower() for name in names if name]
    if not keys or len(set(keys)) < len(keys):
        raise UploadError
    if EMAIL_COLUMN not in keys:
        raise NoEmailColumnError
    place = [name.lower() for name in names].index(EMAIL_COLUMN)
    columns = [(at, name) for at, name in enumerate(names) if name and at != place]
    contacts = [_contact(row, place, columns) for row in rows]
    return [name for _, name in columns], contacts


def _contact(row: list[str], place: int, columns: list[tuple[int, str]]) -> UploadedContact:
    def cell(at: int) -> str:
        return row[at] if at < len(row) else ""

    return UploadedContact(cell(place), {name: cell(at) for at, name in columns})


def _decoded(file: bytes) -> str:
    encoding = "utf-16" if file.startswith(_UTF_16) else "utf-8-sig"
    try:
        text = file.decode(encoding)
    except UnicodeDecodeError:
        raise UploadError from None
    # Python's reader refuses this one up to 3.10, and takes it since.
    if "\0" in text:
        raise UploadError
    return text


def _rows(text: str) -> Iterator[list[str]]:
    try:
        # The reader tells line ends inside quotes from others only if nobody changes them before.
        yield from filter(None, csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise UploadError from None
