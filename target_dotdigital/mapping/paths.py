"""Where in a record a value comes from."""

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
"""What a record that lacks a property holds of it: neither null nor empty, but nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """A property, or one inside objects."""

    path: str
    """The property as the settings name it; a dot walks into an object, or a text that is one."""
    segments: tuple[str, ...]

    @classmethod
    def of(cls, path: str, properties: Mapping[str, Any]) -> Source:
        """Return the source that a path names. A property of the whole dotted name wins.

        Args:
            path: The property as the settings name it.
            properties: The schema's properties.
        """
        whole = path in properties or "." not in path
        return cls(path, (path,) if whole else tuple(path.split(".")))

    def read(self, record: Mapping[str, Any]) -> object:
        """Return the value, or `ABSENT`. What lies under a null is null.

        Args:
            record: The record, after stream maps.

        Raises:
            RowRejectedError: The path leads through a plain value, or a text that holds no JSON
                object; code `field.type`.
        """
        if len(self.segments) == 1 or self.path in record:
            return record.get(self.path, ABSENT)
        value: object = record
        for place, segment in enumerate(self.segments):
            if isinstance(value, str):
                value = self._object_in(value, place)
            if value is None or value is ABSENT:
                return value
            if not isinstance(value, dict):
                raise RowRejectedError(
                    "field.type",
                    f"property '{self.path}': '{segment}' is looked for in a plain value",
                    property=self.path,
                    rule="object",
                )
            value = value.get(segment, ABSENT)
        return value

    def _object_in(self, text: str, place: int) -> object:
        """Return the object that a text holds: taps that read a log send JSON columns as text."""
        try:
            found = _decoded(text)
        except _UNREADABLE:
            found = text
        if found is None or isinstance(found, dict):
            return found
        raise RowRejectedError(
            "field.type",
            f"property '{self.path}': '{'.'.join(self.segments[:place])}' is a text that holds no "
            "JSON object",
        )


_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError, ArithmeticError, ValueError)
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@lru_cache(maxsize=4)
def _decoded(text: str) -> object:
    """Return a text's JSON. Several data fields in turn are read from the same text."""
    return _decode(text)
