"""The test server's answers about members, and about contacts that leave."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from tests.support.dotdigital.account.departures import TooManyDeletionsError
from tests.support.dotdigital.account.normal_forms import identifier_fault, key_of
from tests.support.dotdigital.answers import (
    Answer,
    Call,
    reply,
    too_many_deletions,
    v2_error,
    v3_error,
)

if TYPE_CHECKING:
    from tests.support.dotdigital.account.account import Account
    from tests.support.dotdigital.account.contacts import Contact

MEMBERS = "GET /contacts/v3"
CONTACT = "GET /contacts/v3/{identifier}/{value}"
REMOVE = "POST /v2/address-books/{id}/contacts/delete"
REMOVAL_STATUS = "GET /v2/contacts/deletion/{id}"
DELETE = "POST /contacts/v3/delete"
DELETION_STATUS = "GET /contacts/v3/delete/{id}"

MAX_PAGE = 5_000
MAX_DELETION = 5_000
INT32 = range(2**31)
SINCE = re.compile(r"gte::\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z")
NAME = re.compile(r"[-A-Za-z0-9_]{1,50}")


def members(account: Account, call: Call) -> Answer:
    limit, marker = call.query.get("limit", "1000"), call.query.get("marker")
    if not limit.isdecimal() or not 1 <= int(limit) <= MAX_PAGE:
        return v3_error(400, "contacts:badRequest", "limit is not valid")
    wanted = call.query.get("~listId")
    created = call.query.get("~created")
    is_filtered = wanted is not None or created is not None
    if not is_filtered and account.departures.needs_filter:
        return v3_error(400, "contacts:invalidFilter", "There is no filter")
    if wanted is not None and not wanted.isdecimal():
        return v3_error(400, "contacts:invalidFilter", f"The filter value '{wanted}' is invalid")
    if created is not None and not SINCE.fullmatch(created):
        return v3_error(400, "contacts:invalidFilter", f"The filter value '{created}' is invalid")
    try:
        after = 0 if marker is None else int(base64.b64decode(marker, validate=True))
    except ValueError:
        return v3_error(400, "contacts:badRequest", "marker is not valid")
    with account.changed:
        # Everybody was created after the only moment that clients ask for.
        listed = [
            each for each in account.all_contacts() if wanted is None or int(wanted) in each.lists
        ]
        if wanted is not None and account.departures.hides_opted_out:
            listed = [each for each in listed if each.email_status != "unsubscribed"]
        size = min(int(limit), account.departures.max_page)
        page = [each for each in listed if each.contact_id > after][: size + 1]
        names = [each for each in call.query.get("data-fields", "").split("|") if each]
        include = call.query.get("include", "").split("|")
        shown = [{**_shown(each), **_held(account, each, names, include)} for each in page[:size]]
    links = {"self": _link(call, after), "first": _link(call, 0)}
    if len(page) > size:
        links["next"] = _link(call, page[size - 1].contact_id)
    return reply(200, {"_items": shown, "_links": links})


def _held(
    account: Account, contact: Contact, names: list[str], include: list[str]
) -> dict[str, Any]:
    """Return what is asked for beside the identifiers."""
    wanted = {each.upper() for each in names}
    told: dict[str, Any] = {}
    if names:
        told["dataFields"] = {
            name: account.tell_value(account.data_fields.get(name, "String"), value)
            for name, value in contact.data_fields.items()
            if "[[ALL]]" in names or name.upper() in wanted
        }
    if "channelProperties" in include:
        told["channelProperties"] = {
            "email": {
                "emailType": _pascal(contact.email_type or "html"),
                "optInType": _pascal(contact.opt_in_type or "unknown"),
                "status": contact.email_status,
            }
        }
        if "mobileNumber" in contact.identifiers:
            told["channelProperties"]["sms"] = {
                "countryCode": "GB",
                "status": contact.sms_status,
            }
            told["channelProperties"]["whatsApp"] = {"status": contact.whatsapp_status}
    if "preferences" in include and contact.preferences:
        told["preferences"] = [
            {"id": each, "isOptedIn": value, "name": "any", "publicName": "a", "privateName": "b"}
            for each, value in contact.preferences.items()
        ]
    if "lists" in include:
        opted_out = contact.email_status in {"unsubscribed", "suppressed"}
        told["lists"] = [
            {
                "id": each,
                "name": account.address_books[each],
                "status": "suppressed" if opted_out else "subscribed",
            }
            for each in sorted(contact.lists & account.address_books.keys())
        ]
    return told


def _pascal(word: str) -> str:
    return word[0].upper() + word[1:]


def _link(call: Call, after: int) -> dict[str, str]:
    marker = base64.b64encode(str(after).encode()).decode()
    return {"marker": marker, "link": f"{call.path}?marker={marker}"}


def contact(account: Account, call: Call) -> Answer:
    name, value = call.path.split("/", 4)[3:]
    if not NAME.fullmatch(name) or identifier_fault(name, _typed(name, value)) is not None:
        description = f"The id value '{value}' is invalid for the identifier '{name}'"
        return v3_error(400, "contacts:invalidId", description)
    with account.changed:
        found = account.contact_of(key_of(name, value))
        if found is not None:
            include = ["channelProperties", "preferences", "lists"]
            if not account.departures.tells_lists:
                include.remove("lists")
            held = _held(account, found, ["[[ALL]]"], include)
            return reply(200, {**_shown(found), **held})
    details = [{"item": value, "description": f"Not found using the identifier '{name}'"}]
    description = "The following contacts could not be found"
    return v3_error(404, "contacts:contactNotFound", description, details)


def _typed(name: str, value: str) -> Any:  # noqa: ANN401 - the value as a body would hold it
    return int(value) if name == "contactId" and value.isdecimal() else value


def _shown(contact: Contact) -> dict[str, Any]:
    return {
        "contactId": contact.contact_id,
        "status": contact.email_status,
        "created": "2023-01-26T21:29:00Z",
        "updated": "2023-01-26T21:29:00Z",
        "identifiers": dict(contact.identifiers),
    }


def remove(account: Account, call: Call) -> Answer:
    address_book = call.path.split("/")[3]
    if not address_book.isdecimal() or int(address_book) not in account.address_books:
        return v2_error(404, "The address book does not exist. ERROR_ADDRESSBOOK_NOT_FOUND")
    sent = _json(call)
    if not isinstance(sent, list) or not all(type(each) is int and each in INT32 for each in sent):
        return v2_error(400, "A parameter is invalid. ERROR_PARAMETER_INVALID")
    if not sent:
        return v2_error(400, "There are no contacts. ERROR_CONTACTS_ARE_NOT_SPECIFIED")
    job = account.departures.start_removal(int(address_book), sent)
    return reply(202, {"id": job.job_id, "status": job.status})


def removal_status(account: Account, call: Call) -> Answer:
    job = account.departures.poll("removal", call.path.rpartition("/")[2])
    if job is None:
        return v2_error(404, "There is no such deletion. ERROR_PARAMETER_INVALID")
    return reply(200, {"id": job.job_id, "status": job.status})


def delete(account: Account, call: Call) -> Answer:
    sent = _json(call)
    if not isinstance(sent, list):
        return v3_error(400, "contacts:badJson", "The JSON is not valid")
    if not sent:
        return v3_error(400, "contacts:noContactsSpecified", "You must specify 1 or more contacts")
    if len(sent) > MAX_DELETION or not all(_is_identifier(each) for each in sent):
        return v3_error(400, "server:badRequest", "The JSON value is not valid")
    if any(str(value) in account.departures.refused for each in sent for value in each.values()):
        # Dotdigital quotes what it refuses: the target must not repeat it in its log.
        return v3_error(400, "contacts:invalidId", f"The JSON value {sent} is not valid")
    try:
        job = account.departures.start_deletion(sent)
    except TooManyDeletionsError:
        return too_many_deletions()
    return reply(202, {"deleteId": job.job_id})


def deletion_status(account: Account, call: Call) -> Answer:
    delete_id = call.path.rpartition("/")[2]
    job = account.departures.poll("deletion", delete_id)
    if job is None:
        description = f"The delete request '{delete_id}' could not be found!"
        return v3_error(404, "contacts:importNotFound", description)
    return reply(200, {"deleteId": delete_id, "status": job.status, **job.report})


def _is_identifier(value: object) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((name, identifier),) = value.items()
    return type(identifier) is (int if name == "contactId" else str)


def _json(call: Call) -> Any:  # noqa: ANN401 - it is whatever the client sent
    try:
        return json.loads(call.body)
    except ValueError:
        return None
