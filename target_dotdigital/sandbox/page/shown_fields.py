"""Names and values as the page shows them."""

from __future__ import annotations

import msgspec


class ShownField(msgspec.Struct, frozen=True):
    """A data field's value as text: no number loses a digit on its way through a browser."""

    name: str
    value: str


_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


def shown_fields(raw: msgspec.Raw | None) -> list[ShownField]:
    """Return what a JSON object holds; nothing if there is none."""
    if raw is None:
        return []
    return [ShownField(name, _text(value)) for name, value in _FIELDS.decode(raw).items()]


def _text(value: msgspec.Raw) -> str:
    encoded = bytes(value)
    return _TEXT.decode(encoded) if encoded.startswith(b'"') else encoded.decode()
