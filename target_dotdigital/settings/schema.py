"""The settings' JSON schema: names, types, defaults and descriptions, as the contract has them."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from target_dotdigital.settings.stream_schema import (
    ADDRESS_BOOK,
    MERGE_OPTION_HELP,
    MERGE_OPTIONS,
    STREAM_SETTINGS,
)

MAX_ACTIVE_IMPORTS = 25
"""What an account may have, over all of its integrations."""

REGIONS = ("r1", "r2", "r3")


def _text(name: str, title: str, description: str) -> th.Property[Any]:
    kind = th.StringType(nullable=True)
    return th.Property(name, kind, title=title, description=description)


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
        ADDRESS_BOOK,
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
        description=MERGE_OPTION_HELP,
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
    th.Property(
        "batch_config",
        th.ObjectType(
            th.Property("encoding", th.ObjectType(nullable=True)),
            th.Property(
                "storage",
                th.ObjectType(
                    th.Property("root", th.StringType(nullable=True)),
                    th.Property("prefix", th.StringType(nullable=True)),
                    th.Property("params", th.ObjectType(nullable=True)),
                    nullable=True,
                ),
            ),
            nullable=True,
        ),
        secret=True,
        title="BATCH files",
        description=(
            "Where the files of BATCH messages are, if not where the messages say: storage.root is "
            "a folder or URL, storage.params is what fsspec needs to open it. How files are "
            "encoded is read from the messages. The tap's own batch_config is right here, too."
        ),
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
