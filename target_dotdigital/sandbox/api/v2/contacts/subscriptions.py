"""The calls of v2 that unsubscribe, suppress and resubscribe, for the account or for one list.

Whoever is unsubscribed from a list leaves it, and no call but a resubscription lets him join again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from target_dotdigital.sandbox.account import (
    cancel_opt_out,
    opt_out_of_list,
    opted_out_at,
    writable_address_book,
)
from target_dotdigital.sandbox.api.requests import read_body
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.contacts.contact_bodies import (
    Along,
    ContactBody,
    contact_not_found,
    read_contact,
    read_resubscription,
)
from target_dotdigital.sandbox.api.v2.contacts.member_replies import Member, member_of, v2_status
from target_dotdigital.sandbox.api.v2.contacts.single_contacts import (
    CONTACT_SUPPRESSED,
    OPTED_OUT,
    add,
    find_named,
    find_planned,
    named_in,
    planned,
)
from target_dotdigital.sandbox.api.v2.parameters import path_id
from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.contacts import (
    PENDING,
    SUBSCRIBED,
    SUPPRESSED,
    UNSUBSCRIBED,
    Identifiers,
    find_contacts,
    load_plan,
    normalise_identifiers,
    set_email_status,
    write_plan,
)
from target_dotdigital.sandbox.http import (
    LARGEST_PARAMETER,
    AnyCaseDecoder,
    RefusalError,
    decode_v2,
    v2_refusal,
)
from target_dotdigital.sandbox.storage import WHOLE_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from target_dotdigital.sandbox.contacts import Contact, Plan
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.storage import Store

ResubscribeStatus = Literal["ContactAdded", "ContactChallenged", "ContactCannotBeUnsuppressed"]


class Suppression(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody who was unsubscribed or suppressed.

    Attributes:
        suppressed_contact: The contact. Its status is the one that it has in the account.
        date_removed: When.
        reason: `Unsubscribed` or `Suppressed`.
    """

    suppressed_contact: Member
    date_removed: str
    reason: str


class Resubscribed(msgspec.Struct, frozen=True):
    """What became of a resubscription.

    Attributes:
        contact: As it then is; nothing for an address that cannot be created.
        status: Whether it is mailed again.
    """

    contact: Member | None
    status: ResubscribeStatus


class ContactName(msgspec.Struct, frozen=True):
    """A contact by its ID or its address, answered as it was sent."""

    id: Annotated[int, msgspec.Meta(ge=-(2**31), le=LARGEST_PARAMETER)] = 0
    email: str | None = None


