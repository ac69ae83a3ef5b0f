"""What version 3 of the database adds: a group of tables for each thing that is kept."""

from __future__ import annotations

FIRST_PREFERENCE_ID = 1_000_001
"""Above the numbers that people name in settings, as with address books."""

_PREFERENCES = f"""
CREATE TABLE marketing_preference (
    id INTEGER PRIMARY KEY,
    public_name TEXT NOT NULL,
    private_name TEXT NOT NULL,
    is_preference INTEGER NOT NULL,
    is_public INTEGER NOT NULL,
    category_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL
);

INSERT OR IGNORE INTO sequence VALUES ('preference', {FIRST_PREFERENCE_ID});

INSERT INTO marketing_preference
SELECT
    preference_id, 'Preference ' || preference_id, 'preference' || preference_id, 1, 1, 0,
    row_number() OVER (ORDER BY preference_id) - 1,
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
FROM (SELECT DISTINCT preference_id FROM preference);
"""  # noqa: S608 - nothing but a constant of this module
"""The preferences of the account and their categories.

Version 2 took any ID for a preference's: those that its contacts have are defined now."""

_INSIGHT_DATA = """
CREATE TABLE insight_collection (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    type TEXT NOT NULL,
    fields BLOB NOT NULL
);

CREATE TABLE insight_record (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    json BLOB NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    UNIQUE (collection_id, contact_id, key)
);
CREATE INDEX insight_record_of_collection ON insight_record (collection_id);
CREATE INDEX insight_record_of_contact ON insight_record (contact_id);

CREATE TABLE insight_job (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    collection_name TEXT NOT NULL,
    contact_id INTEGER NOT NULL,
    accepted TEXT NOT NULL,
    finished TEXT,
    body BLOB,
    total INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    failures BLOB
);
CREATE INDEX active_insight_job ON insight_job (sequence) WHERE finished IS NULL;
"""
"""Insight data: collections, their records, and the jobs that import and remove records.

A record that belongs to the account has the contact ID 0, which is no contact's."""

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

WHOLE_ACCOUNT = 0
"""In place of an address book's ID: somebody opted out of everything."""

OPT_OUTS = f"""
CREATE TABLE opt_out (
    address_book_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    removed TEXT NOT NULL,
    PRIMARY KEY (address_book_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX opt_out_of_contact ON opt_out (contact_id);
CREATE INDEX opt_out_by_time ON opt_out (address_book_id, removed, contact_id);

CREATE TRIGGER IF NOT EXISTS opt_out_of_new_contact AFTER INSERT ON contact
WHEN new.email_status IN ('unsubscribed', 'suppressed') BEGIN
    INSERT OR IGNORE INTO opt_out VALUES ({WHOLE_ACCOUNT}, new.id, new.updated);
END;

CREATE TRIGGER IF NOT EXISTS opt_out_of_contact AFTER UPDATE OF email_status ON contact
WHEN new.email_status <> old.email_status BEGIN
    DELETE FROM opt_out WHERE address_book_id = {WHOLE_ACCOUNT} AND contact_id = new.id;
    INSERT INTO opt_out SELECT {WHOLE_ACCOUNT}, new.id, new.updated
    WHERE new.email_status IN ('unsubscribed', 'suppressed');
END;

INSERT INTO opt_out SELECT {WHOLE_ACCOUNT}, id, updated FROM contact
WHERE email_status IN ('unsubscribed', 'suppressed');
"""  # noqa: S608 - nothing but constants of this module
"""When somebody was unsubscribed or suppressed: from the account, or from one list.

The database notes the account's by itself, whichever call changes the status of the e-mail
channel, in the transaction that does."""

GROUPS: tuple[str, ...] = (
    _PREFERENCES,
    _INSIGHT_DATA,
    _V2_IMPORTS,
    _CUSTOM_IDENTIFIERS,
    _SEGMENTS,
    _IMPORT_LISTS,
    _SUPPRESSION_LIST,
    _RECYCLE_BIN,
    OPT_OUTS,
)

VERSION_3 = "".join((*GROUPS, "PRAGMA user_version = 3;"))
