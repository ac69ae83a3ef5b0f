"""A contact of v2 as an import of v3 would have it: its cells, told apart by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from target_dotdigital.sandbox.account import value_of_text
from target_dotdigital.sandbox.contacts import (
    EMAIL,
    ChannelProperties,
    ConsentRecord,
    EmailProperties,
    SentContact,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.sandbox.contacts import MergeOption
    from target_dotdigital.sandbox.imports.v2.uploads import Upload, UploadedContact

OPT_IN_TYPE = "optintype"
EMAIL_TYPE = "emailtype"

# A switch lets v3 know its words in its own case only; v2 knows its words in any.
_OPT_IN_TYPES = {word.lower(): word for word in ("unknown", "single", "double", "verifiedDouble")}
_EMAIL_TYPES = {word.lower(): word for word in ("html", "plainText")}

_CONSENT = {
    "consenttext": "text",
    "consentdatetime": "date_time_consented",
    "consenturl": "url",
    "consentip": "ip_address",
    "consentuseragent": "user_agent",
}
"""The columns of a consent. Source: https://developer.dotdigital.com/reference/bulk-import-contacts."""

_SPECIAL = frozenset({OPT_IN_TYPE, EMAIL_TYPE, *_CONSENT})

_MERGE_OPTIONS: Mapping[str, MergeOption] = {
    "overwrite": "overwrite",
    "onlyoverwriteifnotempty": "overwriteIfNotEmpty",
    "onlyoverwriteifcontactdatanotpopulated": "overwriteIfEmpty",
    "0": "overwrite",
    "1": "overwriteIfNotEmpty",
    "2": "overwriteIfEmpty",
}
"""In one file of the vendor's they are words, in the other numbers."""


class MergeOptionError(ValueError):
    """A word that is no merge option."""


def read_merge_option(word: str | int) -> MergeOption:
    """Read a merge option of v2, a word in any case or a number.

    Raises:
        MergeOptionError: It is none.
    """
    option = _MERGE_OPTIONS.get(str(word).lower())
    if option is None:
        raise MergeOptionError
    return option


def read_row(
    contact: UploadedContact, upload: Upload, data_fields: Mapping[str, str]
) -> SentContact:
    """Return a contact as an import of v3 would have it.

    Args:
        contact: The contact.
        upload: What it came with.
        data_fields: The type of each of the account's data fields.
    """
    named = {name.lower(): value for name, value in contact.cells.items()}
    return SentContact(
        match_identifier=EMAIL,
        identifiers={EMAIL: contact.email},
        data_fields=_data_fields(contact, upload, data_fields),
        channel_properties=ChannelProperties(
            email=EmailProperties(
                email_type=_word(named.get(EMAIL_TYPE), _EMAIL_TYPES),
                opt_in_type=_word(named.get(OPT_IN_TYPE), _OPT_IN_TYPES),
            )
        ),
        lists=upload.lists or UNSET,
        consent_records=_consent_records(named),
    )


def _data_fields(
    contact: UploadedContact, upload: Upload, data_fields: Mapping[str, str]
) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for written, value in contact.cells.items():
        name = written.upper()
        kind = data_fields.get(name)
        if written.lower() in _SPECIAL or (kind is None and upload.is_file):
            continue
        if value is None or value == "":
            # Whatever null does in v3: an empty cell is what this option is about.
            if upload.merge_option != "overwriteIfNotEmpty":
                sent[name] = None
        elif kind and isinstance(value, str):
            sent[name] = value_of_text(kind, value)
        else:
            sent[name] = value
    return sent


def _word(value: object, known: Mapping[str, str]) -> Any:  # noqa: ANN401 - a text, or UNSET
    word = "" if value is None else str(value).strip()
    return known.get(word.lower(), word) if word else UNSET


def _consent_records(named: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a list, or UNSET
    parts = {part: named.get(column) or "" for column, part in _CONSENT.items()}
    if not any(parts.values()):
        return UNSET
    return [ConsentRecord(**{part: str(value) for part, value in parts.items()})]
