"""A contact of the test account, and what an import writes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.dotdigital.account.normal_forms import Key, key_of


@dataclass(slots=True)
class Contact:
    contact_id: int
    identifiers: dict[str, str] = field(default_factory=dict)
    """`email` (lower-cased), `mobileNumber`, custom ones."""
    data_fields: dict[str, Any] = field(default_factory=dict)
    """By the account's own spelling of the name; a cleared field is not in it."""
    lists: set[int] = field(default_factory=set)
    email_status: str = "subscribed"
    sms_status: str = "noSubscription"
    whatsapp_status: str = "noSubscription"
    email_type: str | None = None
    opt_in_type: str | None = None
    preferences: dict[int, bool] = field(default_factory=dict)
    consent_records: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the contact is known by: the e-mail address, or the first other identifier."""
        return self.identifiers.get("email") or next(iter(self.identifiers.values()))


def write(
    contact: Contact, sent: dict[str, Any], merge_option: str, data_fields: dict[str, str]
) -> None:
    names = {name.upper(): name for name in data_fields}
    for spelling, value in sent.get("dataFields", {}).items():
        name = names.get(spelling.upper())
        if name is None:
            continue
        empty = value in (None, "")
        if merge_option == "overwriteIfNotEmpty" and empty:
            continue
        if merge_option == "overwriteIfEmpty" and contact.data_fields.get(name) not in (None, ""):
            continue
        if value is None:
            contact.data_fields.pop(name, None)
        else:
            contact.data_fields[name] = value
    contact.lists.update(sent.get("lists", ()))
    channels = sent.get("channelProperties", {})
    contact.sms_status = channels.get("sms", {}).get("status", contact.sms_status)
    contact.whatsapp_status = channels.get("whatsApp", {}).get("status", contact.whatsapp_status)
    properties = channels.get("email", {})
    contact.email_type = properties.get("emailType", contact.email_type)
    contact.opt_in_type = properties.get("optInType", contact.opt_in_type)
    contact.email_status = properties.get("status", contact.email_status)
    if properties.get("optInType") == "verifiedDouble":
        contact.email_status = "pendingOptIn"
    for preference in sent.get("preferences", ()):
        contact.preferences[preference["id"]] = preference["isOptedIn"]
    contact.consent_records.extend(sent.get("consentRecords", ()))


def keys_of(contact: Contact) -> list[Key]:
    """Return whatever finds a contact."""
    return [
        key_of("contactId", contact.contact_id),
        *(key_of(*pair) for pair in contact.identifiers.items()),
    ]