class SuppressedContacts(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a suppression of several contacts."""

    suppressed: list[ContactName]
    not_found: list[ContactName]


_NAMES = AnyCaseDecoder(list[ContactName])


class Subscriptions:
    """Changes who is mailed, while the contacts are held."""

    def __init__(self, store: Store, switches: Switches) -> None:
        """Keep what every call needs."""
        self._store = store
        self._switches = switches

    def unsubscribe(self, body: ContactBody, list_id: int = WHOLE_ACCOUNT) -> Suppression:
        """Unsubscribe a contact. Whoever has opted out already keeps the time.

        Args:
            body: Its address, or its ID.
            list_id: The list that it is unsubscribed from, if not from everything.

        Raises:
            RefusalError: 400, there is neither; 404, there is no such contact or list.
        """
        named = named_in(body)
        now = timestamp()
        with self._store.contacts, self._store.writing() as connection:
            if list_id != WHOLE_ACCOUNT:
                writable_address_book(connection, list_id)
            contact = find_named(find_contacts(connection, [named]), named)
            if contact is None:
                # Nothing says that the call creates one, and its sibling for several contacts
                # has them in `notFound`.
                raise contact_not_found()
            if list_id != WHOLE_ACCOUNT:
                opt_out_of_list(connection, list_id, contact.id, now)
            elif contact.email_status not in OPTED_OUT:
                set_email_status(connection, [contact.id], UNSUBSCRIBED, now)
                contact.email_status = UNSUBSCRIBED
            removed = opted_out_at(connection, list_id, contact.id) or now
        reason = contact.email_status if list_id == WHOLE_ACCOUNT else UNSUBSCRIBED
        return Suppression(member_of(contact, with_fields=False), removed, v2_status(reason))

    def suppress(self, names: list[ContactName]) -> SuppressedContacts:
        """Suppress contacts.

        Args:
            names: Those that the account lacks are answered as such.

        Raises:
            RefusalError: 400, there are none.
        """
        if not names:
            raise v2_refusal("ERROR_CONTACTS_ARE_NOT_SPECIFIED", "There are no contacts in it.")
        answered = SuppressedContacts([], [])
        wanted = [_named(one) for one in names]
        with self._store.contacts, self._store.writing() as connection:
            index = find_contacts(connection, wanted)
            concerned: set[int] = set()
            for name, named in zip(names, wanted, strict=True):
                contact = find_named(index, named)
                (answered.suppressed if contact else answered.not_found).append(name)
                if contact and contact.email_status != SUPPRESSED:
                    concerned.add(contact.id)
            set_email_status(connection, sorted(concerned), SUPPRESSED, timestamp())
        return answered

    def resubscribe(
        self, body: ContactBody, list_id: int = WHOLE_ACCOUNT, *, challenge: bool
    ) -> Resubscribed:
        """Resubscribe a contact, or create it.

        Args:
            body: The contact, and data fields to set.
            list_id: The list that it joins, if any.
            challenge: Whether somebody who opted out is asked first. Nobody answers the mail of a
                sandbox, so nothing changes then.

        Raises:
            RefusalError: 400, something of it is invalid; 404, there is no such list.
        """
        named = named_in(body)
        with self._store.contacts:
            plan = self._plan(named, list_id)
            contact = find_planned(plan, named)
            if contact is None and not named.email:
                raise contact_not_found()
            kept = self._kept(contact, list_id, challenge=challenge) if contact else None
            if kept is None:
                try:
                    add(plan, contact, body, Along(list_id=list_id or None, status=SUBSCRIBED))
                except RefusalError as error:
                    if error.code != CONTACT_SUPPRESSED:
                        raise
                    kept = "ContactCannotBeUnsuppressed"
            if kept:
                answered = member_of(contact, with_fields=False) if contact else None
                return Resubscribed(answered, kept)
            return self._write(plan, list_id)

    def _write(self, plan: Plan, list_id: int) -> Resubscribed:
        contact = planned(plan)
        with self._store.writing() as connection:
            if list_id != WHOLE_ACCOUNT:
                cancel_opt_out(connection, list_id, contact.id)
            write_plan(connection, plan)
        is_asked = contact.email_status == PENDING
        return Resubscribed(
            member_of(contact, with_fields=False),
            "ContactChallenged" if is_asked else "ContactAdded",
        )

    def _kept(self, contact: Contact, list_id: int, *, challenge: bool) -> ResubscribeStatus | None:
        """Return why a contact stays as it is, if it does."""
        if contact.email_status == SUPPRESSED:
            return "ContactCannotBeUnsuppressed"
        with self._store.reading() as connection:
            has_left = list_id and opted_out_at(connection, list_id, contact.id)
        if challenge and (has_left or contact.email_status in {UNSUBSCRIBED, PENDING}):
            return "ContactChallenged"
        return None

    def _plan(self, named: Identifiers, list_id: int) -> Plan:
        with self._store.reading() as connection:
            if list_id != WHOLE_ACCOUNT:
                writable_address_book(connection, list_id)
            return load_plan(connection, [named], "overwrite", self._switches, set())


def _named(name: ContactName) -> Identifiers:
    """Return what an entry names: an address that is none names nobody."""
    if name.id > 0:
        return Identifiers(contact_id=name.id)
    identifiers, _ = normalise_identifiers({"email": name.email or ""})
    return identifiers


async def unsubscribe(request: Request) -> Response:
    """Unsubscribe a contact from the account."""
    body = await read_body(request)
    return await _answer(request, lambda calls: calls.unsubscribe(read_contact(body)))


async def unsubscribe_from_list(request: Request) -> Response:
    """Unsubscribe a contact from an address book."""
    list_id, body = path_id(request), await read_body(request)
    return await _answer(request, lambda calls: calls.unsubscribe(read_contact(body), list_id))


async def suppress(request: Request) -> Response:
    """Suppress contacts."""
    body = await read_body(request)
    return await _answer(
        request, lambda calls: calls.suppress(decode_v2(_NAMES, body, "ERROR_PARAMETER_INVALID"))
    )


async def resubscribe(request: Request) -> Response:
    """Ask a contact whether to mail it again."""
    return await _resubscribe(request, WHOLE_ACCOUNT, challenge=True)


async def resubscribe_at_once(request: Request) -> Response:
    """Resubscribe a contact."""
    return await _resubscribe(request, WHOLE_ACCOUNT, challenge=False)


async def resubscribe_to_list(request: Request) -> Response:
    """Ask a contact whether to mail it again with what goes to an address book."""
    return await _resubscribe(request, path_id(request), challenge=True)


async def resubscribe_to_list_at_once(request: Request) -> Response:
    """Resubscribe a contact to an address book."""
    return await _resubscribe(request, path_id(request), challenge=False)


async def _resubscribe(request: Request, list_id: int, *, challenge: bool) -> Response:
    body = await read_body(request)
    return await _answer(
        request,
        lambda calls: calls.resubscribe(read_resubscription(body), list_id, challenge=challenge),
    )


async def _answer(request: Request, call: Callable[[Subscriptions], object]) -> Response:
    state = request.app.state
    return v2_answer(
        request, await run_in_threadpool(call, Subscriptions(state.store, state.switches))
    )


_CONTACTS = "/v2/contacts"
_OF_LIST = "/v2/address-books/{id}/contacts"

SUBSCRIPTION_ROUTES = (
    Route(f"{_CONTACTS}/unsubscribe", unsubscribe, methods=["POST"]),
    Route(f"{_CONTACTS}/suppress-contacts", suppress, methods=["PUT"]),
    Route(f"{_CONTACTS}/resubscribe", resubscribe, methods=["POST"]),
    Route(f"{_CONTACTS}/resubscribe-with-no-challenge", resubscribe_at_once, methods=["POST"]),
    Route(f"{_OF_LIST}/unsubscribe", unsubscribe_from_list, methods=["POST"]),
    Route(f"{_OF_LIST}/resubscribe", resubscribe_to_list, methods=["POST"]),
    Route(
        f"{_OF_LIST}/resubscribe-with-no-challenge", resubscribe_to_list_at_once, methods=["POST"]
    ),
)
