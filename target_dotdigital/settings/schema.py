"""The settings' JSON schema: names, types, defaults and descriptions, as the contract has them."""

from __future__ import annotations

from typing import Any, Literal

from singer_sdk import typing as th

MergeOption = Literal["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"]

MERGE_OPTIONS: tuple[MergeOption, ...] = ("overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty")
MAX_ACTIVE_IMPORTS = 25
"""What an account may have, over all of its integrations."""

REGIONS = ("r1", "r2", "r3")
EMAIL_TYPES = ("html", "plainText")
OPT_IN_TYPES = ("unknown", "single", "double", "verifiedDouble")
CONSENT_KEYS = ("text", "url", "date_time_consented", "ip_address", "user_agent")

_ADDRESS_BOOK = th.CustomType({"type": ["string", "integer", "null"]})
_MERGE_OPTION_HELP = "Dotdigital's merge option."


def _text(name: str, title: str, description: str) -> th.Property[Any]:
    kind = th.StringType(nullable=True)
    return th.Property(name, kind, title=title, description=description)


def _property_map(description: str, name: str) -> th.Property[Any]:
    kind = th.ObjectType(additional_properties=th.StringType(nullable=False))
    return th.Property(name, kind, description=description)


STREAM_SETTINGS = th.ObjectType(
    th.Property(
        "address_book",
        _ADDRESS_BOOK,
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
        description=_MERGE_OPTION_HELP,
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

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    _text(
        "username",
        "Username",
        "API user name (apiuser-...@apiconnector.com). Not needed with sandbox_path.",
    ),
    th.Property(
        "password",
        th.StringType(nullable=True),
        secret=True,
        title="Password",
        description="API user password. Not needed with sandbox_path.",
    ),
    th.Property(
        "region",
        th.StringType(nullable=True, allowed_values=[*REGIONS, None]),
        title="Region",
        description="Data region of the account: r1, r2 or r3. Found by asking when not set.",
    ),
    _text("api_url", "API URL", "Another base URL: https, or http on a loopback address only."),
    _text(
        "sandbox_path",
        "Sandbox path",
        "Run against the local sandbox whose data is kept in this SQLite file.",
    ),
    th.Property(
        "address_book",
        _ADDRESS_BOOK,
        title="Address book",
        description=(
            "The address book that contacts are added to: its ID (digits) or its exact name. "
            "Default for every stream."
        ),
    ),
    th.Property(
        "create_address_book",
        th.BooleanType(nullable=False),
        default=False,
        title="Create address book",
        description="Create an address book that is named but does not exist.",
    ),
    th.Property(
        "account_only",
        th.BooleanType(nullable=False),
        default=False,
        title="Account only",
        description=(
            "Load contacts into the account, without any address book. Without it, a stream that "
            "has no address book ends the run."
        ),
    ),
    th.Property(
        "create_data_fields",
        th.BooleanType(nullable=False),
        default=False,
        title="Create data fields",
        description=(
            "Create mapped data fields that the account lacks, typed from the stream's schema."
        ),
    ),
    th.Property(
        "streams",
        th.ObjectType(additional_properties=STREAM_SETTINGS, nullable=True),
        title="Streams",
        description=(
            "Stream name to stream settings: which streams to load, and how. Not set: every "
            "stream that has the match identifier's property."
        ),
    ),
    th.Property(
        "merge_option",
        th.StringType(nullable=False, allowed_values=list(MERGE_OPTIONS)),
        default="overwrite",
        title="Merge option",
        description=_MERGE_OPTION_HELP,
    ),
    th.Property(
        "batch_size_rows",
        th.IntegerType(nullable=False, minimum=1),
        default=10_000,
        title="Batch size",
        description="Contacts in one import at most.",
    ),
    th.Property(
        "batch_wait_limit_seconds",
        th.IntegerType(nullable=False, minimum=1),
        default=300,
        title="Batch wait limit",
        description="An open batch older than this is sent even if it is not full.",
    ),
    th.Property(
        "max_active_imports",
        th.IntegerType(nullable=False, minimum=1, maximum=MAX_ACTIVE_IMPORTS),
        default=20,
        title="Active imports",
        description="Imports kept active at a time; Dotdigital allows 25 an account.",
    ),
    th.Property(
        "import_timeout_minutes",
        th.IntegerType(nullable=False, minimum=1),
        default=240,
        title="Import timeout",
        description="An import that has not ended by then fails the run.",
    ),
    th.Property(
        "shutdown_grace_seconds",
        th.IntegerType(nullable=False, minimum=0),
        default=20,
        title="Shutdown grace",
        description="How long to wait for active imports when the run is stopped or fails.",
    ),
    th.Property(
        "max_reject_percent",
        th.IntegerType(nullable=False, minimum=0, maximum=100),
        default=50,
        title="Reject limit",
        description=(
            "The run fails when more than this share of a stream's rows is rejected: looked at "
            "while reading after 1,000 settled rows, and at the end of every stream of any size, "
            "before the last STATE leaves. 0: no reject is tolerated. 100: any number is."
        ),
    ),
    th.Property(
        "send",
        th.StringType(nullable=False, allowed_values=["all", "changes"]),
        default="all",
        title="What is sent",
        description=(
            "changes: only contacts that are new, or differ from what was last settled. It needs "
            "fingerprints_path."
        ),
    ),
    _text(
        "fingerprints_path",
        "Fingerprints path",
        (
            "Where send: changes keeps a fingerprint of each contact, as it was last settled. No "
            "value of a record is in the file. With send: all, everything is sent, and the "
            "fingerprints are made anew."
        ),
    ),
    th.Property(
        "send_all_every_days",
        th.IntegerType(nullable=False, minimum=0),
        default=7,
        title="Days between full sends",
        description="After so many days send: changes sends everything once. 0: never.",
    ),
    _text("rejects_path", "Rejects path", "Rejected rows are written here as a Singer stream."),
    _text(
        "rejects_csv",
        "Rejects as CSV",
        (
            "Rejected rows are written here as CSV, with their number, stream, code, reason and "
            "columns. Open it in a spreadsheet."
        ),
    ),
    _text(
        "report_path",
        "Report path",
        (
            "Where a report of the run, or a dry run's plan, is written: an HTML page if the name "
            "ends in .html, JSON otherwise. A name that ends in / is a folder: it gets a page and "
            "a JSON file for each run, and an index.html."
        ),
    ),
    th.Property(
        "dry_run",
        th.BooleanType(nullable=False),
        default=False,
        title="Dry run",
        description="Read and check everything, write nothing to Dotdigital, and print the plan.",
    ),
    th.Property(
        "load_method",
        th.StringType(nullable=False, allowed_values=["upsert"]),
        default="upsert",
        title="Load method",
        description="Contacts are created or updated, whatever the run.",
    ),
).to_dict()
