"""What version 3 of the database adds: a group of tables for each thing that is kept."""

from __future__ import annotations

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

GROUPS: tuple[str, ...] = (OPT_OUTS,)

VERSION_3 = "".join((*GROUPS, "PRAGMA user_version = 3;"))
