"""Consent: the marketing preferences of contacts, and the records of consents they gave."""

from __future__ import annotations

import ipaddress
import itertools
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import msgspec

from target_dotdigital.sandbox.account import is_date_without_time, read_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_dotdigital.sandbox.contacts.records.contact_body import ConsentRecord, Preference

Reply = TypeVar("Reply")

MAXIMUM_PART_CHARACTERS = 4_000
"""Of a text, URL or user agent. No limit is documented; this one keeps the file small."""

_PREFERENCES = """
    SELECT contact_id, preference_id, is_opted_in, public_name, private_name
    FROM preference LEFT JOIN marketing_preference ON marketing_preference.id = preference_id
    WHERE contact_id IN (SELECT value FROM json_each(?))
    ORDER BY contact_id, preference_id
"""
_CONSENT_RECORDS = """
    SELECT contact_id, text, date_time_consented, url, ip_address, user_agent, created
    FROM consent_record
    WHERE contact_id IN (SELECT value FROM json_each(?))
    ORDER BY contact_id, id
"""
_SET_PREFERENCE = """
    INSERT INTO preference VALUES (?, ?, ?)
    ON CONFLICT (contact_id, preference_id) DO UPDATE SET is_opted_in = excluded.is_opted_in
"""
_ADD_CONSENT_RECORD = """
    INSERT INTO consent_record
        (contact_id, text, date_time_consented, url, ip_address, user_agent, created)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""


class PreferenceReply(msgspec.Struct, frozen=True, rename="camel"):
    """A preference of a contact. The vendor's schema has two names and asks for a third."""

    id: int
    is_opted_in: bool
    name: str
    public_name: str
    private_name: str


class ConsentRecordReply(msgspec.Struct, frozen=True, rename="camel"):
    """A consent that a contact gave."""

    text: str
    date_time_consented: str
    url: str
    ip_address: str
    user_agent: str
    date_time_created: str


def is_consent_record(record: ConsentRecord) -> bool:
    """Tell whether the parts of a record are what their names say."""
    texts = (record.text, record.url, record.user_agent)
    return (
        all(0 < len(text) <= MAXIMUM_PART_CHARACTERS for text in texts)
        and _utc(record.date_time_consented) is not None
        and _is_url(record.url)
        and _is_ip_address(record.ip_address)
    )


def set_preferences(
    connection: sqlite3.Connection, preferences: Mapping[int, Sequence[Preference]]
) -> None:
    """Write preferences by the ID of their contact; those that are not sent stay."""
    connection.executemany(
        _SET_PREFERENCE,
        [
            (contact_id, one.id, one.is_opted_in)
            for contact_id, sent in preferences.items()
            for one in sent
        ],
    )


def add_consent_records(
    connection: sqlite3.Connection, records: Mapping[int, Sequence[ConsentRecord]], now: str
) -> None:
    """Write consent records by the ID of their contact; those that it has stay."""
    connection.executemany(
        _ADD_CONSENT_RECORD,
        [
            (
                contact_id,
                one.text,
                _utc(one.date_time_consented),
                one.url,
                one.ip_address,
                one.user_agent,
                now,
            )
            for contact_id, sent in records.items()
            for one in sent
        ],
    )


def preferences_of(
    connection: sqlite3.Connection, contact_ids: str
) -> dict[int, list[PreferenceReply]]:
    """Return the preferences of contacts.

    Args:
        connection: In a transaction.
        contact_ids: A JSON array.
    """
    rows = connection.execute(_PREFERENCES, (contact_ids,))
    return _by_contact(rows, _preference)


def consent_records_of(
    connection: sqlite3.Connection, contact_ids: str
) -> dict[int, list[ConsentRecordReply]]:
    """Return the consent records of contacts, the oldest first.

    Args:
        connection: In a transaction.
        contact_ids: A JSON array.
    """
    rows = connection.execute(_CONSENT_RECORDS, (contact_ids,))
    return _by_contact(rows, ConsentRecordReply)


def _by_contact(rows: Iterable[sqlite3.Row], reply: Callable[..., Reply]) -> dict[int, list[Reply]]:
    """Return replies by the contact's ID, which is the first column of rows that it orders."""
    return {
        contact_id: [reply(*tuple(row)[1:]) for row in group]
        for contact_id, group in itertools.groupby(rows, key=lambda row: row[0])
    }


def _preference(
    number: int, opted_in: int, public_name: str | None, private_name: str | None
) -> PreferenceReply:
    # Where unknown preferences are taken, one may have no names.
    public = public_name or f"Preference {number}"
    return PreferenceReply(
        number, bool(opted_in), public, public, private_name or f"preference{number}"
    )


def _utc(written: str) -> str | None:
    """Return a time as answers write it, or nothing if it is none. Without a zone, it is UTC."""
    time = None if is_date_without_time(written) else read_time(written)
    # Not `strftime`: it writes the year 933 with three digits.
    return None if time is None else time.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _is_url(text: str) -> bool:
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
