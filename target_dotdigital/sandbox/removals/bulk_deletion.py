"""Many contacts that are deleted from the account with one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.account import IDENTIFIER_NAME, identifier_names
from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.contacts import (
    CONTACT_ID,
    ContactIndex,
    Failure,
    Identifiers,
    delete_contacts,
    find_contacts,
    normalise_identifiers,
)
from target_dotdigital.sandbox.http import decode_v3, schema_refusal, v3_refusal
from target_dotdigital.sandbox.removals import removal_log

if TYPE_CHECKING:
    from target_dotdigital.sandbox.removals.removal_log import Removal
    from target_dotdigital.sandbox.storage import Store

MAXIMUM_CONTACTS = 5_000

Identifier = dict[str, int | str]
"""One name with its value, as sent and as reported."""


class FailedDeletion(msgspec.Struct, frozen=True):
    """A contact that was not deleted, and why."""

    identifier: Identifier
    failures: list[Failure]


class DeletionSummary(msgspec.Struct, frozen=True, rename="camel"):
    """The counts of a report."""

    requested_contacts: int
    deleted_contacts: int
    unknown_contacts: int
    invalid_entries: int


class DeletionReport(msgspec.Struct, frozen=True, rename="camel"):
    """What became of the contacts of a deletion that is finished."""

    delete_id: str
    status: str
    summary: DeletionSummary
    deleted: list[Identifier]
    failures: list[FailedDeletion]


_BODY = msgspec.json.Decoder(list[Identifier])


def check_deletion(body: bytes) -> None:
    """Check the structure of a request.

    Raises:
        RefusalError: 400, it is no JSON, or not 1 to 5,000 objects of one identifier each.
    """
    entries = decode_v3(_BODY, body)
    if not entries:
        raise v3_refusal(
            "contacts:noContactsSpecified", "You must specify 1 or more contacts to be deleted!"
        )
    if len(entries) > MAXIMUM_CONTACTS:
        raise schema_refusal(f"Expected at most {MAXIMUM_CONTACTS} contacts")
    for index, entry in enumerate(entries):
        place = f"$[{index}]"
        if len(entry) != 1:
            raise schema_refusal("Expected an object with one identifier", place)
        ((name, value),) = entry.items()
        if not IDENTIFIER_NAME.fullmatch(name):
            raise schema_refusal("Expected the name of an identifier", place)
        if name != CONTACT_ID and not isinstance(value, str):
            raise schema_refusal("Expected `str`, got `int`", f"{place}.{name}")


def delete_in_bulk(store: Store, removal: Removal) -> None:
    """Delete the contacts: all of it is on disk when this returns, or nothing of it.

    Args:
        store: The database.
        removal: Its body was checked when it was accepted.
    """
    entries = _BODY.decode(removal.body)
    normalised = [normalise_identifiers(entry) for entry in entries]
    with store.contacts, store.writing(synchronous=False) as connection:
        if not removal_log.advance(connection, removal.sequence, len(entries)):
            return
        index = find_contacts(connection, [identifiers for identifiers, _ in normalised])
        known = identifier_names(connection)
        found: dict[int, Identifier] = {}
        failed: list[FailedDeletion] = []
        unknown = 0
        for entry, (identifiers, failures) in zip(entries, normalised, strict=True):
            contact_id = _find(index, next(iter(entry)), identifiers)
            if contact_id is not None and contact_id not in found:
                found[contact_id] = entry
                continue
            if not failures and known.isdisjoint(entry):
                failures.append(Failure("invalidMatchIdentifier", "Unknown identifier"))
            if not failures:
                unknown += 1
                failures.append(Failure("contactNotFound", "The contact could not be found"))
            failed.append(FailedDeletion(entry, failures))
        delete_contacts(connection, list(found))
        summary = DeletionSummary(len(entries), len(found), unknown, len(failed) - unknown)
        status = removal_log.DELETION_STATUSES[removal_log.DONE]
        report = DeletionReport(removal.id, status, summary, list(found.values()), failed)
        removal_log.finish(
            connection, removal.sequence, timestamp(), report=msgspec.json.encode(report)
        )


def _find(index: ContactIndex, name: str, identifiers: Identifiers) -> int | None:
    value = identifiers.get(name)
    contact = None if value is None else index.find(name, value)
    return None if contact is None else contact.id
