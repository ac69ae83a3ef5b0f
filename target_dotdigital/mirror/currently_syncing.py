"""The stream that a tap was at when it ended: `currently_syncing` in its last STATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SEPARATORS = ("-", ".", "_", "/")
"""What stands between a schema and a stream's name in the IDs of common taps."""


class CurrentlySyncing:
    """Finds out in which streams a tap was interrupted.

    Taps name a stream in there by its ID (`shop-public-customers`), which ends in its name.
    """

    def __init__(self) -> None:
        """Start before the first message."""
        self._value: object = None
        self._tap_streams: set[str] = set()

    def add_streams(self, names: Iterable[str]) -> None:
        """Add names of streams that the tap sends, whether they are loaded or not.

        Args:
            names: The names.
        """
        self._tap_streams.update(names)

    def process_state(self, value: object) -> None:
        """Take in the newest STATE.

        Args:
            value: Its value.
        """
        self._value = value.get("currently_syncing") if isinstance(value, dict) else None

    def is_interrupted(self, names: Iterable[str]) -> bool:
        """Return whether the tap may have been interrupted in a stream.

        Args:
            names: The names of the stream.
        """
        if self._value is None or self._value == "":
            return False
        if not self._is_any_of(self._tap_streams):
            return True  # a stream that is not known may be this one
        return self._is_any_of(names)

    def _is_any_of(self, names: Iterable[str]) -> bool:
        text = self._value if isinstance(self._value, str) else ""
        return any(
            text == name or text.endswith(tuple(f"{each}{name}" for each in _SEPARATORS))
            for name in names
        )
