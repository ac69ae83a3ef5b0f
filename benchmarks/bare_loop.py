"""The least that a load costs in Python: `benchmarks.limit` runs this, a process of its own.

Each line is decoded, seven fields are picked, the contact is encoded, bodies are joined. Nothing
is validated, counted by stream, kept for a reject, or sent. It imports nothing but msgspec.
"""

from __future__ import annotations

import sys
from typing import IO

import msgspec

BODY_CONTACTS = 10_000
LIST_ID = 42

_BODY = b'{"mergeOption":"overwrite","contacts":[%s]}'


def untyped(source: IO[bytes]) -> tuple[int, int]:
    """Decode whole messages into dictionaries, as a plain loop would.

    Args:
        source: Where the lines come from.

    Returns:
        How many contacts there were, and how many bytes the bodies had.
    """
    decode = msgspec.json.Decoder().decode
    encode = msgspec.json.Encoder().encode
    contacts: list[bytes] = []
    count = size = 0
    for line in source:
        message = decode(line)
        if message["type"] != "RECORD":
            continue
        record = message["record"]
        contacts.append(
            encode(
                {
                    "matchIdentifier": "email",
                    "identifiers": {"email": record["email"]},
                    "dataFields": {
                        "FIRSTNAME": record["first_name"],
                        "LASTNAME": record["last_name"],
                        "POSTCODE": record["postcode"],
                        "LASTSUBSCRIBED": record["last_subscribed"],
                        "REVENUE": record["revenue"],
                        "MEMBER": record["is_member"],
                    },
                    "lists": [LIST_ID],
                }
            )
        )
        if len(contacts) == BODY_CONTACTS:
            size += len(_BODY % b",".join(contacts))
            count += len(contacts)
            contacts = []
    if contacts:
        size += len(_BODY % b",".join(contacts))
        count += len(contacts)
    return count, size


class Customer(msgspec.Struct, gc=False):
    """The seven fields of a record that are picked; the others are skipped unparsed."""

    email: str | None
    first_name: str | None
    last_name: str | None
    postcode: str | None
    last_subscribed: str | None
    revenue: float | None
    is_member: bool | None


class Message(msgspec.Struct, gc=False):
    """A Singer message."""

    type: str
    record: Customer | None = None


def typed(source: IO[bytes]) -> tuple[int, int]:
    """Decode into typed objects that hold what is picked, and nothing else.

    Args:
        source: Where the lines come from.

    Returns:
        How many contacts there were, and how many bytes the bodies had.
    """
    decode = msgspec.json.Decoder(Message).decode
    encode = msgspec.json.Encoder().encode
    contacts: list[bytes] = []
    count = size = 0
    for line in source:
        record = decode(line).record
        if record is None:
            continue
        contacts.append(
            encode(
                {
                    "matchIdentifier": "email",
                    "identifiers": {"email": record.email},
                    "dataFields": {
                        "FIRSTNAME": record.first_name,
                        "LASTNAME": record.last_name,
                        "POSTCODE": record.postcode,
                        "LASTSUBSCRIBED": record.last_subscribed,
                        "REVENUE": record.revenue,
                        "MEMBER": record.is_member,
                    },
                    "lists": [LIST_ID],
                }
            )
        )
        if len(contacts) == BODY_CONTACTS:
            size += len(_BODY % b",".join(contacts))
            count += len(contacts)
            contacts = []
    if contacts:
        size += len(_BODY % b",".join(contacts))
        count += len(contacts)
    return count, size


if __name__ == "__main__":
    print(*(typed if "--typed" in sys.argv else untyped)(sys.stdin.buffer))
