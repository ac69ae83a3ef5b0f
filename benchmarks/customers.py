"""The rows that are measured with: customers of 12 fields and about 400 bytes a line.

The same rows every time. A file of them is written once for each number of rows, into a folder for
temporary files, and used again by whichever benchmark asks for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAM = "customers"
STATE_EACH = 10_000

_TEXT = {"type": ["string", "null"]}
SCHEMA = {
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
    '"revenue": %d.%02d, "is_member": %s}, "time_extracted": "2026-02-01T06:00:00Z"}\n'
)
_FORM = json.dumps(SCHEMA) + _ROW


def row(number: int) -> str:
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
    )


def state(rows: int) -> dict[str, Any]:
    """Return the STATE value after so many rows."""
    return {"bookmarks": {STREAM: {"replication_key": "id", "replication_key_value": rows}}}


def lines(rows: int) -> Iterator[bytes]:
    """Yield a stream of customers in pieces: the SCHEMA, and rows with a STATE each 10,000.

    Args:
        rows: How many. A STATE comes after the last one, whatever their number.
    """
    yield json.dumps(SCHEMA).encode() + b"\n"
    for first in range(0, rows, STATE_EACH):
        end = min(first + STATE_EACH, rows)
        message = json.dumps({"type": "STATE", "value": state(end)})
        yield ("".join(map(row, range(first, end))) + message + "\n").encode()


def file_of(rows: int, folder: Path | None = None) -> Path:
    """Return a file of customers, which is written if it is not there yet.

    Args:
        rows: How many.
        folder: Where it is kept; by default a folder among the machine's temporary files.
    """
    if folder is None:
        folder = Path(tempfile.gettempdir()) / "target-dotdigital-benchmarks"
        folder.mkdir(mode=0o700, exist_ok=True)
    form = hashlib.sha256(_FORM.encode()).hexdigest()[:8]
    path = folder / f"customers-{rows}-{form}.singer"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as out:
            out.writelines(lines(rows))
        unfinished.replace(path)
    return path
