"""What `PUT /contacts/v3/import` takes, and what it refuses as a whole."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from target_dotdigital.sandbox.account.identifiers import IDENTIFIER_NAME
from target_dotdigital.sandbox.errors import Detail, RefusalError, v3_refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from target_dotdigital.sandbox.faults.switches import Switches

MAXIMUM_BODY_BYTES = 50_000_000

BAD_JSON = "contacts:badJson"

MergeOption = Literal["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"]

Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class ResubscribeOptions(msgspec.Struct, frozen=True, rename="camel"):
    """Whether someone who opted out is asked before being subscribed again."""

    resubscribe_with_no_challenge: bool = True
    preferred_locale: str | UnsetType = UNSET
    redirect_url_after_challenge: str | UnsetType = UNSET


class EmailProperties(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The e-mail channel. Its words are checked for each contact, not for the request."""

    email_type: str | UnsetType = UNSET
    opt_in_type: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    resubscribe_options: ResubscribeOptions = ResubscribeOptions()


class MobileProperties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SMS or the WhatsApp channel."""

    status: str | UnsetType = UNSET


class ChannelProperties(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What is sent of each channel."""

    email: EmailProperties = EmailProperties()
    sms: MobileProperties = MobileProperties()
    whats_app: MobileProperties = MobileProperties()


class Preference(msgspec.Struct, frozen=True, rename="camel"):
    """A marketing preference that is set."""

    id: Int32
    is_opted_in: bool


class ConsentRecord(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A consent that was given; all five parts are required."""

    text: str
    date_time_consented: str
    url: str
    ip_address: str
    user_agent: str


class ContactData(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A contact as sent, alone or in an import.

    Attributes:
        identifiers: By name; `contactId` is a number, all others are strings.
        data_fields: By name; numbers with a point are Decimals, so that none loses a digit.
        channel_properties: Statuses and types to set.
        lists: IDs of address books to join.
        preferences: Marketing preferences to set.
        consent_records: Consents to add.
    """

    identifiers: dict[str, int | str] = {}
    data_fields: dict[str, Any] = {}
    channel_properties: ChannelProperties = ChannelProperties()
    lists: Annotated[list[Int32], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    preferences: Annotated[list[Preference], Meta(min_length=1)] | UnsetType = UNSET
    consent_records: (
        Annotated[list[ConsentRecord], Meta(min_length=1, max_length=5)] | UnsetType
    ) = UNSET


class ImportContact(ContactData, frozen=True, rename="camel", kw_only=True):
    """One contact of an import, as sent.

    Attributes:
        match_identifier: The name of the identifier that finds the existing contact.
        identifiers: The one that is named by it has to be among them.
    """

    match_identifier: str
    identifiers: dict[str, int | str]


class ImportBody(msgspec.Struct, frozen=True, rename="camel"):
    """The whole request. Its contacts stay encoded: a body of 50 MB is many times that decoded."""

    contacts: Annotated[list[msgspec.Raw], Meta(min_length=1)]
    merge_option: MergeOption = "overwrite"


_BODY = msgspec.json.Decoder(ImportBody)
_CONTACT = msgspec.json.Decoder(ImportContact, float_hook=Decimal)


def decode(body: bytes) -> ImportBody:
    """Decode a body, its contacts excepted.

    Raises:
        RefusalError: 400, it is no JSON or not of this shape.
    """
    try:
        return _BODY.decode(body)
    except msgspec.ValidationError as error:
        raise schema_refusal(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_json() from None


def read_contact(contact: msgspec.Raw, place: str) -> ImportContact:
    """Decode one contact of a body.

    Args:
        contact: The contact, still encoded.
        place: Where in the body it is.

    Raises:
        RefusalError: 400, it is no JSON or of the wrong structure.
    """
    try:
        sent = _CONTACT.decode(contact)
    except msgspec.ValidationError as error:
        raise schema_refusal(str(error), place) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_json() from None
    if not IDENTIFIER_NAME.fullmatch(sent.match_identifier):
        raise schema_refusal("The matchIdentifier is not a name of an identifier", place)
    check_identifiers(sent, place)
    return sent


def check(body: bytes, switches: Switches, lists: Collection[int]) -> int:
    """Check the structure of a request, every contact included.

    Args:
        body: The request.
        switches: Whether one contact at fault refuses all of it.
        lists: IDs of the lists that contacts may join.

    Returns:
        How many contacts it has.

    Raises:
        RefusalError: 400, for the whole request.
    """
    contacts = decode(body).contacts
    for index, raw in enumerate(contacts):
        place = f"$.contacts[{index}]"
        try:
            contact = read_contact(raw, place)
        except RefusalError as refusal:
            if switches.bad_contact == "request" or refusal.code == BAD_JSON:
                raise
        else:
            if switches.unknown_list == "refused" and contact.lists is not UNSET:
                _check_lists(contact.lists, lists, place)
    return len(contacts)


def _check_lists(wanted: Sequence[int], known: Collection[int], place: str) -> None:
    if any(one not in known for one in wanted):
        raise schema_refusal("Invalid value for 'lists'", f"{place}.lists")


def check_identifiers(contact: ContactData, place: str) -> None:
    """Check the names of identifiers, and that the values are texts.

    Raises:
        RefusalError: 400, they are not.
    """
    for name, value in contact.identifiers.items():
        if not IDENTIFIER_NAME.fullmatch(name):
            raise schema_refusal("Identifiers has a key that is no name of one", place)
        # A contact ID of the wrong type is a failure of its own (`invalidContactId`).
        if name != "contactId" and not isinstance(value, str):
            raise schema_refusal("Expected `str`, got `int`", f"{place}.identifiers.{name}")


def bad_json() -> RefusalError:
    """Refuse a body that is no JSON."""
    return v3_refusal(BAD_JSON, "The request JSON is badly formed")


def schema_refusal(problem: str, place: str = "$") -> RefusalError:
    """Refuse a body that is JSON of another shape.

    Args:
        problem: What msgspec says of it.
        place: Where in the body that is which was decoded.
    """
    # msgspec writes "problem - at `$.path`", the path counted from what was decoded.
    description, _, path = problem.partition(" - at `$")
    item = place + path.rstrip("`")
    # A wrong JSON type is refused by the vendor's server, before its contacts service sees it.
    code = "server:badRequest" if ", got `" in description else "contacts:badRequest"
    return v3_refusal(code, description, Detail(item=item, description=description))
