"""How the open questions about a contact of an import are answered, before it is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from target_dotdigital.sandbox.account.data_fields import (
    MAXIMUM_TEXT_CHARACTERS,
    VALUE_CHECKS,
    is_date_without_time,
)
from target_dotdigital.sandbox.account.identifiers import (
    CONTACT_ID,
    EMAIL,
    IDENTIFIER_NAME,
    Failure,
    normalise,
)
from target_dotdigital.sandbox.faults.switches import Switches
from target_dotdigital.sandbox.imports.import_body import ImportContact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_dotdigital.sandbox.account.merging import Account
    from target_dotdigital.sandbox.imports.planning import FailedContact

DUPLICATE = "duplicateIdentifier"


class _Key(msgspec.Struct, frozen=True, rename="camel"):
    """What of a contact tells whether it is a duplicate."""

    match_identifier: str
    identifiers: dict[str, Any]


_DEFAULTS = Switches()
_KEY = msgspec.json.Decoder(_Key)
_ANYTHING = msgspec.json.Decoder()


class Ruling(msgspec.Struct, frozen=True):
    """A contact as it is taken.

    Attributes:
        contact: Without what is left out.
        failures: Why it is not written, if there are any.
        remarks: What is reported although it is written.
    """

    contact: ImportContact
    failures: list[Failure]
    remarks: list[Failure]


def rule(sent: ImportContact, account: Account, switches: Switches) -> Ruling:
    """Answer the open questions for a contact of the right structure.

    Args:
        sent: The contact as sent.
        account: What it may refer to.
        switches: The answers.
    """
    if switches == _DEFAULTS:  # what is left to say about the contact is said by its problems
        return Ruling(sent, [], [])
    data_fields, failures = _rule_fields(sent.data_fields, account, switches)
    lists = sent.lists
    remarks: list[Failure] = []
    if lists is not UNSET and switches.unknown_list == "written":
        known = [one for one in lists if one in account.lists]
        if len(known) < len(lists):
            remarks.append(Failure("invalidAddressBookIds", "Invalid value for 'lists'"))
            lists = known or UNSET
    contact = msgspec.structs.replace(sent, data_fields=data_fields, lists=lists)
    return Ruling(contact, failures, remarks)


def _rule_fields(
    sent: Mapping[str, Any], account: Account, switches: Switches
) -> tuple[dict[str, Any], list[Failure]]:
    data_fields: dict[str, Any] = {}
    failures: list[Failure] = []
    for name, value in sent.items():
        kind = account.data_fields.get(name.upper())
        if kind is None or (switches.field_case == "exact" and name != name.upper()):
            if switches.unknown_field == "dropped":
                continue
            if kind is not None:
                failures.append(Failure("apiSchemaViolation", f"Unknown data field '{name}'"))
        elif kind == "Date" and switches.date_only == "refused" and is_date_without_time(value):
            failures.append(Failure("apiSchemaViolation", f"'{name}' takes a date with a time"))
        elif kind == "String" and isinstance(value, str) and switches.long_text == "cut":
            data_fields[name] = value[:MAXIMUM_TEXT_CHARACTERS]
            continue
        elif switches.wrong_type == "dropped" and not _fits(value, kind):
            continue
        data_fields[name] = value
    return data_fields, failures


def _fits(value: object, kind: str) -> bool:
    # A text that is too long is of the right type.
    return (
        value is None or (kind == "String" and isinstance(value, str)) or VALUE_CHECKS[kind](value)
    )


def unreadable(raw: msgspec.Raw) -> ImportContact:
    """Return what can be told of a contact of the wrong structure: who it is."""
    sent = _ANYTHING.decode(raw)
    if not isinstance(sent, dict):
        sent = {}
    match = sent.get("matchIdentifier")
    identifiers = sent.get("identifiers")
    named = identifiers.items() if isinstance(identifiers, dict) else ()
    if not isinstance(match, str) or not IDENTIFIER_NAME.fullmatch(match):
        match = EMAIL
    return ImportContact(
        match_identifier=match,
        identifiers={
            name: value
            for name, value in named
            if IDENTIFIER_NAME.fullmatch(name)
            and (isinstance(value, str) or (name == CONTACT_ID and type(value) is int))
        },
    )


def superseded(contacts: Sequence[msgspec.Raw]) -> frozenset[int]:
    """Return the positions of entries that a later one of the same import takes the place of."""
    latest: dict[tuple[str, int | str], int] = {}
    earlier = set()
    for position, raw in enumerate(contacts):
        try:
            sent = _KEY.decode(raw)
        except msgspec.ValidationError:
            continue
        value = sent.identifiers.get(sent.match_identifier)
        if not isinstance(value, (int, str)):
            continue
        identifier, _ = normalise({sent.match_identifier: value})
        normalised = identifier.get(sent.match_identifier)
        if normalised is None:
            continue
        key = (sent.match_identifier, normalised)
        if key in latest:
            earlier.add(latest[key])
        latest[key] = position
    return frozenset(earlier)


def spelled(failed: FailedContact, switches: Switches) -> FailedContact:
    """Return a failure as the report writes it."""
    identifiers, failures = failed.identifiers, failed.failures
    if switches.report_identifiers == "lowerCase" and EMAIL in identifiers:
        identifiers = {**identifiers, EMAIL: identifiers[EMAIL].strip().lower()}
    if switches.failure_codes == "PascalCase":
        failures = [
            Failure(one.failure_code[:1].upper() + one.failure_code[1:], one.description)
            for one in failures
        ]
    return msgspec.structs.replace(failed, identifiers=identifiers, failures=failures)
