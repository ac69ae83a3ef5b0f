"""Contacts in the database: written as planned, emptied, deleted."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account import (
    cancel_opt_out,
    count_contacts,
    join_lists,
    leave_all_lists,
)
from target_dotdigital.sandbox.contacts.records import (
    add_consent_records,
    expired_contacts,
    put_into_recycle_bin,
    set_preferences,
    take_out_of_recycle_bin,
)
from target_dotdigital.sandbox.storage import WHOLE_ACCOUNT, set_next_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from target_dotdigital.sandbox.contacts.outcome import Outcome
    from target_dotdigital.sandbox.contacts.plan import Plan

_IDENTIFIERS = ("email", "mobile_number")
_REFRESHED = (
    "updated",
    "email_type",
    "opt_in_type",
    "email_status",
    "sms_status",
    "whatsapp_status",
    "data_fields",
)
"""SQLite writes the index of a column anew whenever the column is set, changed or not: without the
identifiers an update costs half."""

_COLUMNS = ("id", "created", *_IDENTIFIERS, *_REFRESHED)
_WRITE_CONTACT = f"""
    INSERT INTO contact ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" for _ in _COLUMNS)})
    ON CONFLICT (id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in (*_IDENTIFIERS, *_REFRESHED))}
"""  # noqa: S608 - constants
_REFRESH_CONTACT = f"""
    UPDATE contact SET {", ".join(f"{name} = ?" for name in _REFRESHED)} WHERE id = ?
"""  # noqa: S608 - constants
_written = attrgetter(*_COLUMNS)
_refreshed = attrgetter(*_REFRESHED, "id")

_WRITE_CUSTOM_IDENTIFIER = "INSERT INTO custom_identifier VALUES (?, ?, ?)"

_OF_CONTACTS = "WHERE contact_id IN (SELECT value FROM json_each(?))"
_DELETE_CUSTOM_IDENTIFIERS = f"DELETE FROM custom_identifier {_OF_CONTACTS}"  # noqa: S608 - constant
_DELETE_PREFERENCES = f"DELETE FROM preference {_OF_CONTACTS}"  # noqa: S608 - a constant
_DELETE_CONSENT_RECORDS = f"DELETE FROM consent_record {_OF_CONTACTS}"  # noqa: S608 - a constant
_DELETE_INSIGHT_DATA = f"DELETE FROM insight_record {_OF_CONTACTS}"  # noqa: S608 - a constant
_DELETE_OPT_OUTS = f"DELETE FROM opt_out {_OF_CONTACTS}"  # noqa: S608 - a constant
_DELETE_CONTACTS = "DELETE FROM contact WHERE id IN (SELECT value FROM json_each(?))"


def write_plan(connection: sqlite3.Connection, plan: Plan) -> None:
    """Write everything that a plan came to.

    Args:
        connection: The writer, in a transaction.
        plan: It was made while the contacts were held, and they still are.
    """
    outcome = plan.outcome
    for contact_id in outcome.changed_statuses:
        # Whoever opted out again did so now. The database notes no change of what was not there.
        cancel_opt_out(connection, WHOLE_ACCOUNT, contact_id)
    _write_contacts(connection, outcome)
    take_out_of_recycle_bin(connection, outcome.restored)
    count_contacts(connection, len(outcome.created) + len(outcome.restored))
    join_lists(connection, outcome.memberships)
    set_preferences(connection, outcome.preferences)
    add_consent_records(connection, outcome.consent_records, plan.now)
    set_next_id(connection, "contact", plan.next_contact_id)


def clear_contact(connection: sqlite3.Connection, contact_id: int) -> None:
    """Take a contact out of its lists, and remove its custom identifiers and preferences.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        contact_id: The contact, which is about to be written anew. Its consents stay on record.
    """
    leave_all_lists(connection, [contact_id])
    for statement in (_DELETE_CUSTOM_IDENTIFIERS, _DELETE_PREFERENCES):
        connection.execute(statement, (json.dumps([contact_id]),))


def delete_contacts(connection: sqlite3.Connection, contact_ids: Sequence[int]) -> None:
    """Move contacts into the recycle bin, and forget those that have been there for too long.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        contact_ids: IDs of contacts that are there, some thousands at most.
    """
    leave_all_lists(connection, contact_ids)
    ids = json.dumps(contact_ids)
    put_into_recycle_bin(connection, ids)
    for statement in (_DELETE_CUSTOM_IDENTIFIERS, _DELETE_INSIGHT_DATA, _DELETE_CONTACTS):
        connection.execute(statement, (ids,))
    count_contacts(connection, -len(contact_ids))
    expired = expired_contacts(connection)
    take_out_of_recycle_bin(connection, expired)
    for statement in (_DELETE_PREFERENCES, _DELETE_CONSENT_RECORDS, _DELETE_OPT_OUTS):
        connection.execute(statement, (json.dumps(expired),))


def _write_contacts(connection: sqlite3.Connection, outcome: Outcome) -> None:
    connection.executemany(_WRITE_CONTACT, map(_written, outcome.written))
    refreshed = sorted(outcome.refreshed, key=attrgetter("id"))
    connection.executemany(_REFRESH_CONTACT, map(_refreshed, refreshed))
    named = [contact for contact in (*outcome.written, *outcome.refreshed) if contact.custom]
    ids = json.dumps([contact.id for contact in named])
    connection.execute(_DELETE_CUSTOM_IDENTIFIERS, (ids,))
    connection.executemany(
        _WRITE_CUSTOM_IDENTIFIER,
        [(name, value, contact.id) for contact in named for name, value in contact.custom.items()],
    )
