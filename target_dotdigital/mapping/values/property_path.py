"""Paths to the properties of a record."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_dotdigital.errors import RowRejectedError

if TYPE_CHECKING:
    from collections.abc import Mapping

ABSENT: Final = object()
"""The value of a property that a record lacks: neither null nor empty."""


def is_empty(value: object) -> bool:
    """Return whether a property is absent, null or a blank text.

    Args:
        value: What `PropertyPath.read` has returned.
    """
    return value is ABSENT or value is None or (isinstance(value, str) and not value.strip())


@dataclass(frozen=True, slots=True)
class PropertyPath:
    """The path to a property of a record, or to one inside its objects."""

    name: str
    """The property as the settings name it; a dot leads into an object, or a text that is one."""
    segments: tuple[str, ...]

    @classmethod
    def of(cls, name: str, properties: Mapping[str, Any]) -> PropertyPath:
        """Return the path that a name stands for. A property of the whole dotted name wins.

        Args:
            name: The property as the settings name it.
            properties: The schema's properties.
        """
        is_whole = name in properties or "." not in name
        return cls(name, (name,) if is_whole else tuple(name.split(".")))

    def read(self, record: Mapping[str, Any]) -> object:
        """Return the property's value, or `ABSENT`. A property inside a null is null.

        Args:
            record: The record, after stream maps.

        Raises:
            RowRejectedError: The path leads through a plain value, or a text that holds no JSON
                object; code `field.type`.
        """
        if len(self.segments) == 1 or self.name in record:
            return record.get(self.name, ABSENT)
        value: object = record
        for place, segment in enumerate(self.segments):
            if isinstance(value, str):
                value = self._object_in(value, place)
            if value is None or value is ABSENT:
                return value
            if not isinstance(value, dict):
                raise RowRejectedError(
                    "field.type",
                    f"Property '{self.name}': '{segment}' cannot be read from a plain value",
                    property=self.name,
                    rule="object",
                )
            value = value.get(segment, ABSENT)
        return value

    def _object_in(self, text: str, place: int) -> object:
        """Return the object in a text: taps that read a log send JSON columns as text."""
        try:
            found = _decoded(text)
        except _UNREADABLE:
            found = text
        if found is None or isinstance(found, dict):
            return found
        raise RowRejectedError(
            "field.type",
            f"Property '{self.name}': '{'.'.join(self.segments[:place])}' is a text without a JSON "
            "object",
            property=self.name,
            rule="object",
        )


_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError, ArithmeticError, ValueError)
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@lru_cache(maxsize=4)
def _decoded(text: str) -> object:
    """Return a text's JSON. It is kept: several data fields are read from the same text in turn."""
    return _decode(text)
