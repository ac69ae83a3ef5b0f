"""What version 3 of the database adds: a group of tables for each thing that is kept."""

from __future__ import annotations

_V2_IMPORTS = """
CREATE TABLE v2_import (
    import_sequence INTEGER PRIMARY KEY,
    columns TEXT NOT NULL
);

CREATE TABLE v2_import_part (
    import_sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    counts BLOB NOT NULL,
    faults BLOB NOT NULL,
    PRIMARY KEY (import_sequence, position)
) WITHOUT ROWID;
"""
"""Imports of v2, beside their rows in `import` and `import_part`: the names of their columns, and
for each part the contacts that failed, counted by v2's names and as lines of CSV."""

GROUPS: tuple[str, ...] = (_V2_IMPORTS,)

VERSION_3 = "".join((*GROUPS, "PRAGMA user_version = 3;"))
