"""The tables of the sandbox's database."""

from __future__ import annotations

from target_dotdigital.sandbox.storage.version_3 import VERSION_3

SCHEMA_VERSION = 3
"""Written to `user_version`. A file of an older version is brought up to this one when it is
opened, one of any other version is refused, never guessed at."""

ALL_CONTACTS_ID = 1_000_001
TEST_ID = 1_000_002
FIRST_FREE_ADDRESS_BOOK_ID = 1_000_003
"""Above the small numbers that people name in settings, so that `address_book: 1` means theirs."""

ALL_CONTACTS_NAME = "All Contacts"
TEST_NAME = "Test"

FIRST_CONTACT_ID = 1_001
"""No contact has the ID 1, so that a row's number taken for a contact ID comes to light."""

BEGIN_GROWTH = "INSERT OR IGNORE INTO growth SELECT id, 0, contacts FROM address_book"

_GROWTH = f"""
CREATE TABLE IF NOT EXISTS growth (
    address_book_id INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    contacts INTEGER NOT NULL,
    PRIMARY KEY (address_book_id, minute)
) WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS growth_of_new_address_book AFTER INSERT ON address_book BEGIN
    INSERT OR REPLACE INTO growth VALUES (new.id, 0, new.contacts);
END;

CREATE TRIGGER IF NOT EXISTS growth_of_address_book AFTER UPDATE OF contacts ON address_book
WHEN new.contacts <> old.contacts BEGIN
    INSERT OR REPLACE INTO growth
    VALUES (new.id, CAST(strftime('%s', 'now') AS INTEGER) / 60, new.contacts);
END;

CREATE TRIGGER IF NOT EXISTS growth_of_deleted_address_book AFTER DELETE ON address_book BEGIN
    DELETE FROM growth WHERE address_book_id = old.id;
END;

{BEGIN_GROWTH};
"""  # noqa: S608 - nothing but constants of this module
"""How many contacts each address book had, minute by minute.

The database keeps the count by itself, whoever changes it, in the transaction that does: a row
for each minute in which it changed, however many contacts joined. Minute 0 is the beginning."""

_VERSION_2 = """
CREATE TABLE preference (
    contact_id INTEGER NOT NULL,
    preference_id INTEGER NOT NULL,
    is_opted_in INTEGER NOT NULL,
    PRIMARY KEY (contact_id, preference_id)
) WITHOUT ROWID;

CREATE TABLE consent_record (
    id INTEGER PRIMARY KEY,
    contact_id INTEGER NOT NULL,
    text TEXT NOT NULL,
    date_time_consented TEXT NOT NULL,
    url TEXT NOT NULL,
    ip_address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE INDEX consent_record_of_contact ON consent_record (contact_id);

CREATE TABLE removal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    address_book_id INTEGER,
    accepted TEXT NOT NULL,
    finished TEXT,
    position INTEGER NOT NULL DEFAULT 0,
    body BLOB,
    report BLOB
);
CREATE INDEX active_removal ON removal (sequence) WHERE finished IS NULL;

PRAGMA user_version = 2;
"""

MIGRATIONS = {1: _VERSION_2 + _GROWTH, 2: VERSION_3}
"""What brings a file of a version to the next one."""

BUILT_IN_DATA_FIELDS = """
INSERT INTO data_field (name, type, visibility) VALUES
    ('FIRSTNAME', 'String', 'Public'),
    ('LASTNAME', 'String', 'Public'),
    ('FULLNAME', 'String', 'Public'),
    ('GENDER', 'String', 'Public'),
    ('POSTCODE', 'String', 'Public'),
    ('LASTSUBSCRIBED', 'Date', 'Public')
"""

SCHEMA = f"""
CREATE TABLE sequence (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE address_book (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    visibility TEXT NOT NULL,
    contacts INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE data_field (
    name TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    visibility TEXT NOT NULL,
    default_value TEXT NOT NULL DEFAULT 'null'
);

CREATE TABLE contact (
    id INTEGER PRIMARY KEY,
    email TEXT UNIQUE,
    mobile_number TEXT UNIQUE,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    email_type TEXT NOT NULL,
    opt_in_type TEXT NOT NULL,
    email_status TEXT NOT NULL,
    sms_status TEXT NOT NULL,
    whatsapp_status TEXT NOT NULL,
    data_fields TEXT NOT NULL
);

CREATE TABLE custom_identifier (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (name, value),
    UNIQUE (contact_id, name)
) WITHOUT ROWID;

CREATE TABLE membership (
    address_book_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (address_book_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX membership_of_contact ON membership (contact_id);

CREATE TABLE import (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    accepted TEXT NOT NULL,
    finished TEXT,
    contacts INTEGER NOT NULL,
    position INTEGER NOT NULL DEFAULT 0,
    body BLOB
);
CREATE INDEX active_import ON import (sequence) WHERE status = 'NotFinished';

CREATE TABLE import_part (
    import_sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    new_contacts INTEGER NOT NULL,
    updated_contacts INTEGER NOT NULL,
    globally_suppressed INTEGER NOT NULL,
    invalid_entries INTEGER NOT NULL,
    duplicate_identifiers INTEGER NOT NULL,
    created BLOB NOT NULL,
    updated BLOB NOT NULL,
    failures BLOB NOT NULL,
    PRIMARY KEY (import_sequence, position)
) WITHOUT ROWID;

INSERT INTO sequence VALUES
    ('address_book', {FIRST_FREE_ADDRESS_BOOK_ID}),
    ('contact', {FIRST_CONTACT_ID});

INSERT INTO address_book (id, name, name_key, visibility) VALUES
    ({ALL_CONTACTS_ID}, '{ALL_CONTACTS_NAME}', '{ALL_CONTACTS_NAME.casefold()}', 'Private'),
    ({TEST_ID}, '{TEST_NAME}', '{TEST_NAME.casefold()}', 'Private');

{BUILT_IN_DATA_FIELDS};

{_VERSION_2}
{_GROWTH}
{VERSION_3}
"""  # noqa: S608 - nothing but constants of this module
