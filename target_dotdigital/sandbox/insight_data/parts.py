"""One part of an import: its records are checked and written in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.contacts import find_contacts
from target_dotdigital.sandbox.insight_data.collections import ACCOUNT, CONTACT, Scope
from target_dotdigital.sandbox.insight_data.fields import (
    IncompatibleError,
    encode_fields,
    extended,
    read_fields,
)
from target_dotdigital.sandbox.insight_data.import_body import ContactIdentity
from target_dotdigital.sandbox.insight_data.owners import INVALID, UNKNOWN, read_identity
from target_dotdigital.sandbox.insight_data.record_json import (
    Problem,
    encode_json,
    json_problem,
    read_json,
)
from target_dotdigital.sandbox.insight_data.records import NO_CONTACT, is_key, put_record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from target_dotdigital.sandbox.contacts import ContactIndex
    from target_dotdigital.sandbox.insight_data.collections import Collection
    from target_dotdigital.sandbox.insight_data.fields import Field
    from target_dotdigital.sandbox.insight_data.import_body import SentRecord

INVALID_CLIENT_KEY = "InvalidClientKey"
DUPLICATE_KEY = "DuplicateKey"


class Owner(msgspec.Struct, frozen=True, rename="camel"):
    """Whose record it is, as a report names it."""

    owner_type: Scope
    contact_identity: ContactIdentity | UnsetType = UNSET


class FailedRecord(msgspec.Struct, frozen=True, rename="camel"):
    """A record that was not imported."""

    collection_owner: Owner
    failure_reason: str
    details: list[str]
    key: str
    json: Any


class Outcome(msgspec.Struct):
    """What became of the records of an import so far.

    Attributes:
        written: Owners and keys of those that are imported.
        failures: The others.
    """

    written: set[tuple[int, str]] = set()
    failures: list[FailedRecord] = []


def import_part(
    connection: sqlite3.Connection,
    collection: Collection,
    records: Sequence[SentRecord],
    outcome: Outcome,
) -> None:
    """Import some records.

    Args:
        connection: The writer, in a transaction.
        collection: Where to.
        records: Some thousands at most.
        outcome: Grows.
    """
    contacts = _contacts(connection, records)
    fields = read_fields(collection.fields)
    for record in records:
        content = read_json(record.json)
        owner = _owner(record, collection, contacts)
        checked = _checked(record, content, owner, fields, outcome)
        if isinstance(checked, Problem):
            outcome.failures.append(_failed(record, content, collection, checked))
        elif isinstance(owner, int):
            fields = checked
            key = str(record.key)
            put_record(connection, collection, owner, key, encode_json(content))
            outcome.written.add((owner, key))
    keep_fields(connection, collection, fields)


def keep_fields(
    connection: sqlite3.Connection, collection: Collection, fields: dict[str, Field]
) -> None:
    """Write the fields that a collection's records have by now."""
    connection.execute(
        "UPDATE insight_collection SET fields = ? WHERE id = ?",
        (encode_fields(fields), collection.id),
    )


def _contacts(connection: sqlite3.Connection, records: Sequence[SentRecord]) -> ContactIndex:
    named = [one.contact_identity for one in records if one.contact_identity is not None]
    read = [read_identity(one.identifier, one.value) for one in named]
    return find_contacts(connection, [one for one in read if one is not None])


def _owner(record: SentRecord, collection: Collection, contacts: ContactIndex) -> int | Problem:
    """Return the contact whose record it is, 0 for the account's, or why there is none."""
    if collection.scope == ACCOUNT:
        return NO_CONTACT
    place = "$.contactIdentity"
    named = record.contact_identity
    identity = None if named is None else read_identity(named.identifier, named.value)
    if named is None or identity is None:
        return Problem(INVALID, place)
    found = contacts.find(named.identifier, identity.get(named.identifier) or 0)
    return found.id if found else Problem(UNKNOWN.get(named.identifier, INVALID), place)


def _checked(
    record: SentRecord,
    content: Any,  # noqa: ANN401 - JSON
    owner: int | Problem,
    fields: dict[str, Field],
    outcome: Outcome,
) -> dict[str, Field] | Problem:
    """Return the collection's fields with those of the record, or why it is not imported."""
    key = str(record.key)
    if not is_key(key):
        return Problem(INVALID_CLIENT_KEY, "$.key")
    if isinstance(owner, Problem):
        return owner
    problem = json_problem(content)
    if problem is not None:
        return problem
    if (owner, key) in outcome.written:
        return Problem(DUPLICATE_KEY, "$.key")
    try:
        return extended(fields, content)
    except IncompatibleError as error:
        return error.problem


def _failed(
    record: SentRecord,
    content: Any,  # noqa: ANN401 - JSON
    collection: Collection,
    problem: Problem,
) -> FailedRecord:
    identity: ContactIdentity | UnsetType = UNSET
    if collection.scope == CONTACT and record.contact_identity is not None:
        named = record.contact_identity
        value = None if named.value is None else str(named.value)
        identity = ContactIdentity(named.identifier, value)
    return FailedRecord(
        Owner(collection.scope, identity),
        problem.reason,
        [f"{problem.reason} at {problem.place}"],
        str(record.key),
        # The vendor's schema has objects only.
        content if isinstance(content, dict) else {},
    )
