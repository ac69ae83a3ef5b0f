"""Rules for the target's requests that the vendor's OpenAPI files do not have, a function each.

They come from the vendor's documentation and from what other integrations ran into. Each returns
its violations.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.support.dotdigital.contract.recording import Exchange

IMPORT_PATH = "/contacts/v3/import"
DELETION_PATH = "/contacts/v3/delete"
REMOVAL_PATH = re.compile(r"/v2/address-books/[0-9]+/contacts/delete")
MAX_DELETION = 5_000
CREATIONS = frozenset({("POST", "/v2/address-books"), ("POST", "/v2/data-fields")})
MAX_BODY_BYTES = 50_000_000
MAX_DATA_FIELD_NAME = 20
INT32_MAX = 2**31 - 1
CONTACT_KEYS = frozenset(
    {
        "matchIdentifier",
        "identifiers",
        "dataFields",
        "lists",
        "channelProperties",
        "preferences",
        "consentRecords",
    }
)
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def strict_violations_of(exchanges: Iterable[Exchange], *, status_asked: bool = False) -> list[str]:
    """Return what is wrong with recorded exchanges beyond the vendor's OpenAPI files.

    Args:
        exchanges: See `tests.support.dotdigital.contract.recording`.
        status_asked: The operator asked for a channel status to be sent (`resubscribe`).
    """
    violations: list[str] = []
    for each in exchanges:
        found = check_headers(each.request_headers)
        if (each.method, each.path) == ("PUT", IMPORT_PATH):
            found += check_import_body(each.request_body, status_asked=status_asked)
            if each.status == 202:
                found += check_accepted(each.response_body)
        elif (each.method, each.path) in CREATIONS:
            found += check_creation(each.path, each.request_body)
        elif each.path.startswith(f"{IMPORT_PATH}/") and each.status == 200:
            found += check_report(each.response_body)
        elif (each.method, each.path) == ("POST", DELETION_PATH):
            found += check_deletion_body(each.request_body)
        elif each.method == "POST" and REMOVAL_PATH.fullmatch(each.path):
            found += check_removal_body(each.request_body)
        elif each.method not in {"GET", "PUT"}:
            found.append("the target has no use for this call")
        violations += [f"{each.method} {each.path}: {violation}" for violation in found]
    return violations


def check_headers(headers: Mapping[str, str]) -> list[str]:
    """Basic auth, a User-Agent that names the target, JSON both ways, no compressed body."""
    named = {name.lower(): value for name, value in headers.items()}
    violations = []
    if not _is_basic(named.get("authorization", "")):
        violations.append("Authorization is not Basic")
    if not re.match(r"target-dotdigital/\d", named.get("user-agent", "")):
        violations.append("User-Agent does not name the target and its version")
    if "application/json" not in named.get("accept", ""):
        violations.append("Accept does not ask for JSON")
    if int(named.get("content-length", "0")) and not named.get("content-type", "").startswith(
        "application/json"
    ):
        violations.append("Content-Type of the body is not JSON")
    if "content-encoding" in named:
        violations.append("Content-Encoding: no compression is documented")
    return violations


def _is_basic(value: str) -> bool:
    scheme, _, token = value.partition(" ")
    try:
        return scheme == "Basic" and b":" in base64.b64decode(token, validate=True)
    except ValueError:
        return False


def check_import_body(body: bytes, *, status_asked: bool = False) -> list[str]:
    """All the rules for the body of `PUT /contacts/v3/import`."""
    violations = check_size(body)
    document = json.loads(body)
    contacts: list[dict[str, Any]] = document["contacts"]
    violations += [f"unknown key {key}" for key in document.keys() - {"contacts", "mergeOption"}]
    violations += check_unique(contacts)
    for number, contact in enumerate(contacts):
        found = [
            *check_keys(contact),
            *check_identifiers(contact),
            *check_data_fields(contact),
            *check_lists(contact),
            *([] if status_asked else check_no_status(contact)),
        ]
        violations += [f"contact {number}: {violation}" for violation in found]
    return violations


def check_deletion_body(body: bytes) -> list[str]:
    """1 to 5,000 objects of one identifier each, nobody twice."""
    sent: list[dict[str, Any]] = json.loads(body)
    violations = [] if 1 <= len(sent) <= MAX_DELETION else [f"{len(sent)} contacts"]
    violations += [
        f"contact {number} has {len(each)} identifiers"
        for number, each in enumerate(sent)
        if len(each) != 1
    ]
    violations += [
        f"identifier {name} has the wrong type"
        for each in sent
        for name, value in each.items()
        if type(value) is not (int if name == "contactId" else str)
    ]
    if len({json.dumps(each) for each in sent}) < len(sent):
        violations.append("a contact is in it twice")
    return violations


def check_removal_body(body: bytes) -> list[str]:
    """A bare array, not empty, of contact IDs that fit into 32 bits, none twice."""
    sent = json.loads(body)
    if not isinstance(sent, list) or not sent:
        return ["it is no array, or an empty one"]
    violations = [
        f"{each!r} is no contact ID"
        for each in sent
        if type(each) is not int or not 0 < each <= INT32_MAX
    ]
    if len({json.dumps(each) for each in sent}) < len(sent):
        violations.append("a contact is in it twice")
    return violations


def check_size(body: bytes) -> list[str]:
    return [f"{len(body)} bytes are over 50 MB"] if len(body) > MAX_BODY_BYTES else []


def check_unique(contacts: list[dict[str, Any]]) -> list[str]:
    """No two contacts have the same normalised match identifier: which one wins is not known."""
    seen: set[tuple[str, str]] = set()
    violations = []
    for number, contact in enumerate(contacts):
        identifier = contact["matchIdentifier"]
        key = identifier, str(contact["identifiers"].get(identifier)).strip().lower()
        if key in seen:
            violations.append(f"contact {number}: the same contact is in this import already")
        seen.add(key)
    return violations


def check_keys(contact: dict[str, Any]) -> list[str]:
    return [f"unknown key {key}" for key in contact.keys() - CONTACT_KEYS]


def check_identifiers(contact: dict[str, Any]) -> list[str]:
    """The match identifier is there; an address is trimmed and lower-cased; no value is empty."""
    identifiers = contact["identifiers"]
    violations = [
        f"identifier {name} is empty" for name, value in identifiers.items() if value in (None, "")
    ]
    if contact["matchIdentifier"] not in identifiers:
        violations.append("the match identifier is not among the identifiers")
    for name, value in identifiers.items():
        if type(value) is not (int if name == "contactId" else str):
            violations.append(f"identifier {name} has the wrong type")
    email = identifiers.get("email")
    if isinstance(email, str) and email != email.strip().lower():
        violations.append("the address is not trimmed and lower-cased")
    return violations


def check_data_fields(contact: dict[str, Any]) -> list[str]:
    """An object of names as Dotdigital has them, with scalars and nothing of Singer's in it."""
    if "dataFields" not in contact:
        return []
    fields = contact["dataFields"]
    if not isinstance(fields, dict):
        return ["dataFields is no object"]
    violations = []
    for name, value in fields.items():
        if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{MAX_DATA_FIELD_NAME}}}", name):
            violations.append(f"{name} is no name of a data field")
        if name.lower().startswith("_sdc_"):
            violations.append(f"{name} belongs to Singer")
        if isinstance(value, (dict, list)):
            violations.append(f"{name} is neither text, number, boolean nor null")
    return violations


