"""The SDK's flattening, with arrays as texts that people can read."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from singer_sdk.helpers import _flattening
from singer_sdk.singerlib.json import serialize_json

from target_dotdigital.errors import UnfitError
from target_dotdigital.mapping import to_text


def join_flattened_arrays() -> None:
    """Make flattening write arrays of plain values as they are sent when nothing is flattened.

    The SDK writes them as JSON, with an escape for each letter beyond ASCII. Only flattening itself
    knows which texts have been arrays.
    """
    _flattening.serialize_json = _flattened  # type: ignore[attr-defined]


def _flattened(obj: object, **kwargs: Any) -> str:
    """Return the text of an array or object that flattening leaves whole."""
    if isinstance(obj, list):
        with suppress(UnfitError):  # it holds more than plain values
            return to_text(obj)
    return serialize_json(obj, ensure_ascii=False, **kwargs)
