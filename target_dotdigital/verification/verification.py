"""A verification: it takes what a run would send, and looks whether the account holds it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_dotdigital.account import (
    MAX_LOOKUPS,
    NOT_IN_A_PATH,
    IncompleteListError,
    identities_of,
    read_held_account,
    read_held_members,
)
from target_dotdigital.errors import RequestRefusedError
from target_dotdigital.loading import ACCOUNT, Import, LastLoad, Removal, Settlement
from target_dotdigital.mapping import IdentitySet
from target_dotdigital.verification.comparison import HeldParts, has_left, is_gone, is_member
from target_dotdigital.verification.differing_people import DifferingPeople
from target_dotdigital.verification.expected_contacts import ExpectedContacts
from target_dotdigital.verification.findings import Findings
from target_dotdigital.verification.parts import FILLED, OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_dotdigital.account import Account
    from target_dotdigital.api import Details, HeldContact
    from target_dotdigital.loading import Load, RejectsCsv
    from target_dotdigital.mirror import MirroredAddressBook
    from target_dotdigital.verification.expected_contacts import ExpectedContact

_COMPARED: Final = 1
_DIFFERS: Final = 2
_MISSING: Final = 4
_OPTED_OUT: Final = 8
_STAYED: Final = 16
_EXPECTED: Final = 32
_LEAVES_LISTS: Final = 64
"""The stream opts the contact out of e-mails. Its lists may then call it suppressed."""


@dataclass(slots=True, kw_only=True)
class VerificationLoad(LastLoad):
    """The load that ends a verification: the comparison with the account.

    Attributes:
        mirrored: The address books that hold nobody but whom the streams hold.
    """

    mirrored: Sequence[MirroredAddressBook]


class Verification:
    """Takes loads where a real run performs them. Safe to use from several threads.

    Attributes:
        findings: What it has found.
    """

    def __init__(self, account: Account, rejects_csv: RejectsCsv | None) -> None:
        """Start with nothing taken.

        Args:
            account: What is read. Nothing but GET is sent.
            rejects_csv: Where those who differ are listed; None if nowhere.
        """
        self._account = account
        self._client = account.client
        self._people = DifferingPeople(rejects_csv)
        self._expected = ExpectedContacts(account.data_fields)
        self._lock = threading.Lock()
        self._extra = IdentitySet()
        """Who is extra, by address book: a page may hold somebody again."""
        self.findings = Findings()

    def perform(self, load: Load) -> Settlement:
        """Take a load, and settle it as if everything about it had gone well.

        Args:
            load: The load.

        Raises:
            TargetDotdigitalError: A call fails.
        """
        with self._lock:
            if isinstance(load, Import):
                contacts = list(load.contacts.values())
                self._expected.join(contacts, load.merge_option)
                return Settlement(imported=contacts)
            if isinstance(load, Removal):
                contacts = list(load.contacts.values())
                self._expected.leave(contacts, load.address_book_id)
                is_deletion = load.address_book_id == ACCOUNT
                return Settlement(deleted=contacts) if is_deletion else Settlement(left=contacts)
            if isinstance(load, VerificationLoad):
                self._compare(load)
                return Settlement()
            raise AssertionError

    def _compare(self, load: VerificationLoad) -> None:
        """Read the address books, then look for those who were not found in all of theirs."""
        self.findings.compared = len(self._expected)
        mirrored = {each.address_book_id: each for each in load.mirrored}
        details = self._expected.details()
        places = {*self._expected.places(), *mirrored}
        for place in sorted(each for each in places if each > ACCOUNT):
            name = self._account.shown_name(place)
            if name is not None:
                self.findings.names[place] = name
            for contact in read_held_members(self._client, place, details, load.check_going_on):
                self._meet_member(contact, place, self._mirror(mirrored.get(place)))
        self._look_for_the_others(details, load.check_going_on)
        for expected in self._expected:
            self._miss(expected)
        self._expected.close()
        self._people.flush()
        self.findings.is_done = True

    def _mirror(self, mirrored: MirroredAddressBook | None) -> MirroredAddressBook | None:
        """Return a mirrored address book, if it is known who is extra in it."""
        if mirrored is None:
            return None
        number = mirrored.address_book_id
        if not {number, self.findings.names.get(number)} & mirrored.absent_keys:
            return mirrored
        problem = (
            f"another stream that mirrors address book {number} has not come, so it is not known "
            "who is extra in it"
        )
        if problem not in self.findings.problems:
            self.findings.problems.append(problem)
        return None

    # Contacts of the account.

    def _meet_member(
        self, contact: HeldContact, place: int, mirrored: MirroredAddressBook | None
    ) -> None:
        """Compare a member of an address book."""
        if is_gone(contact):
            return
        expected = self._expected.take_held(contact)
        if mirrored is not None:
            self._check_stays(contact, mirrored)
        if expected is None:
            return
        self._compare_parts(expected, contact)
        wanted = expected.parts.pop(self._expected.address_book(place), None)
        if wanted == FILLED:
            self._note_there(expected, place)
        elif wanted == OUT:
            self._note_stayed(expected, place)
        self._settle(expected)

    def _check_stays(self, contact: HeldContact, mirrored: MirroredAddressBook) -> None:
        """Note a member of a mirrored address book whom no stream holds."""
        identities = list(identities_of(contact.identifiers, contact.contact_id))
        if any(each in known for each in identities for known in mirrored.identity_sets):
            return
        place = mirrored.address_book_id
        seen = f"{place}:{contact.contact_id}"
        if seen in self._extra:
            return
        self._extra.add(seen)
        self.findings.all.extra += 1
        self.findings.place(place).extra += 1
        reason = f"The person is in address book {place}, and in no stream that mirrors it"
        self._people.add("verify.extra", reason, identities[-1], ", ".join(mirrored.streams))

    def _look_for_the_others(self, details: Details, check_going_on: Callable[[], None]) -> None:
        """Look in the account for those who are not settled yet."""
        if len(self._expected) <= MAX_LOOKUPS:
            few = [each.key.partition(":") for each in self._expected]
            if not any(value in NOT_IN_A_PATH for _, _, value in few):
                for identifier, _, value in few:
                    check_going_on()
                    self._meet_all(self._looked_up(identifier, value))
                return
        try:
            self._meet_all(read_held_account(self._client, details, check_going_on))
        except IncompleteListError as error:
            self.findings.problems.append(error.message)

    def _looked_up(self, identifier: str, value: str) -> list[HeldContact]:
        try:
            contact = self._client.held_contact(identifier, value)
        except RequestRefusedError:
            return []  # no contact can have it
        return [] if contact is None else [contact]

    def _meet_all(self, contacts: Iterable[HeldContact]) -> None:
        """Compare contacts of the account that are in none of the address books left."""
        for contact in contacts:
            expected = None
            if not is_gone(contact):
                expected = self._expected.take_held(contact)
            if expected is None:
                continue
            self._compare_parts(expected, contact)
            for number, wanted in list(expected.parts.items()):
                place = int(self._expected.parts[number].name)
                is_there = place == ACCOUNT or is_member(contact, place)
                is_out = has_left(contact, place)
                if wanted == FILLED and (is_there or (is_out and expected.flags & _LEAVES_LISTS)):
                    self._note_there(expected, place)
                elif wanted == FILLED:
                    if is_out:
                        expected.flags |= _OPTED_OUT
                    self._note_missing(expected, place, is_known=True)
                elif place == ACCOUNT:
                    self._note_stayed(expected, place)
            expected.parts.clear()
            self._settle(expected)

    def _compare_parts(self, expected: ExpectedContact, contact: HeldContact) -> None:
        """Compare all but memberships, once; what remains of the contact are memberships."""
        if expected.flags & _COMPARED:
            return
        expected.flags |= _COMPARED
        held, known = HeldParts(contact, self._account.data_fields), self._expected.parts
        is_expected = any(
            self._expected.is_in_address_book(*each) for each in expected.parts.items()
        )
        titles = held.differing(known, expected.parts) if is_expected else []
        if titles:
            expected.flags |= _DIFFERS
            self.findings.differing.update(titles)
            reason = f"The person has other values in Dotdigital: {', '.join(titles)}"
            self._list(expected, "verify.differs", reason)
        channels = {known[each].name for each in expected.parts if known[each].kind == "status"}
        if held.has_opted_out_besides(channels):
            expected.flags |= _OPTED_OUT
        if "email" in channels:
            expected.flags |= _LEAVES_LISTS
        expected.parts = {
            number: value
            for number, value in expected.parts.items()
            if known[number].kind == "address book"
        }

    # What is found.

    def _note_there(self, expected: ExpectedContact, place: int) -> None:
        expected.flags |= _EXPECTED
        found = self.findings.place(place)
        found.in_the_stream += 1
        found.opted_out += bool(expected.flags & _OPTED_OUT)
        if expected.flags & _DIFFERS:
            found.differing += 1
        else:
            found.as_it_should_be += 1

    def _note_missing(self, expected: ExpectedContact, place: int, *, is_known: bool) -> None:
        expected.flags |= _EXPECTED | _MISSING
        found = self.findings.place(place)
        found.in_the_stream += 1
        found.missing += 1
        found.not_in_the_account += not is_known
        found.opted_out += bool(expected.flags & _OPTED_OUT)
        where = _where(place if is_known else ACCOUNT)
        why = ", and has opted out" if expected.flags & _OPTED_OUT else ""
        self._list(expected, "verify.missing", f"The person is not in {where}{why}")

    def _note_stayed(self, expected: ExpectedContact, place: int) -> None:
        expected.flags |= _STAYED
        self.findings.place(place).still_there += 1
        reason = f"The person is still in {_where(place)}, although the row is marked as deleted"
        self._list(expected, "verify.still_there", reason)

    def _miss(self, expected: ExpectedContact) -> None:
        """Note what has become of a contact that no more answers have."""
        is_known = bool(expected.flags & _COMPARED)
        is_wanted = is_known or expected.is_created
        for number, wanted in expected.parts.items():
            if is_wanted and self._expected.is_in_address_book(number, wanted):
                place = int(self._expected.parts[number].name)
                self._note_missing(expected, place, is_known=is_known)
        expected.parts.clear()
        self._settle(expected)

    def _settle(self, expected: ExpectedContact) -> None:
        """Count a contact once all is known of it; otherwise put it back."""
        if expected.parts:
            self._expected.keep(expected)
            return
        found, flags = self.findings.all, expected.flags
        found.still_there += bool(flags & _STAYED)
        if not flags & _EXPECTED:
            return
        found.in_the_stream += 1
        found.opted_out += bool(flags & _OPTED_OUT)
        if flags & _MISSING:
            found.missing += 1
            found.not_in_the_account += not flags & _COMPARED
            return
        if flags & _OPTED_OUT:
            self._list(expected, "verify.opted_out", "The person has opted out in Dotdigital")
        if flags & _DIFFERS:
            found.differing += 1
        else:
            found.as_it_should_be += 1

    def _list(self, expected: ExpectedContact, code: str, reason: str) -> None:
        streams = self._expected.streams
        stream = streams[expected.stream] if streams else ""
        self._people.add(code, reason, expected.key, stream, expected.row)


def _where(place: int) -> str:
    return "the account" if place == ACCOUNT else f"address book {place}"
