"""How contacts leave the test account: from an address book (v2), or altogether (v3).

Both are background jobs, whose effect comes when they end, as with imports.
"""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tests.support.dotdigital.account.contacts import keys_of
from tests.support.dotdigital.account.import_report import spell_code
from tests.support.dotdigital.account.normal_forms import Key, identifier_fault, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.dotdigital.account.account import Account

REMOVAL_WORDS = {"waiting": "Started", "running": "Started", "done": "Completed"}
DELETION_WORDS = {"waiting": "NotStarted", "running": "NotFinished", "done": "Finished"}


@dataclass(slots=True, eq=False)
class Job:
    """A removal or a deletion."""

    job_id: str
    kind: Literal["removal", "deletion"]
    sent: list[Any]
    """Contact IDs, or objects of one identifier."""
    address_book: int | None
    keys: frozenset[Key]
    """Whatever finds one of its contacts."""
    polls_left: int
    ends_with: str | None
    """Another status word than that of success, with no effect."""
    status: str = ""
    active: bool = True
    polls: int = 0
    report: dict[str, Any] = field(default_factory=dict)


class TooManyDeletionsError(Exception):
    """The account has as many active deletions as it may have."""


class Departures:
    """The jobs of an account, and the list of an address book's members."""

    def __init__(self, account: Account) -> None:
        self.jobs: list[Job] = []
        """In the order of acceptance."""
        self.max_page = 5_000
        """Contacts of a page at most, whatever is asked for."""
        self.told_too_many = 0
        """By how much an address book's own count is too high."""
        self.tells_count = True
        self.needs_filter = False
        """No filter at all is not taken."""
        self.tells_lists = False
        """A single contact comes with its address books."""
        self.hides_opted_out = False
        """The list of an address book does not have who has opted out of e-mails."""
        self.max_active_deletions = 5
        self.report_lists = True
        self.report_summary = True
        self.codes: Literal["camelCase", "PascalCase"] = "camelCase"
        self.rejected: dict[str, str] = {}
        """Failure codes of contacts that are not deleted, by address."""
        self.refused: set[str] = set()
        """Addresses for which a deletion is refused as a whole."""
        self.polls_to_finish: Callable[[Job], int] = lambda _job: 0
        self._account = account
        self._holding = False
        self._endings: deque[str] = deque()

    # What a test looks at and arranges.

    @property
    def active(self) -> list[Job]:
        return [each for each in self.jobs if each.active]

    def hold(self) -> None:
        """Jobs stay active until the test ends them."""
        with self._account.changed:
            self._holding = True

    def release(self) -> None:
        """End all active jobs, and hold no more."""
        with self._account.changed:
            self._holding = False
            for each in self.active:
                self._end(each)

    def end_next(self, status: str, times: int = 1) -> None:
        """Let the next accepted jobs end with this word and no effect."""
        with self._account.changed:
            self._endings.extend([status] * times)

    # What the server does.

    def start_removal(self, address_book: int, contact_ids: list[int]) -> Job:
        with self._account.changed:
            known = (self._account.contact_of(key_of("contactId", each)) for each in contact_ids)
            keys = {key for each in known if each is not None for key in keys_of(each)}
            return self._start("removal", list(contact_ids), address_book, keys)

    def start_deletion(self, identifiers: list[dict[str, Any]]) -> Job:
        """Queue a deletion.

        Raises:
            TooManyDeletionsError: Nothing was queued.
        """
        with self._account.changed:
            if sum(each.kind == "deletion" for each in self.active) >= self.max_active_deletions:
                raise TooManyDeletionsError
            keys = {key_of(*pair) for each in identifiers for pair in each.items()}
            return self._start("deletion", list(identifiers), None, keys)

    def poll(self, kind: str, job_id: str) -> Job | None:
        """Return a job, which may end by being looked at; None if there is none of that ID."""
        with self._account.changed:
            wanted = (kind, job_id)
            found = next((each for each in self.jobs if (each.kind, each.job_id) == wanted), None)
            if found is not None:
                found.polls += 1
                words = REMOVAL_WORDS if found.kind == "removal" else DELETION_WORDS
                if found.active:
                    found.status = words["running"]
                    if not self._holding:
                        self._nudge(found)
                self._account.changed.notify_all()
            return found

    def end_orphan(self, job_id: str) -> None:
        """End a job that nobody will poll, because the reply with its ID was lost."""
        with self._account.changed:
            orphan = next(each for each in self.jobs if each.job_id == job_id)
            if orphan.active and not self._holding:
                self._end(orphan)

    def _start(
        self,
        kind: Literal["removal", "deletion"],
        sent: list[Any],
        address_book: int | None,
        keys: set[Key],
    ) -> Job:
        words = REMOVAL_WORDS if kind == "removal" else DELETION_WORDS
        job = Job(
            job_id=str(uuid.uuid4()),
            kind=kind,
            sent=sent,
            address_book=address_book,
            keys=frozenset(keys),
            polls_left=0,
            ends_with=self._endings.popleft() if self._endings else None,
            status=words["waiting"],
        )
        job.polls_left = self.polls_to_finish(job)
        self._account.note_order(job.keys)
        self.jobs.append(job)
        self._account.changed.notify_all()
        return job

    def _nudge(self, job: Job) -> None:
        if job.polls_left > 0:
            job.polls_left -= 1
        else:
            self._end(job)

    def _end(self, job: Job) -> None:
        words = REMOVAL_WORDS if job.kind == "removal" else DELETION_WORDS
        job.active = False
        job.status = job.ends_with or words["done"]
        if job.ends_with is None and job.kind == "removal":
            for contact_id in job.sent:
                contact = self._account.contact_of(key_of("contactId", contact_id))
                if contact is not None:
                    contact.lists.discard(job.address_book or 0)
        elif job.ends_with is None:
            job.report = self._delete(job.sent)
        self._account.changed.notify_all()

    def _delete(self, identifiers: list[dict[str, Any]]) -> dict[str, Any]:
        deleted, failures, unknown = [], [], 0
        for identifier in identifiers:
            ((name, value),) = identifier.items()
            contact = self._account.contact_of(key_of(name, value))
            code = self.rejected.get(str(value)) or identifier_fault(name, value)
            if code is None and contact is not None:
                self._account.forget(contact)
                deleted.append(identifier)
                continue
            unknown += code is None
            code = spell_code(code or "contactNotFound", self.codes)
            failure = {"failureCode": code, "description": f"{code}: {value}"}
            failures.append({"identifier": identifier, "failures": [failure]})
        report: dict[str, Any] = {}
        if self.report_lists:
            report |= {"deleted": deleted, "failures": failures}
        if self.report_summary:
            report["summary"] = {
                "requestedContacts": len(identifiers),
                "deletedContacts": len(deleted),
                "unknownContacts": unknown,
                "invalidEntries": len(failures) - unknown,
            }
        return report
