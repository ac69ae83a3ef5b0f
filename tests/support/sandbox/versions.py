"""The sandbox's database as an earlier version of it was."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.storage.schema import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

_TABLE = re.compile(r"CREATE TABLE (?!IF )(\w+)")
_COLUMN = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (\w+)")


def go_back(database: Path, version: int) -> None:
    """Take from a database whatever later versions than this one have added."""
    added = "".join(MIGRATIONS[each] for each in sorted(MIGRATIONS) if each >= version)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for table in _TABLE.findall(added):
            connection.execute(f"DROP TABLE {table}")
        for table, column in _COLUMN.findall(added):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()