def check_lists(contact: dict[str, Any]) -> list[str]:
    """The list IDs are a JSON array, not empty, of positive integers, each once."""
    if "lists" not in contact:
        return []
    lists = contact["lists"]
    if not isinstance(lists, list) or not lists:
        return ["lists is empty or no array"]
    if any(type(each) is not int or not 0 < each <= INT32_MAX for each in lists):
        return ["lists holds something other than IDs"]
    return ["lists holds an ID twice"] if len(set(lists)) < len(lists) else []


def check_no_status(contact: dict[str, Any]) -> list[str]:
    """No channel status is sent: `subscribed` would opt in again those who opted out."""
    channels = contact.get("channelProperties", {})
    return [
        f"a status for {name} is sent" for name, channel in channels.items() if "status" in channel
    ]


def check_creation(path: str, body: bytes) -> list[str]:
    """What is created is private, and has a name and nothing that nobody asked for."""
    new = json.loads(body)
    violations = []
    if new.get("visibility") != "Private":
        violations.append("what is created is not private")
    name = new.get("name", "")
    if path == "/v2/address-books":
        known = {"name", "visibility"}
        if name != name.strip() or not name or name.lower() in {"test", "all contacts"}:
            violations.append("the name is padded, empty or reserved")
        if name.isdigit():
            violations.append("an ID is no name")
    else:
        known = {"name", "type", "visibility"}
        if not re.fullmatch(rf"[A-Z0-9_-]{{1,{MAX_DATA_FIELD_NAME}}}", name):
            violations.append("a data field's name is not as Dotdigital keeps it")
    return violations + [f"unknown key {key}" for key in sorted(new.keys() - known)]


def check_accepted(body: bytes) -> list[str]:
    """The answer to an accepted import has its ID, which the vendor's file leaves optional."""
    import_id = json.loads(body).get("importId")
    if isinstance(import_id, str) and GUID.fullmatch(import_id):
        return []
    return ["no importId in the answer"]


def check_report(body: bytes) -> list[str]:
    """A report's lists and its summary tell the same."""
    report = json.loads(body)
    summary = report.get("summary")
    if summary is None:
        return []
    return [
        f"{listed} and {counted} differ"
        for listed, counted in (("created", "newContacts"), ("updated", "updatedContacts"))
        if listed in report and len(report[listed]) != summary.get(counted, 0)
    ]
