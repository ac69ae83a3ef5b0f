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

_SUPPRESSION_LIST = """
CREATE TABLE suppression (
    value TEXT PRIMARY KEY
) WITHOUT ROWID;
"""
"""Addresses and domains that Dotdigital bars in every account, in lower case."""

_RECYCLE_BIN = """
CREATE TABLE deleted_contact (
    sequence INTEGER PRIMARY KEY,
    id INTEGER NOT NULL UNIQUE,
    deleted TEXT NOT NULL,
    data_fields TEXT NOT NULL,
    contact BLOB NOT NULL
);
CREATE INDEX deleted_contact_by_time ON deleted_contact (deleted);

CREATE TABLE deleted_identifier (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (name, value, contact_id)
) WITHOUT ROWID;
CREATE INDEX deleted_identifier_of_contact ON deleted_identifier (contact_id);
"""
"""Deleted contacts in the order of their deletion, each as JSON but for its data fields, and the
identifiers by which they are found. Unlike those of contacts, these are not unique."""

GROUPS: tuple[str, ...] = (
    _SEGMENTS,
    _IMPORT_LISTS,
    _SUPPRESSION_LIST,
    _RECYCLE_BIN,
)

VERSION_3 = "".join((*GROUPS, "PRAGMA user_version = 3;"))
