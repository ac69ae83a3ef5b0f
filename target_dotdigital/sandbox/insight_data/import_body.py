"""What `PUT /insightData/v3/import` takes, and what it refuses as a whole."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from target_dotdigital.sandbox.http import decode_v3
from target_dotdigital.sandbox.insight_data.collections import (
    SERVICE,
    check_name,
    read_scope,
    read_type,
)

if TYPE_CHECKING:
    from target_dotdigital.sandbox.insight_data.collections import Scope


class ContactIdentity(msgspec.Struct, frozen=True):
    """The contact that a record belongs to."""

    identifier: str
    value: str | int | None


class SentRecord(msgspec.Struct, frozen=True, rename="camel"):
    """A record as sent. The specification's example has a key that is a number."""

    key: str | int
    json: Any
    contact_identity: ContactIdentity | None = None


class ImportBody(msgspec.Struct, frozen=True, rename="camel"):
    """The whole request. Its records stay encoded: a body of 50 MB is many times that decoded."""

    collection_name: str
    collection_scope: str
    collection_type: str
    records: Annotated[list[msgspec.Raw], Meta(min_length=1)]

    @property
    def scope(self) -> Scope:
        """The scope in the vendor's spelling."""
        return read_scope(self.collection_scope)

    @property
    def type(self) -> str:
        """The type in the vendor's spelling."""
        return read_type(self.collection_type)


_BODY = msgspec.json.Decoder(ImportBody)
_RECORD = msgspec.json.Decoder(SentRecord, float_hook=Decimal)


def read_import(body: bytes) -> ImportBody:
    """Decode a body, its records excepted.

    Raises:
        RefusalError: 400, it is no JSON or not of this shape.
    """
    return decode_v3(_BODY, body, service=SERVICE)


def read_record(raw: msgspec.Raw, place: str = "$") -> SentRecord:
    """Decode one record of a body.

    Args:
        raw: The record, still encoded.
        place: Where in the body it is.

    Raises:
        RefusalError: 400, it is no JSON or of the wrong structure.
    """
    return decode_v3(_RECORD, raw, place, SERVICE)


def check_import(body: bytes) -> ImportBody:
    """Check the structure of a request, every record included.

    Raises:
        RefusalError: 400, for the whole request.
    """
    sent = read_import(body)
    check_name(sent.collection_name)
    read_scope(sent.collection_scope)
    read_type(sent.collection_type)
    for number, raw in enumerate(sent.records):
        read_record(raw, f"$.records[{number}]")
    return sent
