"""One part of an import: its contacts are read, planned and written in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.contacts import (
    DUPLICATE,
    Failure,
    load_plan,
    normalise_identifiers,
    write_plan,
)
from target_dotdigital.sandbox.http import RefusalError
from target_dotdigital.sandbox.imports.import_body import (
    earlier_duplicates,
    read_contact,
    read_import,
    read_malformed,
)
from target_dotdigital.sandbox.imports.import_log import Part, is_unfinished, record_part
from target_dotdigital.sandbox.imports.reports import reported_failure

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_dotdigital.sandbox.contacts import SentContact
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.imports.import_body import ImportBody
    from target_dotdigital.sandbox.imports.import_log import ActiveImport
    from target_dotdigital.sandbox.storage import Store


class V3Import:
    """An import of v3 that is to be worked off.

    Attributes:
        count: How many contacts it has: one at least.
        status_if_empty: What would become of it if it had none.
    """

    status_if_empty = "Finished"

    def __init__(self, store: Store, switches: Switches, active: ActiveImport) -> None:
        """Read it."""
        self._store = store
        self._switches = switches
        self._active = active
        self._body = read_import(active.body)
        self._duplicates: Collection[int] = ()
        if switches.duplicates == "last":
            self._duplicates = earlier_duplicates(self._body.contacts)
        self.count = len(self._body.contacts)

    def import_part(self, position: int, size: int) -> bool:
        """Import a part: all of it is on disk when this returns, or nothing of it.

        Args:
            position: The place of its first contact.
            size: How many contacts it has at most.

        Returns:
            Whether the import was still there: the account may have been emptied.
        """
        part = read_part(self._active.sequence, position, size, self._body, self._duplicates)
        return import_part(self._store, part, self._active.written_ids, self._switches)


def read_part(
    sequence: int, position: int, size: int, body: ImportBody, duplicates: Collection[int]
) -> Part:
    """Decode some contacts of an import.

    Args:
        sequence: The import's number.
        position: The place of the first of them.
        size: How many.
        body: The import.
        duplicates: The places of contacts that fail because a later one was taken.
    """
    contacts: list[SentContact] = []
    failures: dict[int, Failure] = {}
    for place, raw in enumerate(body.contacts[position : position + size]):
        try:
            contacts.append(read_contact(raw))
        except RefusalError:
            contacts.append(read_malformed(raw))
            failures[place] = Failure("apiSchemaViolation", "The contact breaks the schema")
        if position + place in duplicates:
            description = "Duplicate identifier detected; a later entry was taken"
            failures.setdefault(place, Failure(DUPLICATE, description))
    return Part(sequence, position, contacts, body.merge_option, failures)


def import_part(store: Store, part: Part, written_ids: set[int], switches: Switches) -> bool:
    """Import a part: all of it is on disk when this returns, or nothing of it.

    Args:
        store: The database.
        part: What to import.
        written_ids: IDs of the contacts that this import has written already. Grows.
        switches: What Dotdigital's documents leave open.

    Returns:
        Whether the import was still there: the account may have been emptied.
    """
    normalised = [normalise_identifiers(contact.identifiers) for contact in part.contacts]
    with store.contacts:
        with store.reading() as connection:
            if not is_unfinished(connection, part.import_sequence):
                return False
            wanted = [identifiers for identifiers, _ in normalised]
            plan = load_plan(connection, wanted, part.merge_option, switches, written_ids)
        for place, contact in enumerate(part.contacts):
            identifiers, failures = normalised[place]
            if failure := part.failures.get(place):
                plan.refuse(contact, identifiers, failure)
            else:
                plan.add(contact, identifiers, failures)
        plan.outcome.failures = [
            reported_failure(failed, switches) for failed in plan.outcome.failures
        ]
        # A 202 is a promise, so accepting waits for the disk. This need not: a part that a
        # power cut undoes is done again at the next start.
        with store.writing(synchronous=False) as connection:
            write_plan(connection, plan)
            record_part(connection, part, plan.outcome, timestamp())
    return True
