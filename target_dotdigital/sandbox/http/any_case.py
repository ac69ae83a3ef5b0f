"""JSON whose names and words may be in any case, as v2 takes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect

Decoded = TypeVar("Decoded")

_JSON = msgspec.json.Decoder(float_hook=Decimal)


class AnyCaseDecoder(Generic[Decoded]):
    """Decodes JSON in which the names of a struct, and words that are enumerated, have any case.

    Source: developer.dotdigital.com/docs/data-handling; the vendor's own clients send `Name` and
    `Visibility: public`.
    """

    def __init__(self, wanted: type[Decoded]) -> None:
        """Make a decoder.

        Args:
            wanted: What the JSON should be.
        """
        self._wanted = wanted
        self._type = inspect.type_info(wanted)

    def decode(self, body: bytes) -> Decoded:
        """Decode a body.

        Raises:
            msgspec.ValidationError: It is something else than what is wanted.
            msgspec.DecodeError: It is no JSON.
        """
        return msgspec.convert(_spelt_as(self._type, _JSON.decode(body)), self._wanted)


def _spelt_as(wanted: inspect.Type, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the value with names and words spelt as the type spells them, where it knows them."""
    if isinstance(wanted, inspect.UnionType):
        for one in wanted.types:
            value = _spelt_as(one, value)
    elif isinstance(wanted, inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name.lower(): field for field in wanted.fields}
        return {
            field.encode_name if field else name: _spelt_as(field.type, each) if field else each
            for name, each in value.items()
            for field in [fields.get(name.lower())]
        }
    elif isinstance(wanted, inspect.ListType) and isinstance(value, list):
        return [_spelt_as(wanted.item_type, each) for each in value]
    elif isinstance(wanted, inspect.LiteralType) and isinstance(value, str):
        words = {str(word).lower(): word for word in wanted.values}
        return words.get(value.lower(), value)
    return value
