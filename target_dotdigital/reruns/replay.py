"""`--replay`: the rejected rows of an earlier run are loaded once more, after a repair."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from target_dotdigital.errors import DataError
from target_dotdigital.reruns.rerun import ARCHIVED, Rerun, new_name, open_file, read_contents

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path


def open_replay(path: Path) -> Rerun:
    """Open a rejects file.

    Args:
        path: The file.

    Raises:
        DataError: There is no rejected row in it, or it was loaded before.
        StorageError: It cannot be read, or another run loads it.
    """
    if path.name.endswith(ARCHIVED):
        raise DataError(
            f"{path} was replayed before. To load it once more, give it a name that does not end "
            f"in {ARCHIVED}"
        )
    with ExitStack() as opened:
        source = opened.enter_context(open_file(path))
        contents = read_contents(path)
        if not any(code for codes in contents.rows.values() for code in codes):
            raise DataError(
                f"{path} is not a rejects file: no row has _sdc_reject_code. To load what a tap "
                "has written, use --input"
            )
        opened.pop_all()  # whoever loads it closes it
    rejects_path = new_name(path, path.suffix)
    told = "; ".join(_told(stream, codes) for stream, codes in contents.rows.items())
    announcement = (
        f"Replay of {path}: loads {told}. Rows that are rejected again go to {rejects_path}. "
        "No one leaves a mirrored address book, and no STATE is printed. Once every row is "
        "settled, the file is renamed"
    )
    return Rerun("replay", path, source, announcement, rejects_path)


def _told(stream: str, codes: Counter[str]) -> str:
    total = codes.total()
    rows = "1 row" if total == 1 else f"{total:,} rows"
    listed = ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items()) if code)
    return f"{rows} of stream '{stream}'" + (f" ({listed})" if listed else "")
