"""What is wrong with a contact's data, whoever it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.account import (
    MAXIMUM_TEXT_CHARACTERS,
    VALUE_CHECKS,
    is_date_without_time,
)
from target_dotdigital.sandbox.contacts.records import (
    BUILT_IN,
    EMAIL_STATUSES,
    EMAIL_TYPES,
    MOBILE_STATUSES,
    OPT_IN_TYPES,
    Failure,
)
from target_dotdigital.sandbox.faults import Switches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.sandbox.account import Definitions
    from target_dotdigital.sandbox.contacts.records import ChannelProperties, SentContact

_DEFAULTS = Switches()


class Validated(msgspec.Struct, frozen=True):
    """A contact as it is taken.

    Attributes:
        contact: Without what is left out.
        failures: Why it is not written, if there are any.
        warnings: What is reported although it is written.
    """

    contact: SentContact
    failures: list[Failure]
    warnings: list[Failure]


def validate(sent: SentContact, definitions: Definitions, switches: Switches) -> Validated:
    """Check a contact of the right structure.

    Args:
        sent: The contact as sent.
        definitions: What it may refer to.
        switches: What Dotdigital's documents leave open.
    """
    contact, failures, warnings = sent, list[Failure](), list[Failure]()
    if switches != _DEFAULTS:
        contact, failures, warnings = _apply_switches(sent, definitions, switches)
    failures += _problems(contact, definitions, switches)
    return Validated(contact, failures, warnings)


def _apply_switches(
    sent: SentContact, definitions: Definitions, switches: Switches
) -> tuple[SentContact, list[Failure], list[Failure]]:
    data_fields, failures = _apply_to_fields(sent.data_fields, definitions, switches)
    lists = sent.lists
    warnings: list[Failure] = []
    if lists is not UNSET and switches.unknown_list == "written":
        known = [one for one in lists if one in definitions.lists]
        if len(known) < len(lists):
            warnings.append(_invalid_lists())
            lists = known or UNSET
    contact = msgspec.structs.replace(sent, data_fields=data_fields, lists=lists)
    return contact, failures, warnings


def _apply_to_fields(
    sent: Mapping[str, Any], definitions: Definitions, switches: Switches
) -> tuple[dict[str, Any], list[Failure]]:
    data_fields: dict[str, Any] = {}
    failures: list[Failure] = []
    for name, value in sent.items():
        kind = definitions.data_fields.get(name.upper())
        kept, problem = _apply_to_field(name, value, kind, switches)
        if kept is not UNSET:
            data_fields[name] = kept
        if problem:
            failures.append(_schema_violation(problem))
    return data_fields, failures


def _apply_to_field(
    name: str, value: object, kind: str | None, switches: Switches
) -> tuple[object | UnsetType, str]:
    """Return the value that is kept, `UNSET` for one that is left out, and what is wrong with it.

    What is wrong whatever the switches say is not among that: `_problems` finds it.
    """
    if kind is None or (switches.field_case == "exact" and name != name.upper()):
        if switches.unknown_field == "dropped":
            return UNSET, ""
        return value, "" if kind is None else f"Unknown data field '{name}'"
    if kind == "Date" and switches.date_only == "refused" and is_date_without_time(value):
        return value, f"'{name}' takes a date with a time"
    if kind == "String" and isinstance(value, str):
        # A text that is too long is of the right type.
        return value[:MAXIMUM_TEXT_CHARACTERS] if switches.long_text == "cut" else value, ""
    is_wrong = value is not None and not VALUE_CHECKS[kind](value)
    return UNSET if is_wrong and switches.wrong_type == "dropped" else value, ""


def _problems(sent: SentContact, definitions: Definitions, switches: Switches) -> list[Failure]:
    failures = []
    if sent.lists is not UNSET and not definitions.lists.issuperset(sent.lists):
        failures.append(_invalid_lists())
    for name, value in sent.data_fields.items():
        kind = definitions.data_fields.get(name.upper())
        if kind is None:
            failures.append(_schema_violation(f"Unknown data field '{name}'"))
        elif value is not None and not VALUE_CHECKS[kind](value):
            failures.append(_schema_violation(f"'{name}' takes a {kind}"))
    failures += wrong_words(sent.channel_properties, switches)
    match = sent.match_identifier
    is_misspelt = match.lower() in BUILT_IN and match not in BUILT_IN.values()
    if is_misspelt and match not in sent.identifiers:
        failures.append(Failure("invalidMatchIdentifier", "Unknown matchIdentifier"))
    return failures


def wrong_words(channels: ChannelProperties, switches: Switches) -> list[Failure]:
    """Return a failure for each word that is none of those that a status or a type may be.

    Args:
        channels: What was sent of each channel.
        switches: What Dotdigital's documents leave open.
    """
    failures = []
    for word, known, name, code in (
        (channels.email.status, EMAIL_STATUSES, "email.status", "invalidContactStatus"),
        (channels.sms.status, MOBILE_STATUSES, "sms.status", "invalidContactStatus"),
        (channels.whats_app.status, MOBILE_STATUSES, "whatsApp.status", "invalidContactStatus"),
        (channels.email.email_type, EMAIL_TYPES, "email.emailType", "apiSchemaViolation"),
        (channels.email.opt_in_type, OPT_IN_TYPES, "email.optInType", "apiSchemaViolation"),
    ):
        if word is not UNSET and not _is_known(word, known, switches):
            failures.append(Failure(code, f"Invalid value for 'channelProperties.{name}'"))
    return failures


def _is_known(word: str, known: Mapping[str, str], switches: Switches) -> bool:
    stored = known.get(word.lower())
    if stored is None or switches.word_case == "ignored":
        return stored is not None
    # Words are stored as they are answered, some in Pascal case; requests have camel case.
    return word == stored[0].lower() + stored[1:]


def _invalid_lists() -> Failure:
    return Failure("invalidAddressBookIds", "Invalid value for 'lists'")


def _schema_violation(description: str) -> Failure:
    return Failure("apiSchemaViolation", description)
