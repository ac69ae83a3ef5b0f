"""A Dotdigital account in memory: contacts, imports, and what becomes of each contact.

Written from the vendor's documentation and independent of the target and its sandbox. Where
the documentation leaves something open, the account does what hurts a careless client most, or has
a switch.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tests.support.dotdigital.account.contacts import Contact, keys_of, write
from tests.support.dotdigital.account.departures import Departures
from tests.support.dotdigital.account.import_report import Outcome, ReportStyle, write_report
from tests.support.dotdigital.account.normal_forms import Key, key_of, match_key, value_problem
from tests.support.dotdigital.answers import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.dotdigital.account.import_checks import Envelope

NOT_FINISHED = "NotFinished"
FINISHED = "Finished"
# Whether Dotdigital's 50 MB are decimal is not documented; this is the smaller reading.
MAX_BODY_BYTES = 50_000_000
BUILT_IN_DATA_FIELDS = {
    "FIRSTNAME": "String",
    "LASTNAME": "String",
    "FULLNAME": "String",
    "GENDER": "String",
    "POSTCODE": "String",
    "LASTSUBSCRIBED": "Date",
}
CUSTOM_DATA_FIELDS = {"LOYALTY_POINTS": "Numeric", "BIRTHDAY": "Date", "IS_MEMBER": "Boolean"}


@dataclass(slots=True, eq=False)
class Import:
    import_id: str
    index: int
    """Position in the order of acceptance, from 0."""
    contacts: list[dict[str, Any]]
    merge_option: str
    keys: frozenset[Key]
    """Normalised match identifiers of its contacts."""
    polls_left: int
    """Polls that still answer `NotFinished`."""
    ends_with: str
    status: str = NOT_FINISHED
    polls: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def active(self) -> bool:
        return self.status == NOT_FINISHED


class TooManyActiveImportsError(Exception):
    """The account has as many active imports as it may have."""


class Account:
    """Contacts by identifier, imports in order of acceptance.

    An import's contents are applied when it ends, not when it is accepted, so imports that overtake
    one another show in the final contents.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        """Guards everything here; notified after each change."""
        self.data_fields = {**BUILT_IN_DATA_FIELDS, **CUSTOM_DATA_FIELDS}
        self.account_id = 1
        self.address_books = {101: "Newsletter", 102: "Customers"}
        self.segments: set[str] = set()
        """Names that an address book cannot have, and that no call lists."""
        self.max_address_books = self.max_data_fields = 10_000
        self.created_status = 200
        """Of a new address book: one of the vendor's files says 200, the other 201."""
        self.creation_refused_status = 400
        self.tells_created_field = True
        """Whether a new data field is in the answer: one of the vendor's files says so, one not."""
        self.field_names_upper_cased = True
        """Whether a new data field's name is kept in upper case: an inference, not documented."""
        self.custom_identifiers: set[str] = set()
        self.custom_identifiers_status = 200
        """The status of the call that lists them, which may not be there."""
        self.imports: list[Import] = []
        self.report_style = ReportStyle()
        self.rejected: dict[str, str] = {}
        self.warned: dict[str, str] = {}
        self.refused: set[str] = set()
        self.unknown_fields: Literal["fail", "drop"] = "fail"
        """What a data field does that the account lacks: not documented."""
        self.conflict_code = "DuplicateIdentifier"
        """Of a contact of which another one owns an identifier: which code is not documented."""
        self.conflict_status: int | None = None
        """With it, such a contact refuses the whole request, with this status."""
        self.goes_backwards = False
        """Contacts of an import are written in the order of the request, or in the other one."""
        self.max_active_imports = 25
        self.foreign_imports = 0
        """Active imports of the account's other integrations."""
        self.max_body_bytes = MAX_BODY_BYTES
        self.api_endpoint = "https://r1-api.dotdigital.com/"
        """What account-info says of the account's region."""
        self.polls_to_finish: Callable[[Import], int] = lambda _import: 0
        """How many polls of an accepted import answer `NotFinished`."""
        self.active_peak = 0
        self.order_violations = 0
        """How often an import or a departure was accepted while an active one held one of its
        contacts."""
        self.tell_value: Callable[[str, Any], Any] = lambda _kind, value: value
        """How a data field's value is spelled in answers, by its type: that is not documented."""
        self.departures = Departures(self)
        self._holding = False
        self._endings: deque[str] = deque()
        self._contacts: dict[int, Contact] = {}
        self._next_id = 10_001
        self._by_key: dict[Key, Contact] = {}

    # What a test looks at.

    @property
    def contacts(self) -> dict[str, Contact]:
        """Copies of the contacts by lower-cased address (without one: by another identifier)."""
        with self.changed:
            return {contact.name: deepcopy(contact) for contact in self._contacts.values()}

    def contact(self, value: str, identifier: str = "email") -> Contact | None:
        """Return a copy of one contact."""
        with self.changed:
            return deepcopy(self._by_key.get(key_of(identifier, value)))

    def contents(self) -> dict[str, dict[str, Any]]:
        """All that two runs must agree on: everything but the contact IDs."""
        with self.changed:
            return {
                contact.name: {
                    "identifiers": dict(contact.identifiers),
                    "data_fields": dict(contact.data_fields),
                    "lists": sorted(contact.lists),
                    "email_status": contact.email_status,
                    "email_type": contact.email_type,
                    "opt_in_type": contact.opt_in_type,
                    "preferences": dict(contact.preferences),
                    "consent_records": list(contact.consent_records),
                }
                for contact in self._contacts.values()
            }

    @property
    def active_imports(self) -> list[Import]:
        with self.changed:
            return [each for each in self.imports if each.active]

    def wait_until(self, condition: Callable[[], bool], timeout: float = PATIENCE_SECONDS) -> None:
        """Wait for something to become true; it is looked at after each change.

        Raises:
            TimeoutError: It did not within `timeout` seconds.
        """
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                message = f"not within {timeout} s; {len(self.imports)} imports were accepted"
                raise TimeoutError(message)

    def wait_for_imports(self, count: int, timeout: float = PATIENCE_SECONDS) -> list[Import]:
        """Wait until `count` imports were accepted since the start, and return them all."""
        self.wait_until(lambda: len(self.imports) >= count, timeout)
        return list(self.imports)

    # What a test arranges.

    def add_contact(
        self,
        email: str,
        data_fields: dict[str, Any] | None = None,
        *,
        lists: tuple[int, ...] = (),
        email_status: str = "subscribed",
        identifiers: dict[str, str] | None = None,
    ) -> int:
        """Put a contact into the account, as if it had been there before; return its ID."""
        with self.changed:
            contact = self._new_contact()
            self._identify(contact, {"email": email, **(identifiers or {})})
            contact.data_fields.update(data_fields or {})
            contact.lists.update(lists)
            contact.email_status = email_status
            return contact.contact_id

    @contextmanager
    def edited(self, value: str, identifier: str = "email") -> Iterator[Contact]:
        """Change a contact, as if somebody had done so in Dotdigital."""
        with self.changed:
            yield self._by_key[key_of(identifier, value)]

    def hold_imports(self) -> None:
        """Imports stay active until the test ends them."""
        with self.changed:
            self._holding = True

    def release_all(self) -> None:
        """End all active imports in the order of acceptance, and hold no more."""
        with self.changed:
            self._holding = False
            for each in self.active_imports:
                self._end(each, each.ends_with)

    def finish(self, which: str | int) -> None:
        """Apply an active import (its ID, or its index in the order of acceptance)."""
        with self.changed:
            self._end(self._import(which), FINISHED)

    def fail(self, which: str | int, status: str = "Failed", *, applied: bool = False) -> None:
        """End an active import with another status word; `applied`: it was written all the same."""
        with self.changed:
            self._end(self._import(which), status, applied=applied)

    def end_next_imports(self, status: str, times: int = 1) -> None:
        """Let the next accepted imports end, in their time, with this word and no effect."""
        with self.changed:
            self._endings.extend([status] * times)

    def end_imports_normally(self) -> None:
        """Forget the words with which the next accepted imports were to end."""
        with self.changed:
            self._endings.clear()

    def reject(self, email: str, code: str = "InvalidEmail") -> None:
        """Report this contact in `failures` and do not write it."""
        with self.changed:
            self.rejected[key_of("email", email).value] = code

    def warn(self, email: str, code: str = "ConsentRecordsNotApplied") -> None:
        """Write this contact, and report it in `failures` all the same."""
        with self.changed:
            self.warned[key_of("email", email).value] = code

    def refuse_request_with(self, email: str) -> None:
        """Answer 400 to every import that contains this contact."""
        with self.changed:
            self.refused.add(key_of("email", email).value)

    # What the server does.

    def all_contacts(self) -> list[Contact]:
        return sorted(self._contacts.values(), key=lambda contact: contact.contact_id)

    def contact_of(self, key: Key) -> Contact | None:
        return self._by_key.get(key)

    def forget(self, contact: Contact) -> None:
        """Delete a contact."""
        del self._contacts[contact.contact_id]
        for key in keys_of(contact):
            del self._by_key[key]

    def note_order(self, keys: frozenset[Key]) -> None:
        """Count what is accepted while something active holds one of its contacts."""
        active = [each.keys for each in self.active_imports]
        active += [each.keys for each in self.departures.active]
        self.order_violations += any(each & keys for each in active)

    def members(self, address_book: int) -> int:
        with self.changed:
            return sum(address_book in each.lists for each in self._contacts.values())

    def refused_contact(self, envelope: Envelope) -> dict[str, Any] | None:
        with self.changed:
            if not self.refused:
                return None
            return next(
                (each for each in envelope.contacts if match_key(each).value in self.refused), None
            )

    def conflicting_contact(self, envelope: Envelope) -> dict[str, Any] | None:
        """Return a contact of a request of which another one owns an identifier."""
        with self.changed:
            return next(
                (
                    each
                    for each in envelope.contacts
                    if self._is_taken(each, self._by_key.get(match_key(each)))
                ),
                None,
            )

    def accept(self, envelope: Envelope) -> Import:
        """Queue an import.

        Raises:
            TooManyActiveImportsError: Nothing was queued.
        """
        with self.changed:
            active = self.active_imports
            if len(active) + self.foreign_imports >= self.max_active_imports:
                raise TooManyActiveImportsError
            accepted = Import(
                import_id=str(uuid.uuid4()),
                index=len(self.imports),
                contacts=envelope.contacts,
                merge_option=envelope.merge_option,
                keys=frozenset(map(match_key, envelope.contacts)),
                polls_left=0,
                ends_with=self._endings.popleft() if self._endings else FINISHED,
            )
            accepted.polls_left = self.polls_to_finish(accepted)
            self.note_order(accepted.keys)
            self.active_peak = max(self.active_peak, len(active) + 1)
            self.imports.append(accepted)
            self.changed.notify_all()
            return accepted

    def poll(self, import_id: str) -> Import | None:
        """Return the import, which may end by being looked at; None if there is none of that ID."""
        with self.changed:
            found = next((each for each in self.imports if each.import_id == import_id), None)
            if found is not None:
                found.polls += 1
                if found.active and not self._holding:
                    self._nudge(found)
                self.changed.notify_all()
            return found

    def end_orphan(self, import_id: str) -> None:
        """End an import that nobody will poll, because the reply with its ID was lost."""
        with self.changed:
            orphan = self._import(import_id)
            if orphan.active and not self._holding:
                self._end(orphan, orphan.ends_with)

    def report(self, which: Import) -> dict[str, Any]:
        """Return the answer to a poll, in the style that the test asked for."""
        with self.changed:
            report: dict[str, Any] = {"importId": which.import_id, "status": which.status}
            if which.status == FINISHED:
                report |= write_report(which.outcomes, self.report_style)
            return report

    def _import(self, which: str | int) -> Import:
        if isinstance(which, int):
            return self.imports[which]
        return next(each for each in self.imports if each.import_id == which)

    def _nudge(self, which: Import) -> None:
        """Let time pass for an active import by one poll."""
        if which.polls_left > 0:
            which.polls_left -= 1
        else:
            self._end(which, which.ends_with)

    def _end(self, which: Import, status: str, *, applied: bool = False) -> None:
        if not which.active:
            message = f"import {which.index} has ended already: {which.status}"
            raise ValueError(message)
        if status == FINISHED or applied:
            seen: set[Key] = set()
            for contact in which.contacts[:: -1 if self.goes_backwards else 1]:
                which.outcomes.append(self._apply(contact, which.merge_option, seen))
        which.status = status
        self.changed.notify_all()

    def _apply(self, sent: dict[str, Any], merge_option: str, seen: set[Key]) -> Outcome:
        key = match_key(sent)
        known = self._by_key.get(key)
        code = self.rejected.get(key.value) or value_problem(
            sent,
            data_fields=self.data_fields,
            address_books=self.address_books,
            custom_identifiers=self.custom_identifiers,
            unknown_fields=self.unknown_fields,
        )
        # Which of two entries wins is not documented: here the first, which shows a client that
        # sends two.
        if code is None and key in seen:
            code = "DuplicateIdentifier"
        if code is None and self._is_taken(sent, known):
            code = self.conflict_code
        if code is None and key.identifier == "contactId" and known is None:
            code = "InvalidContactId"
        if (
            code is None
            and known is None
            and not {"email", "mobileNumber"} & sent["identifiers"].keys()
        ):
            code = "NoValidIdentifiers"
        seen.add(key)
        if code is not None:
            return Outcome(sent, known.contact_id if known else None, "failed", [code])
        contact = known or self._new_contact()
        self._identify(contact, sent["identifiers"])
        write(contact, sent, merge_option, self.data_fields)
        warning = self.warned.get(key.value)
        return Outcome(
            sent,
            contact.contact_id,
            "updated" if known else "created",
            [] if warning is None else [warning],
        )

    def _is_taken(self, sent: dict[str, Any], known: Contact | None) -> bool:
        """Whether one of the identifiers belongs to another contact."""
        owners = (self._by_key.get(key_of(*each)) for each in sent["identifiers"].items())
        return any(owner is not None and owner is not known for owner in owners)

    def _new_contact(self) -> Contact:
        contact = Contact(contact_id=self._next_id)
        self._next_id += 1
        self._contacts[contact.contact_id] = contact
        self._by_key[key_of("contactId", contact.contact_id)] = contact
        return contact

    def _identify(self, contact: Contact, identifiers: dict[str, Any]) -> None:
        for identifier, value in identifiers.items():
            if identifier == "contactId":
                continue
            before = contact.identifiers.get(identifier)
            if before is not None:
                del self._by_key[key_of(identifier, before)]
            key = key_of(identifier, value)
            contact.identifiers[identifier] = key.value
            self._by_key[key] = contact
