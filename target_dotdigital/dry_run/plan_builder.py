"""Makes the plan of a dry run, as far as what a real run would do can be known without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_dotdigital.account import SHOWN_OF_ROWS, used_address_books
from target_dotdigital.dry_run.call_estimate import (
    ACCOUNT_INFO,
    CREATE_ADDRESS_BOOK,
    CREATE_DATA_FIELD,
    DOCUMENTED,
    IMPORT,
    IMPORT_STATUS,
    LOW_CALLS_A_MINUTE,
    TIERS,
    CallEstimate,
    most_polls,
    seconds_of_imports,
)
from target_dotdigital.dry_run.plan import (
    AddressBookNumbers,
    ContactNumbers,
    Creations,
    MirrorNumbers,
    NewField,
    Numbers,
    Plan,
    RemovalNumbers,
    RouteCalls,
)
from target_dotdigital.loading import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_dotdigital.account import Account
    from target_dotdigital.dry_run.account_comparison import Group
    from target_dotdigital.dry_run.dry_run import DryRun
    from target_dotdigital.mirror import StaleMembers
    from target_dotdigital.settings import Settings

_NOT_KNOWABLE: Final = (
    "Dotdigital may refuse rows that pass these checks. Only a real run shows which, and how many "
    "further calls they take."
)
_AS_OF_NOW: Final = (
    "The plan compares the rows with the account as it is now, by match identifier. What changes "
    "in between changes the numbers."
)
_CALLS: Final = (
    "Calls and time are estimates. Dotdigital publishes the tier of {documented} only; the others "
    "are guesses from what each tier is for (low: bulk writes; medium: single writes; high: "
    "reads). Import status may be unlimited."
)
_TIME: Final = (
    "The time is that of the imports. It follows Dotdigital's one public figure: a million "
    "contacts in up to three hours. "
    f"The Basic package allows {LOW_CALLS_A_MINUTE} low calls a minute."
)
_NOT_COMPARED: Final = "Who is new and who is updated is not known"


def empty_plan() -> Plan:
    """Return the plan of a dry run that did not reach the account."""
    none = Numbers(0, 0)
    return Plan(
        creates=Creations([], 0, []),
        contacts=ContactNumbers(0, 0, 0),
        address_books=[],
        leaving=[],
        mirrors=[],
        imports=0,
        contacts_in_imports=0,
        import_bytes=0,
        calls=[],
        calls_by_tier=dict.fromkeys(TIERS, none),
        seconds=none,
        notes=["Nothing was looked at in the account."],
    )


def make_plan(dry_run: DryRun, account: Account, settings: Settings) -> Plan:
    """Return the plan of what a dry run has read.

    Args:
        dry_run: The dry run.
        account: The account that it has looked at.
        settings: The target's settings.
    """
    return _PlanBuilder(dry_run, account, settings).plan()


class _PlanBuilder:
    """Puts together what a dry run has found."""

    def __init__(self, dry_run: DryRun, account: Account, settings: Settings) -> None:
        self._dry_run = dry_run
        self._comparison = dry_run.comparison
        self._account = account
        self._creation = account.creation
        self._settings = settings

    def plan(self) -> Plan:
        dry_run = self._dry_run
        time = seconds_of_imports(dry_run.sent, dry_run.imports, self._settings.max_active_imports)
        calls = self._calls(time.at_most)
        return Plan(
            creates=self._creations(),
            contacts=self._contacts(self._comparison.joining[ACCOUNT]),
            unchanged=dry_run.unchanged.count if self._comparison.is_done else None,
            address_books=[
                self._address_book(number, group)
                for number, group in self._comparison.joining.items()
                if number != ACCOUNT
            ],
            leaving=[self._leaving(*each) for each in self._comparison.leaving.items()],
            mirrors=[self._mirror(each) for each in dry_run.mirrors],
            imports=dry_run.imports,
            contacts_in_imports=dry_run.sent,
            import_bytes=dry_run.bytes,
            calls=[
                RouteCalls(route, tier, route not in DOCUMENTED, each.at_least, each.at_most)
                for route, tier, each in calls.routes()
            ],
            calls_by_tier=calls.tiers(),
            seconds=time,
            notes=list(self._notes()),
        )

    def _creations(self) -> Creations:
        fields = self._creation.created_fields.items()
        planned = self._creation.planned_address_books.values()
        named = [shown for shown in planned if shown != SHOWN_OF_ROWS]
        return Creations(
            [shown.strip("'") for shown in named],
            len(planned) - len(named),
            [NewField(name, kind, stream) for name, (kind, stream) in fields],
        )

    def _contacts(self, group: Group) -> ContactNumbers:
        contacts = len(group.all)
        if not self._comparison.is_done:
            return ContactNumbers(contacts, None, None)
        existing = len(group.existing)
        return ContactNumbers(contacts, contacts - existing, existing)

    def _address_book(self, number: int, group: Group) -> AddressBookNumbers:
        numbers = self._contacts(group)
        members = None if numbers.updated is None else len(group.members)
        return AddressBookNumbers(
            contacts=numbers.contacts,
            new=numbers.new,
            updated=numbers.updated,
            address_book=_existing_id(number),
            name=self._name(number),
            updated_members=members,
            updated_joining=None
            if numbers.updated is None or members is None
            else numbers.updated - members,
        )

    def _leaving(self, number: int, group: Group) -> RemovalNumbers:
        there = group.existing if number == ACCOUNT else group.members
        return RemovalNumbers(
            address_book=_existing_id(number),
            name=self._name(number),
            is_deletion=number == ACCOUNT,
            contacts=len(group.all),
            there_now=len(there) if self._comparison.is_done else None,
        )

    def _mirror(self, stale: StaleMembers) -> MirrorNumbers:
        number = stale.address_book.address_book_id
        return MirrorNumbers(
            address_book=_existing_id(number),
            name=self._name(number),
            streams=list(stale.address_book.streams),
            members=stale.members,
            would_leave=len(stale.contact_ids),
            max_removal_percent=stale.address_book.max_removal_percent,
            is_refused=stale.is_too_many,
            waits=stale.is_waiting,
        )

    def _name(self, number: int) -> str | None:
        """Return an address book's name; None if it is not known, or a record's value."""
        (book,) = used_address_books(self._account, (number,), asks=False)
        return book.name

    def _members(self, number: int) -> int | None:
        book = self._account.known_address_books.get(number)
        return 0 if book is None else book.contacts

    def _calls(self, seconds: int) -> CallEstimate:
        """Estimate the calls of a run whose imports take so long at most."""
        dry_run, settings = self._dry_run, self._settings
        calls = CallEstimate()
        for route, count in dry_run.asked.items():
            calls.add(route, count)
        if settings.region is None and settings.api_url is None and settings.sandbox_path is None:
            calls.add(ACCOUNT_INFO, 1)
        calls.add(CREATE_ADDRESS_BOOK, len(self._creation.planned_address_books))
        calls.add(CREATE_DATA_FIELD, len(self._creation.created_fields))
        polls = most_polls(seconds)
        calls.add(IMPORT, dry_run.imports)
        calls.add(IMPORT_STATUS, dry_run.imports, dry_run.imports * polls)
        for number, contacts in dry_run.removals:
            if number == ACCOUNT:
                calls.add_deletion(polls)
            else:
                calls.add_search(contacts, self._members(number))
                calls.add_removal(contacts, polls, is_certain=False)
        for stale in dry_run.mirrors:
            calls.add_listing(stale.members)
            if not stale.is_too_many:
                calls.add_removal(len(stale.contact_ids), polls, is_certain=True)
        return calls

    def _notes(self) -> Iterator[str]:
        yield from self._creation.doubts
        if self._comparison.problem is not None:
            yield f"{_NOT_COMPARED}: {self._comparison.problem}."
        elif not self._comparison.is_done:
            yield f"{_NOT_COMPARED}: the run ended before the account was looked at."
        else:
            yield _AS_OF_NOW
        yield _CALLS.format(documented=", ".join(sorted(DOCUMENTED)))
        yield _TIME
        yield _NOT_KNOWABLE


def _existing_id(number: int) -> int | None:
    """Return an address book's ID; None for the account, and for what is yet to be created."""
    return number if number > ACCOUNT else None
