"""What Dotdigital refuses at once, with a 400 for the whole import."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MERGE_OPTIONS = frozenset({"overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"})
EMAIL_PROPERTIES = frozenset({"emailType", "optInType", "status", "resubscribeOptions"})
CHANNELS = {"email": EMAIL_PROPERTIES, "sms": {"status"}, "whatsApp": {"status"}}
MAX_LISTS = 100
MAX_CONSENT_RECORDS = 5
CONSENT_PARTS = {"text", "url", "dateTimeConsented", "ipAddress", "userAgent"}
INT32 = range(-(2**31), 2**31)


class RefusedError(Exception):
    """The request is refused as a whole: nothing of it is imported."""

    def __init__(self, code: str, description: str, item: str = "") -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.item = item


@dataclass(frozen=True, slots=True)
class Envelope:
    contacts: list[dict[str, Any]]
    merge_option: str


def open_envelope(body: bytes) -> Envelope:
    """Decode an import's body as strictly as Dotdigital is known to.

    Raises:
        RefusedError: It is no JSON, or some part of it has the wrong shape.
    """
    try:
        # Strictly: Python's decoder would let NaN through, which is no JSON.
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        if b"\\u" in body:
            # Half a surrogate pair is no text, though Python's decoder takes it for some.
            json.dumps(document, ensure_ascii=False).encode()
    except ValueError:
        code = "contacts:badJson"
        raise RefusedError(code, "The request JSON is badly formed") from None
    _shape(document, dict, "$")
    merge_option = document.get("mergeOption", "overwrite")
    if merge_option not in MERGE_OPTIONS:
        _refuse("$.mergeOption")
    contacts = _shape(document.get("contacts"), list, "$.contacts")
    if not contacts:
        _refuse("$.contacts")
    for number, contact in enumerate(contacts):
        _check_contact(contact, f"$.contacts[{number}]")
    return Envelope(contacts, merge_option)


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _refuse(item: str) -> None:
    code = "server:badRequest"
    raise RefusedError(code, "The request is invalid", item)


def _shape(value: Any, kind: type, item: str) -> Any:  # noqa: ANN401 - JSON in, JSON out
    if not isinstance(value, kind):
        _refuse(item)
    return value


def _check_contact(contact: object, item: str) -> None:
    whole: dict[str, Any] = _shape(contact, dict, item)
    if "identifiers" not in whole:
        code = "contacts:badRequest"
        raise RefusedError(code, "Identifiers field is required", item)
    _shape(whole["identifiers"], dict, f"{item}.identifiers")
    _shape(whole.get("matchIdentifier"), str, f"{item}.matchIdentifier")
    if "dataFields" in whole:
        fields = _shape(whole["dataFields"], dict, f"{item}.dataFields")
        for name, value in fields.items():
            if isinstance(value, (dict, list)):
                _refuse(f"{item}.dataFields.{name}")
    if "lists" in whole:
        _check_lists(_shape(whole["lists"], list, f"{item}.lists"), f"{item}.lists")
    if "consentRecords" in whole:
        _check_consents(
            _shape(whole["consentRecords"], list, f"{item}.consentRecords"),
            f"{item}.consentRecords",
        )
    if "preferences" in whole:
        _check_preferences(
            _shape(whole["preferences"], list, f"{item}.preferences"), f"{item}.preferences"
        )
    if "channelProperties" in whole:
        _check_channels(whole["channelProperties"], f"{item}.channelProperties")


def _check_preferences(preferences: list[Any], item: str) -> None:
    if not preferences:
        _refuse(item)
    for entry in preferences:
        _shape(entry, dict, f"{item}[]")
        _shape(entry.get("isOptedIn"), bool, f"{item}[].isOptedIn")
        if type(entry.get("id")) is not int or entry["id"] not in INT32:
            _refuse(f"{item}[].id")


def _check_consents(records: list[Any], item: str) -> None:
    if not 1 <= len(records) <= MAX_CONSENT_RECORDS:
        _refuse(item)
    for number, record in enumerate(records):
        where = f"{item}[{number}]"
        if set(_shape(record, dict, where)) != CONSENT_PARTS:
            _refuse(where)
        for part, text in record.items():
            if not _shape(text, str, f"{where}.{part}"):
                _refuse(f"{where}.{part}")


def _check_lists(lists: list[Any], item: str) -> None:
    if not 1 <= len(lists) <= MAX_LISTS:
        _refuse(item)
    for number, address_book in enumerate(lists):
        if type(address_book) is not int or address_book not in INT32:
            _refuse(f"{item}[{number}]")


def _check_channels(channels: object, item: str) -> None:
    for channel, properties in _shape(channels, dict, item).items():
        if channel not in CHANNELS:
            _refuse(f"{item}.{channel}")
        for name in _shape(properties, dict, f"{item}.{channel}"):
            if name not in CHANNELS[channel]:
                _refuse(f"{item}.{channel}.{name}")
