"""What version 3 of the database adds: a group of tables for each thing that is kept."""

from __future__ import annotations

_SEGMENTS = """
CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    contacts INTEGER NOT NULL
);

CREATE TABLE segment_member (
    segment_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (segment_id, contact_id)
) WITHOUT ROWID;
"""
"""Segments, and the contacts that were in each of them when it was last refreshed."""

_IMPORT_LISTS = """
CREATE TABLE import_list (
    import_sequence INTEGER NOT NULL,
    address_book_id INTEGER NOT NULL,
    contacts INTEGER NOT NULL,
    PRIMARY KEY (import_sequence, address_book_id)
) WITHOUT ROWID;
"""
"""The address books that an import names, and for how many of its contacts."""

GROUPS: tuple[str, ...] = (_SEGMENTS, _IMPORT_LISTS)

VERSION_3 = "".join((*GROUPS, "PRAGMA user_version = 3;"))
