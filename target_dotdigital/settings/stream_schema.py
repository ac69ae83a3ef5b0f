"""The settings of one stream, as a JSON schema."""

from __future__ import annotations

from typing import Any, Literal

from singer_sdk import typing as th

MergeOption = Literal["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"]

MERGE_OPTIONS: tuple[MergeOption, ...] = ("overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty")
EMAIL_TYPES = ("html", "plainText")
OPT_IN_TYPES = ("unknown", "single", "double", "verifiedDouble")
CHANNELS = ("email", "sms", "whatsApp")
CONSENT_KEYS = ("text", "url", "date_time_consented", "ip_address", "user_agent")

ADDRESS_BOOK = th.CustomType({"type": ["string", "integer", "null"]})
MERGE_OPTION_HELP = "Dotdigital's merge option."


def _property_map(description: str, name: str) -> th.Property[Any]:
    return th.Property(
        name,
        th.ObjectType(additional_properties=th.StringType(nullable=False)),
        description=description,
    )


STREAM_SETTINGS = th.ObjectType(
    th.Property(
        "address_book",
        ADDRESS_BOOK,
        description="The address book that this stream's contacts join: its ID or exact name.",
    ),
    th.Property(
        "address_book_property",
        th.StringType,
        description=(
            "A property that names the row's own address books: an ID, an exact name, or an array "
            "of them; the contact joins all. Excludes address_book and mirror in this stream."
        ),
    ),
    th.Property(
        "match_identifier",
        th.StringType(nullable=False, min_length=1),
        default="email",
        description=(
            "The identifier that finds the existing contact: email, mobileNumber, contactId or a "
            "custom identifier's name."
        ),
    ),
    _property_map("Identifiers to send: identifier to record property.", "identifiers"),
    _property_map("The mapping: data field to record property.", "fields"),
    th.Property(
        "sync_mode",
        th.StringType(nullable=False, allowed_values=["upsert", "mirror"]),
        default="upsert",
        description=(
            "mirror: after a full load that ended well, contacts that it does not hold leave the "
            "address book. They stay in the account."
        ),
    ),
    th.Property(
        "max_removal_percent",
        th.IntegerType(nullable=False, minimum=0, maximum=100),
        default=20,
        description="The largest share of an address book that a mirror may remove.",
    ),
    th.Property(
        "mirror_shared",
        th.BooleanType(nullable=False),
        default=False,
        description=(
            "true for each of several streams that mirror one address book together: contacts of "
            "any of them stay."
        ),
    ),
    th.Property(
        "merge_option",
        th.StringType(nullable=False, allowed_values=list(MERGE_OPTIONS)),
        description=MERGE_OPTION_HELP,
    ),
    th.Property(
        "email_type",
        th.StringType(nullable=False, allowed_values=list(EMAIL_TYPES)),
        description="The e-mail type to set. Not sent by default.",
    ),
    th.Property(
        "email_opt_in_type",
        th.StringType(nullable=False, allowed_values=list(OPT_IN_TYPES)),
        description=(
            "The opt-in type to set. Not sent by default. verifiedDouble makes Dotdigital mail "
            "confirmation requests."
        ),
    ),
    th.Property(
        "resubscribe",
        th.BooleanType(nullable=False),
        default=False,
        description="true sends the status subscribed, which opts people in again.",
    ),
    _property_map(
        "Marketing preferences: preference ID to boolean property. Null or absent sends nothing.",
        "preferences",
    ),
    th.Property(
        "consent",
        th.ObjectType(
            *(th.Property(key, th.StringType(nullable=False)) for key in CONSENT_KEYS),
            additional_properties=False,
        ),
        description=(
            "A consent record for each row: text, url, date_time_consented, ip_address and "
            "user_agent to record properties. All five in a row are sent, none is left out, some "
            "reject the row."
        ),
    ),
    th.Property(
        "opt_out",
        th.ObjectType(
            *(th.Property(each, th.StringType(nullable=False)) for each in CHANNELS),
            additional_properties=False,
        ),
        description=(
            "Who has opted out: email, sms or whatsApp to a boolean or date property. True or a "
            "date sends the channel's status unsubscribed; false or null sends none."
        ),
    ),
    th.Property(
        "opt_out_new",
        th.StringType(nullable=False, allowed_values=["create", "skip"]),
        default="create",
        description=(
            "What becomes of people who are new to the account and have opted out of all channels "
            "in opt_out: create makes them, unsubscribed; skip leaves them out, and looks up who "
            "is known."
        ),
    ),
    th.Property(
        "on_delete",
        th.StringType(nullable=False, allowed_values=["ignore", "remove", "delete"]),
        default="ignore",
        description=(
            "What a row with a date-time in _sdc_deleted_at does, read after stream maps: nothing, "
            "leave the address book, or be deleted from the account."
        ),
    ),
    th.Property(
        "exact_numbers",
        th.BooleanType(nullable=False),
        default=False,
        description=(
            "true rejects a row with a number of more than 9 decimals for a Numeric data field, "
            "which is rounded otherwise."
        ),
    ),
    th.Property(
        "mobile_country",
        th.StringType(nullable=False),
        description=(
            "The country of mobile numbers without + or 00: its ISO 3166-1 alpha-2 code, such as "
            "GB (in YAML, quote NO). Not set: such a number must be a valid international one."
        ),
    ),
    th.Property(
        "account_only",
        th.BooleanType(nullable=False),
        description=(
            "true: this stream's contacts are loaded into the account, without any address book. "
            "By default the top-level one."
        ),
    ),
    th.Property(
        "skip",
        th.BooleanType(nullable=False),
        default=False,
        description="true: the stream is left out on purpose, without a warning.",
    ),
    additional_properties=False,
)
