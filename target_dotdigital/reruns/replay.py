"""`--replay`: the rejected rows of an earlier run are loaded once more, after a repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.reruns.rerun import Rerun, new_name, open_file, read_contents

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path


def open_replay(path: Path) -> Rerun:
    """Open a rejects file.

    Args:
        path: The file.

    Raises:
        DataError: There is not a row in it.
        StorageError: It cannot be read.
    """
    source = open_file(path)
    contents = read_contents(path)
    rejects_path = new_name(path, path.suffix)
    told = "; ".join(_told(stream, codes) for stream, codes in contents.rows.items())
    announcement = (
        f"Replay of {path}: loads {told}. Rows that are rejected again go to {rejects_path}. "
        "Nobody leaves a mirrored address book, and no STATE is printed. Once every row is "
        f"settled, {path.name} is renamed"
    )
    return Rerun("replay", path, source, announcement, rejects_path)


def _told(stream: str, codes: Counter[str]) -> str:
    total = codes.total()
    rows = "1 row" if total == 1 else f"{total:,} rows"
    listed = ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items()) if code)
    return f"{rows} of stream '{stream}'" + (f" ({listed})" if listed else "")
