"""JSON answers whose names may be in any case, read at full speed where they are as documented.

Dotdigital spells names otherwise from call to call, and one call's otherwise from document to
document. Source: https://developer.dotdigital.com/docs/data-handling.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect
from typing_extensions import override

Decoded = TypeVar("Decoded")

_JSON = msgspec.json.Decoder(float_hook=Decimal)
"""Numbers of a contact have more digits than a double holds."""


class Documented(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of answers. Each has every name that the vendor documents, read or not.

    So a name that is not known is either in another case, or new: both are worth a second look.
    """

    @override
    def __repr__(self) -> str:
        """Show nothing of what is answered: it may be of a person."""
        return f"<{type(self).__name__}>"


class AnyCaseDecoder(Generic[Decoded]):
    """Decodes answers of one type. Safe to use from several threads."""

    def __init__(self, wanted: type[Decoded], usual: type[Decoded] | None = None) -> None:
        """Make a decoder.

        Args:
            wanted: What the answer should be, of `Documented` structs.
            usual: What it usually is, if that is read sooner.
        """
        self._wanted = wanted
        self._type = inspect.type_info(wanted)
        self._exact = msgspec.json.Decoder(usual or wanted, float_hook=Decimal)

    def decode(self, body: bytes) -> Decoded:
        """Decode an answer.

        Args:
            body: The answer's body.

        Raises:
            msgspec.ValidationError: It is JSON of another shape.
            msgspec.DecodeError: It is no JSON.
        """
        try:
            return self._exact.decode(body)
        except msgspec.ValidationError:
            return msgspec.convert(_as_documented(self._type, _JSON.decode(body)), self._wanted)


def _as_documented(wanted: inspect.Type, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the value with the names that are read, spelled as documented, and no others."""
    if isinstance(wanted, inspect.Metadata):
        return _as_documented(wanted.type, value)
    if isinstance(wanted, inspect.UnionType):
        for one in wanted.types:
            value = _as_documented(one, value)
    elif isinstance(wanted, inspect.StructType) and isinstance(value, dict):
        value = _named_as_documented(wanted, value)
    elif isinstance(wanted, inspect.ListType) and isinstance(value, list):
        value = [_as_documented(wanted.item_type, each) for each in value]
    return value


def _named_as_documented(wanted: inspect.StructType, value: dict[str, Any]) -> dict[str, Any]:
    fields = {
        field.encode_name.lower(): field
        for field in wanted.fields
        if not isinstance(field.type, inspect.RawType)
    }
    documented = {field.encode_name for field in fields.values()}
    read = {}
    # A name that is spelled as documented comes last, and wins.
    for name in sorted(value, key=documented.__contains__):
        field = fields.get(name.lower())
        if field is not None:
            read[field.encode_name] = _as_documented(field.type, value[name])
    return read
