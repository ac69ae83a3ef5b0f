"""The schema of a collection: the types of the fields that its records have had so far.

A record must keep to it, and may extend it (the vendor's specification: getInsightDataCollection-
Schema). A number stays a number and a text a text; what an empty array or a null is, is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_dotdigital.sandbox.insight_data.record_json import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

INCOMPATIBLE = "JsonValueIncompatibleWithSchema"

STRING, FLOAT, BOOLEAN, RECORD = "STRING", "FLOAT", "BOOLEAN", "RECORD"


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field.

    Attributes:
        type: `STRING`, `FLOAT`, `BOOLEAN` or `RECORD`.
        is_repeated: Whether it is an array of these.
        fields: Those of an object.
    """

    type: str
    is_repeated: bool = False
    fields: dict[str, Field] = {}


class ShownField(msgspec.Struct, frozen=True):
    """A field as the schema is answered."""

    name: str
    mode: str
    type: str
    fields: list[ShownField]


class IncompatibleError(Exception):
    """A value is not what its field has been so far.

    Attributes:
        problem: For the report.
    """

    def __init__(self, place: str) -> None:
        """Keep where it is; the text is the reason alone."""
        super().__init__(INCOMPATIBLE)
        self.problem = Problem(INCOMPATIBLE, place)


_DECODER = msgspec.json.Decoder(dict[str, Field])
_ENCODER = msgspec.json.Encoder()


def read_fields(stored: bytes) -> dict[str, Field]:
    """Decode the fields of a collection."""
    return _DECODER.decode(stored)


def encode_fields(fields: Mapping[str, Field]) -> bytes:
    """Encode the fields of a collection."""
    return _ENCODER.encode(fields)


def shown_fields(fields: Mapping[str, Field]) -> list[ShownField]:
    """Return fields as the schema is answered."""
    return [
        ShownField(
            name,
            "REPEATED" if field.is_repeated else "NULLABLE",
            field.type,
            shown_fields(field.fields),
        )
        for name, field in fields.items()
    ]


def extended(
    fields: Mapping[str, Field], value: Mapping[str, Any], place: str = "$"
) -> dict[str, Field]:
    """Return fields with those of a record.

    Args:
        fields: What records have been like so far. Stays as it is.
        value: A record without a `Problem`, or an object in one.
        place: Where in the record it is.

    Raises:
        IncompatibleError: A field has had another type.
    """
    found = dict(fields)
    for name, each in value.items():
        is_repeated = isinstance(each, list)
        for one in each if is_repeated else (each,):
            if one is None:
                continue
            here = f"{place}.{name}"
            found[name] = _joined(found.get(name), one, here, is_repeated=is_repeated)
        known = fields.get(name)
        if is_repeated and known is not None and not known.is_repeated:
            raise IncompatibleError(f"{place}.{name}")
    return found


def _joined(known: Field | None, value: object, place: str, *, is_repeated: bool) -> Field:
    kind = _type_of(value)
    if known is not None and (known.type, known.is_repeated) != (kind, is_repeated):
        raise IncompatibleError(place)
    if not isinstance(value, dict):
        return known or Field(kind, is_repeated)
    return Field(kind, is_repeated, extended(known.fields if known else {}, value, place))


def _type_of(value: object) -> str:
    if isinstance(value, dict):
        return RECORD
    if isinstance(value, bool):
        return BOOLEAN
    return STRING if isinstance(value, str) else FLOAT
