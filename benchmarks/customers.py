"""The rows that are measured with: customers of 12 fields and about 400 bytes a line.

The same rows every time. A file of them is written once for each table and number of rows, into a
folder for temporary files, and used again by whichever benchmark asks for it. Some tables have more
in each row, or say more in their SCHEMA, but every row has what the bare loop picks.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STREAM = "customers"
STATE_EACH = 10_000

_TEXT = {"type": ["string", "null"]}
SCHEMA: dict[str, Any] = {
    "type": "SCHEMA",
    "stream": STREAM,
    "key_properties": ["id"],
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "email": {"type": ["string", "null"], "format": "email"},
            "first_name": _TEXT,
            "last_name": _TEXT,
            "gender": _TEXT,
            "city": _TEXT,
            "notes": _TEXT,
            "postcode": _TEXT,
            "last_subscribed": {"type": ["string", "null"], "format": "date-time"},
            "orders": {"type": ["integer", "null"]},
            "revenue": {"type": ["number", "null"]},
            "is_member": {"type": ["boolean", "null"]},
        },
    },
}

DATA_FIELDS = {
    "FIRSTNAME": "String",
    "LASTNAME": "String",
    "POSTCODE": "String",
    "LASTSUBSCRIBED": "Date",
    "REVENUE": "Numeric",
    "MEMBER": "Boolean",
    "EXTRACTED": "Date",
}
"""What an account needs: name to type."""

FIELDS = {
    "FIRSTNAME": "first_name",
    "LASTNAME": "last_name",
    "POSTCODE": "postcode",
    "LASTSUBSCRIBED": "last_subscribed",
    "REVENUE": "revenue",
    "MEMBER": "is_member",
}
"""The mapping, as the setting `fields` takes it. With the e-mail address, seven of 12 fields."""

_ROW = (
    '{"type": "RECORD", "stream": "customers", "record": {"id": %d, '
    '"email": "customer.number.%d@example.com", "first_name": "First%d", "last_name": "Last%d", '
    '"gender": "%s", "city": "Town %d", "notes": "prefers to be told by letter, not by telephone", '
    '"postcode": %s, "last_subscribed": "20%02d-%02d-%02dT10:%02d:00Z", "orders": %d, '
    '"revenue": %d.%02d, "is_member": %s%s}, "time_extracted": "2026-02-01T06:00:00Z"}\n'
)


@dataclass(frozen=True)
class Table:
    """Customers, as a tap may tell of them.

    Attributes:
        name: Of the table.
        properties: What the SCHEMA says of properties, beside or instead of what `SCHEMA` says.
        keywords: What else the SCHEMA says.
        more: Returns what a record has beside the twelve fields: JSON, with a comma before it.
        is_batch: Whether the rows are in files that BATCH messages name, one with each STATE.
    """

    name: str
    properties: dict[str, Any] = field(default_factory=dict)
    keywords: dict[str, Any] = field(default_factory=dict)
    more: Callable[[int], str] = lambda _number: ""
    is_batch: bool = False

    def schema(self) -> str:
        """Return the line of the SCHEMA."""
        properties = {**SCHEMA["schema"]["properties"], **self.properties}
        schema = {**SCHEMA["schema"], "properties": properties, **self.keywords}
        return json.dumps({**SCHEMA, "schema": schema}) + "\n"

    def row(self, number: int) -> str:
        """Return the line of one customer.

        Args:
            number: Which one; each has an address of its own.
        """
        return _ROW % (
            number,
            number,
            number % 997,
            number % 9973,
            "female" if number % 2 else "male",
            number % 500,
            "null" if number % 50 == 0 else f'"N{number % 20} {number % 9}DP"',
            number % 26,
            number % 12 + 1,
            number % 28 + 1,
            number % 60,
            number % 40,
            number % 5000,
            number % 99 + 1,
            "true" if number % 3 else "false",
            self.more(number),
        )

    def lines(self, rows: int, folder: Path) -> Iterator[bytes]:
        """Yield a stream of customers in pieces: the SCHEMA, and rows with a STATE each 10,000.

        Args:
            rows: How many. A STATE comes after the last one, whatever their number.
            folder: Where the files of BATCH messages go.
        """
        yield self.schema().encode()
        for first in range(0, rows, STATE_EACH):
            end = min(first + STATE_EACH, rows)
            message = json.dumps({"type": "STATE", "value": state(end)})
            rows_of_it = "".join(map(self.row, range(first, end)))
            yield (self.as_batch(rows_of_it, folder) + message + "\n").encode()

    def as_batch(self, rows: str, folder: Path) -> str:
        """Return rows as a BATCH message if that is how this table comes; write its file.

        Args:
            rows: Their lines.
            folder: Where its file goes.
        """
        if not self.is_batch:
            return rows
        records = "\n".join(json.dumps(_record(line)) for line in rows.splitlines()).encode()
        path = folder / f"{self.name}-{hashlib.sha256(records).hexdigest()[:16]}.jsonl.gz"
        path.write_bytes(gzip.compress(records + b"\n", 1))
        message = {
            "type": "BATCH",
            "stream": STREAM,
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "manifest": [path.as_uri()],
        }
        return json.dumps(message) + "\n"


def _record(line: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(line)["record"]


PLAIN = Table("customers")

MARKED_EACH, MARKED_FIRST = 10_000, 7
MARKED = Table(
    "marked",
    properties={"_sdc_deleted_at": {"type": ["string", "null"], "format": "date-time"}},
    more=lambda number: (
        ', "_sdc_deleted_at": '
        + ('"2026-01-31T10:00:00Z"' if number % MARKED_EACH == MARKED_FIRST else "null")
    ),
)
"""One row in ten thousand is marked as deleted."""


def marked(rows: int) -> int:
    """Return how many of so many rows of `MARKED` are marked as deleted."""
    return len(range(MARKED_FIRST, rows, MARKED_EACH))


_ADDRESS = {
    "type": ["object", "null"],
    "properties": {"postcode": _TEXT, "city": _TEXT},
}


def _address(number: int) -> str:
    return f', "address": {{"city": "Town {number % 500}", "postcode": "N{number % 20} 1DP"}}'


ADDRESSES = Table("addresses", properties={"address": _ADDRESS}, more=_address)
"""Each has an object with the postcode."""

STRICT = Table(
    "strict",
    properties={
        "address": _ADDRESS,
        "email": {"$ref": "#/definitions/email"},
        "postcode": {"type": ["string", "null"], "pattern": "^N[0-9]+ [0-9]DP$"},
        "revenue": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
    },
    keywords={"definitions": {"email": {"type": ["string", "null"], "maxLength": 200}}},
    more=_address,
)
"""The SCHEMA asks more of mapped properties than their types, so each value must be looked at."""

CHANGED_EACH = 100
CHANGED = Table(
    "changed",
    more=lambda number: "" if number % CHANGED_EACH else ', "first_name": "New"',
)
"""One row in a hundred has another first name than in `PLAIN`: the last one of a record counts."""


def changed(rows: int) -> int:
    """Return how many of so many rows of `CHANGED` are others than in `PLAIN`."""
    return len(range(0, rows, CHANGED_EACH))


BATCHES = Table("batches", is_batch=True)

CONSENTS = Table(
    "consents",
    properties=dict.fromkeys(("consent_url", "ip_address", "user_agent"), _TEXT),
    more=lambda number: (
        f', "consent_url": "https://shop.example.com", "ip_address": "192.0.2.{number % 256}", '
        '"user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"'
    ),
)
"""Each row has a consent."""


def state(rows: int) -> dict[str, Any]:
    """Return the STATE value after so many rows."""
    return {"bookmarks": {STREAM: {"replication_key": "id", "replication_key_value": rows}}}


def file_of(rows: int, folder: Path | None = None, table: Table = PLAIN) -> Path:
    """Return a file of customers, which is written if it is not there yet.

    Args:
        rows: How many.
        folder: Where it is kept; by default a folder among the machine's temporary files.
        table: Of which table.
    """
    if folder is None:
        folder = Path(tempfile.gettempdir()) / "target-dotdigital-benchmarks"
        folder.mkdir(mode=0o700, exist_ok=True)
    form = table.schema() + "".join(map(table.row, (0, MARKED_FIRST)))
    digest = hashlib.sha256(form.encode()).hexdigest()[:8]
    path = folder / f"{table.name}-{rows}-{digest}.singer"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as out:
            out.writelines(table.lines(rows, folder))
        unfinished.replace(path)
    return path
