"""What version 3 of the database adds: a group of tables for each thing that is kept."""

from __future__ import annotations

_CUSTOM_IDENTIFIERS = """
CREATE TABLE custom_identifier_name (
    name TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO custom_identifier_name
SELECT DISTINCT name, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
FROM custom_identifier;
"""
"""The custom identifiers that the account defines. Before, contacts could have any: those that
they have are defined from now on."""

GROUPS: tuple[str, ...] = (_CUSTOM_IDENTIFIERS,)

VERSION_3 = "".join((*GROUPS, "PRAGMA user_version = 3;"))
