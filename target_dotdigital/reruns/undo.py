"""`--undo`: those whom a mirror took out of an address book are put back into it."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from target_dotdigital.errors import DataError
from target_dotdigital.mapping import CONTACT_ID
from target_dotdigital.mirror import LEAVERS
from target_dotdigital.reruns.rerun import Rerun, new_name, open_file, read_contents

if TYPE_CHECKING:
    from pathlib import Path

    from target_dotdigital.reruns.rerun import Contents

_NAME: Final = re.compile(rf"{LEAVERS}\.([0-9]{{1,10}})\..*")
"""Files of version 0.x name their address book nowhere else."""

_OF_OTHER_STREAMS: Final = frozenset(
    {
        "account_only",
        "address_book",
        "create_address_book",
        "create_data_fields",
        "faker_config",
        "flattening_enabled",
        "flattening_max_depth",
        "stream_map_config",
        "stream_maps",
    }
)
"""Settings that say how the tap's streams are loaded, and where to."""


def open_undo(path: Path) -> Rerun:
    """Open a file for undoing.

    Args:
        path: The file.

    Raises:
        DataError: It is none, or does not say which address book its contacts left.
        StorageError: It cannot be read, or another run loads it.
    """
    with ExitStack() as opened:
        source = opened.enter_context(open_file(path))
        contents = read_contents(path)
        if set(contents.rows) != {LEAVERS}:
            raise DataError(
                f"{path} is not an undo file of a mirror: its rows are not of the stream "
                f"'{LEAVERS}' alone. To load rejected rows, use --replay"
            )
        book = _address_book(path, contents)
        opened.pop_all()  # whoever loads it closes it
    total = contents.total
    contacts = "1 contact" if total == 1 else f"{total:,} contacts"
    announcement = (
        f"Undo of {path}: puts {contacts} back into address book {book}. Nothing else of them "
        "changes: those who have opted out stay opted out, and those who were deleted are not "
        "created"
    )
    rejects_path = new_name(path, path.suffix)
    streams = {LEAVERS: {"address_book": book, "match_identifier": CONTACT_ID, "fields": {}}}
    return Rerun(
        "undo",
        path,
        source,
        announcement,
        rejects_path,
        {"streams": streams},
        _OF_OTHER_STREAMS,
        contents.account,
    )


def _address_book(path: Path, contents: Contents) -> int:
    """Return the ID of the address book that a file's contacts left.

    Raises:
        DataError: Neither the file nor its name tells it.
    """
    if contents.address_book is not None:
        return contents.address_book
    if (named := _NAME.fullmatch(path.name)) is not None:
        return int(named[1])
    raise DataError(
        f"{path} does not say which address book its contacts left. Give it the name that it "
        f"had: {LEAVERS}.<address book>.<time>.singer"
    )
