"""The plan of a dry run: what a real one would do, as far as that can be known without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from target_dotdigital.account import SHOWN_OF_ROWS
from target_dotdigital.dry_run import estimate as pace
from target_dotdigital.loading import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_dotdigital.dry_run.comparison import Comparison, Group
    from target_dotdigital.dry_run.dry_run import DryRun
    from target_dotdigital.mirror import Leavers
    from target_dotdigital.settings import Settings

_NOT_KNOWABLE: Final = (
    "What Dotdigital itself would refuse cannot be known without sending it, nor what it would "
    "take only in smaller parts or at another try."
)
_AS_OF_NOW: Final = (
    "Who is new, updated, in an address book or would leave it is as the account is now, told "
    "apart by match identifier."
)
_CALLS: Final = (
    "Calls and time are estimates. The tier of {documented} is public; those of the other routes "
    "are guesses from what a tier is for (low: much at once; medium: one is written; high: one is "
    "read), and import status may be unlimited."
)
_TIME: Final = (
    "The time is that of the imports alone: a million contacts in up to three hours is the one "
    f"public figure; {pace.LOW_CALLS_A_MINUTE} low calls a minute are those of the Basic package."
)
_NOT_COMPARED: Final = "Who is new and who is updated is not known"


class NewField(msgspec.Struct, frozen=True):
    """A data field that would be created."""

    name: str
    type: str
    stream: str


class NewThings(msgspec.Struct, frozen=True):
    """What would be created."""

    address_books: list[str]
    address_books_of_rows: int
    """How many that rows name, and so are not named here."""
    data_fields: list[NewField]


class ContactNumbers(msgspec.Struct, frozen=True):
    """How many contacts would be new or updated; None where that is not known."""

    contacts: int
    new: int | None
    updated: int | None


class BookNumbers(ContactNumbers, frozen=True):
    """The same of the contacts that would be in an address book after the run."""

    address_book: int | None
    """Its ID; None if it would be created."""
    name: str | None
    updated_members: int | None
    """Of the updated ones: those that are in it already."""
    updated_joining: int | None
    """Of the updated ones: those that would join it."""


class Departing(msgspec.Struct, frozen=True):
    """Contacts whose rows are marked as deleted."""

    address_book: int | None
    """What they would leave; None for the account, or if it would be created."""
    name: str | None
    is_deletion: bool
    """Whether they would be deleted from the account."""
    contacts: int
    there_now: int | None
    """How many of them are in the address book, or in the account."""


class MirrorNumbers(msgspec.Struct, frozen=True):
    """What a mirror would do to its address book."""

    address_book: int | None
    name: str | None
    streams: list[str]
    members: int
    would_leave: int
    max_removal_percent: int
    is_refused: bool
    """Whether they would be too many, so that nobody leaves and the run fails."""
    waits: bool
    """Whether nobody leaves, because another stream that mirrors it has not come."""


class RouteCalls(msgspec.Struct, frozen=True):
    """The calls of a route."""

    route: str
    tier: str
    is_guess: bool
    at_least: int
    at_most: int


class Numbers(msgspec.Struct, frozen=True):
    """A range."""

    at_least: int
    at_most: int


class Plan(msgspec.Struct, frozen=True):
    """What a real run would do."""

    creates: NewThings
    contacts: ContactNumbers
    address_books: list[BookNumbers]
    leaving: list[Departing]
    mirrors: list[MirrorNumbers]
    imports: int
    contacts_in_imports: int
    import_bytes: int
    calls: list[RouteCalls]
    calls_by_tier: dict[str, Numbers]
    seconds: Numbers
    notes: list[str]
    """What is an estimate, and what is not known."""


def make_plan(dry_run: DryRun | None, settings: Settings) -> Plan:
    """Return the plan of what was read.

    Args:
        dry_run: What was taken in; None if the account was not reached.
        settings: The target's settings.
    """
    if dry_run is None:
        none = Numbers(0, 0)
        return Plan(
            creates=NewThings([], 0, []),
            contacts=ContactNumbers(0, 0, 0),
            address_books=[],
            leaving=[],
            mirrors=[],
            imports=0,
            contacts_in_imports=0,
            import_bytes=0,
            calls=[],
            calls_by_tier=dict.fromkeys(pace.TIERS, none),
            seconds=none,
            notes=["Nothing was looked at in the account."],
        )
    return _Planning(dry_run, settings).plan()


class _Planning:
    """Puts together what a dry run has found."""

    def __init__(self, dry_run: DryRun, settings: Settings) -> None:
        self._dry_run = dry_run
        self._settings = settings
        self._account = dry_run.account
        self._creation = dry_run.account.creation

    def plan(self) -> Plan:
        dry_run = self._dry_run
        comparison = dry_run.comparison
        slots = self._settings.max_active_imports
        time = pace.seconds_of_imports(dry_run.sent, dry_run.imports, slots)
        calls = self._calls(time.at_most)
        return Plan(
            creates=self._creates(),
            contacts=_numbers(comparison, comparison.joining[ACCOUNT]),
            address_books=[
                self._book(number, group)
                for number, group in comparison.joining.items()
                if number != ACCOUNT
            ],
            leaving=[self._departing(*each) for each in comparison.leaving.items()],
            mirrors=[self._mirror(each) for each in dry_run.mirrors],
            imports=dry_run.imports,
            contacts_in_imports=dry_run.sent,
            import_bytes=dry_run.bytes,
            calls=[
                RouteCalls(route, tier, route not in pace.DOCUMENTED, each.at_least, each.at_most)
                for route, tier, each in calls.routes()
            ],
            calls_by_tier={
                tier: Numbers(each.at_least, each.at_most) for tier, each in calls.tiers().items()
            },
            seconds=Numbers(time.at_least, time.at_most),
            notes=list(self._notes()),
        )

    def _creates(self) -> NewThings:
        fields = self._creation.created_fields.items()
        planned = self._creation.planned_address_books.values()
        named = [shown for shown in planned if shown != SHOWN_OF_ROWS]
        return NewThings(
            [shown.strip("'") for shown in named],
            len(planned) - len(named),
            [NewField(name, kind, stream) for name, (kind, stream) in fields],
        )

    def _book(self, number: int, group: Group) -> BookNumbers:
        numbers = _numbers(self._dry_run.comparison, group)
        members = None if numbers.updated is None else len(group.members)
        return BookNumbers(
            contacts=numbers.contacts,
            new=numbers.new,
            updated=numbers.updated,
            address_book=number if number > ACCOUNT else None,
            name=self._name(number),
            updated_members=members,
            updated_joining=None
            if numbers.updated is None or members is None
            else numbers.updated - members,
        )

    def _departing(self, number: int, group: Group) -> Departing:
        there = group.existing if number == ACCOUNT else group.members
        return Departing(
            address_book=number if number > ACCOUNT else None,
            name=self._name(number),
            is_deletion=number == ACCOUNT,
            contacts=len(group.all),
            there_now=len(there) if self._dry_run.comparison.is_done else None,
        )

    def _mirror(self, leavers: Leavers) -> MirrorNumbers:
        number = leavers.book.address_book_id
        return MirrorNumbers(
            address_book=number if number > ACCOUNT else None,
            name=self._name(number),
            streams=list(leavers.book.streams),
            members=leavers.members,
            would_leave=len(leavers.contact_ids),
            max_removal_percent=leavers.book.max_removal_percent,
            is_refused=leavers.is_too_many,
            waits=leavers.waits,
        )

    def _name(self, number: int) -> str | None:
        shown = self._creation.planned_address_books.get(number)
        if shown is not None:
            return None if shown == SHOWN_OF_ROWS else shown.strip("'")
        book = self._account.known_address_books.get(number)
        return None if book is None else book.name

    def _members(self, number: int) -> int | None:
        book = self._account.known_address_books.get(number)
        return 0 if book is None else book.contacts

    def _calls(self, seconds: int) -> pace.CallEstimate:
        dry_run = self._dry_run
        calls = pace.CallEstimate()
        for route, count in dry_run.asked.items():
            calls.add(route, count)
        settings = self._settings
        if settings.region is None and settings.api_url is None and settings.sandbox_path is None:
            calls.add(pace.ACCOUNT_INFO, 1)
        calls.add(pace.CREATE_ADDRESS_BOOK, len(self._creation.planned_address_books))
        calls.add(pace.CREATE_DATA_FIELD, len(self._creation.created_fields))
        polls = pace.most_polls(seconds)
        calls.add(pace.IMPORT, dry_run.imports)
        calls.add(pace.IMPORT_STATUS, dry_run.imports, dry_run.imports * polls)
        for number, contacts in dry_run.departures:
            if number == ACCOUNT:
                calls.add_deletion(polls)
            else:
                calls.add_search(contacts, self._members(number))
                calls.add_removal(contacts, polls, is_certain=False)
        for leavers in dry_run.mirrors:
            calls.add_listing(leavers.members)
            if not leavers.is_too_many:
                calls.add_removal(len(leavers.contact_ids), polls, is_certain=True)
        return calls

    def _notes(self) -> Iterator[str]:
        yield from self._creation.doubts
        comparison = self._dry_run.comparison
        if comparison.problem is not None:
            yield f"{_NOT_COMPARED}: {comparison.problem}."
        elif not comparison.is_done:
            yield f"{_NOT_COMPARED}: the run ended before the account was looked at."
        else:
            yield _AS_OF_NOW
        yield _CALLS.format(documented=", ".join(sorted(pace.DOCUMENTED)))
        yield _TIME
        yield _NOT_KNOWABLE


def _numbers(comparison: Comparison, group: Group) -> ContactNumbers:
    contacts = len(group.all)
    if not comparison.is_done:
        return ContactNumbers(contacts, None, None)
    existing = len(group.existing)
    return ContactNumbers(contacts, contacts - existing, existing)
