"""What is measured: a row for each feature, with what it may take at most."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from benchmarks import customers
from benchmarks.customers import PLAIN, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACTIVE_IMPORTS: Final = 20
LEAVERS_EACH: Final = 100
"""A mirror lets one contact go for so many rows."""

MIN_TIMES_STOCK: Final = 20.0
MAX_TIMES_VERSION: Final = 1.5
MAX_TIMES_START: Final = 2.0
MAX_TIMES_IDEAL: Final = 1.15
MIN_TIMES_ONE_BY_ONE: Final = 20.0

_STRICT_SCHEMA: Final = 5.0
_STREAM_MAPS: Final = 3.0
"""100,000 rows a second where the limit does 300,000."""


@dataclass(frozen=True)
class Feature:
    """A load that uses a feature of the target.

    Attributes:
        title: What the page calls it.
        times: How many times as long as the bare loop it may take; None: its time tells nothing.
        megabytes: The most memory that it may take; None: whatever it takes.
        stream: The settings of its stream, over those of a plain one.
        config: Its other settings.
        table: Whose rows are loaded.
        size: How many times as many rows as others it has.
        active: How many imports the server holds active; 0: each has finished when asked for.
        members: Whether the address book holds all rows' contacts already, and some more.
        before: Whose rows were loaded before, with the same settings.
        lists: Whether reports list every contact, which the target then reads one by one.
        sent: Returns how many contacts so many rows make.
    """

    title: str
    times: float | None = 2.0
    megabytes: float | None = None
    stream: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    table: Table = PLAIN
    size: int = 1
    active: int = 0
    members: bool = False
    before: Table | None = None
    lists: bool = False
    sent: Callable[[int], int] = int

    def members_of(self, rows: int) -> int:
        """Return how many contacts are in the address book before so many rows are loaded.

        Args:
            rows: How many.
        """
        return rows + rows // LEAVERS_EACH if self.members else 0


def _with_field(name: str, path: str) -> dict[str, Any]:
    return {"fields": {**customers.FIELDS, name: path}}


_REJECTS: Final = {"rejects_path": "rejects.singer"}
_MIRROR: Final = {"sync_mode": "mirror"}
_CHANGES: Final = {"send": "changes", "fingerprints_path": "fingerprints"}

FEATURES: Final = {
    "plain": Feature("**a plain upsert**", 1.3),
    "rejects": Feature("rejects kept", 1.4, config=_REJECTS),
    "mirror": Feature("a mirror; 1 member in 100 leaves", stream=_MIRROR, members=True),
    "on_delete": Feature(
        "`on_delete: remove`; 1 row in 10,000 is marked",
        stream={"on_delete": "remove"},
        table=customers.MARKED,
        members=True,
        sent=lambda rows: rows - customers.marked(rows),
    ),
    "preferences": Feature("`preferences`", stream={"preferences": {"1": "is_member"}}),
    "consent": Feature(
        "`consent`",
        stream={
            "consent": {
                "text": "notes",
                "url": "consent_url",
                "date_time_consented": "last_subscribed",
                "ip_address": "ip_address",
                "user_agent": "user_agent",
            }
        },
        table=customers.CONSENTS,
    ),
    "opt_out": Feature("`opt_out`", stream={"opt_out": {"email": "is_member"}}),
    "address_books": Feature(
        "`address_book_property`; 500 address books",
        stream={"address_book": None, "address_book_property": "city"},
    ),
    "metadata": Feature(
        "`add_record_metadata`",
        stream=_with_field("EXTRACTED", "_sdc_extracted_at"),
        config={"add_record_metadata": True},
    ),
    "changes": Feature(
        "`send: changes`; 1 row in 100 has changed",
        config=_CHANGES,
        table=customers.CHANGED,
        before=PLAIN,
        sent=customers.changed,
    ),
    "changes_first": Feature("… the first load: everything is new", config=_CHANGES),
    "changes_mirror": Feature(
        "… and a mirror; 1 row in 100 has changed",
        stream=_MIRROR,
        config=_CHANGES,
        table=customers.CHANGED,
        members=True,
        before=PLAIN,
        sent=customers.changed,
    ),
    "batch": Feature("BATCH messages", table=customers.BATCHES),
    "dotted": Feature(
        "a path into an object",
        stream=_with_field("POSTCODE", "address.postcode"),
        table=customers.ADDRESSES,
    ),
    "strict": Feature(
        "a schema with `$ref`, `pattern`, `anyOf` and objects",
        _STRICT_SCHEMA,
        table=customers.STRICT,
    ),
    "stream_maps": Feature(
        "a stream map",
        _STREAM_MAPS,
        config={"stream_maps": {customers.STREAM: {"last_name": "last_name.upper()"}}},
    ),
    "lists": Feature("reports that list every contact", lists=True),
    "more": Feature("a plain upsert of five times the rows", 1.3, size=5),
    "held": Feature("20 imports active", None, 200, active=ACTIVE_IMPORTS),
    "held_rejects": Feature(
        "… of five times the rows, rejects kept",
        None,
        200,
        config=_REJECTS,
        active=ACTIVE_IMPORTS,
        size=5,
    ),
    "held_mirror": Feature(
        "… of five times the rows, a mirror",
        None,
        300,
        stream=_MIRROR,
        active=ACTIVE_IMPORTS,
        members=True,
        size=5,
    ),
}
"""By the name that the command line knows each by."""
