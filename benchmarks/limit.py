"""The limit: the barest loop that decodes rows, encodes contacts and joins bodies.

    python benchmarks/limit.py < customers.singer

Each line is decoded, seven fields are picked, the contact is encoded, bodies are joined. Nothing
is validated, counted by stream, kept for a reject, or sent. It imports nothing but msgspec. With
`--typed` it decodes only what is picked, which is quicker. It prints how many contacts there were,
and how many bytes their bodies had. What a load takes is compared with it: `benchmarks.all`.
"""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY_CONTACTS = 10_000
LIST_ID = 42

_BODY = b'{"mergeOption":"overwrite","contacts":[%s]}'


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


def untyped(source: IO[bytes]) -> Iterator[bytes]:
    """Decode whole messages into dictionaries, as a plain loop would, and yield contacts.

    Args:
        source: Where the lines come from.
    """
    decode = msgspec.json.Decoder().decode
    encode = msgspec.json.Encoder().encode
    for line in source:
        message = decode(line)
        if message["type"] != "RECORD":
            continue
        record = message["record"]
        yield encode(
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


def typed(source: IO[bytes]) -> Iterator[bytes]:
    """Decode into typed objects that hold what is picked and nothing else, and yield contacts.

    Args:
        source: Where the lines come from.
    """
    decode = msgspec.json.Decoder(Message).decode
    encode = msgspec.json.Encoder().encode
    for line in source:
        record = decode(line).record
        if record is None:
            continue
        yield encode(
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


def joined(source: Iterator[bytes]) -> tuple[int, int]:
    """Join contacts to bodies; return how many contacts there were, and the bodies' bytes.

    Args:
        source: The contacts.
    """
    contacts: list[bytes] = []
    count = size = 0
    for contact in source:
        contacts.append(contact)
        if len(contacts) == BODY_CONTACTS:
            size += len(_BODY % b",".join(contacts))
            count += len(contacts)
            contacts = []
    if contacts:
        size += len(_BODY % b",".join(contacts))
        count += len(contacts)
    return count, size


if __name__ == "__main__":
    print(*joined((typed if "--typed" in sys.argv else untyped)(sys.stdin.buffer)))
