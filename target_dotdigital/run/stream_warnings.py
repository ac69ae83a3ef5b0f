"""Warnings about streams, each given once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_dotdigital.near_misses import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_dotdigital.settings import Settings

_logger = logging.getLogger("target-dotdigital")


class StreamWarnings:
    """Warns of streams while their messages come."""

    def __init__(self) -> None:
        """Start with no warning given."""
        self._skipped: set[str] = set()
        self._unidentified: set[str] = set()

    def skipped(self, stream: str, reason: str) -> None:
        """Warn of a stream that is not loaded.

        Args:
            stream: Its name after stream maps.
            reason: Why it is not.
        """
        if stream not in self._skipped:
            self._skipped.add(stream)
            _logger.warning("Stream '%s' is skipped: %s", stream, reason)

    def unidentified(self, stream: str, path: str) -> None:
        """Warn of deleted rows that lack the match identifier.

        Args:
            stream: The stream's name after stream maps.
            path: The property that holds the match identifier.
        """
        if stream not in self._unidentified:
            self._unidentified.add(stream)
            _logger.warning(
                "Stream '%s': deleted rows lack '%s', so their contacts are not removed "
                "(delete.unidentified). PostgreSQL logs only the key of a deleted row: set REPLICA "
                "IDENTITY FULL for the table, or a match_identifier that is in the key",
                stream,
                path,
            )


def warn_of_missing_streams(settings: Settings, came: Collection[str]) -> None:
    """Warn of streams that the settings name and the tap has not sent.

    Args:
        settings: The target's settings.
        came: The streams that came.
    """
    for stream in sorted(settings.streams or ()):
        if stream not in came:
            _logger.warning(
                "Stream '%s' is named in 'streams', but the tap did not send it.%s",
                stream,
                did_you_mean(stream, came),
            )


def warn_of_confirmation_mails(settings: Settings) -> None:
    """Warn of streams whose people are mailed requests for confirmation.

    Args:
        settings: The target's settings.
    """
    streams = (settings.streams or {}).items()
    if names := [name for name, each in streams if each.email_opt_in_type == "verifiedDouble"]:
        _logger.warning(
            "email_opt_in_type is verifiedDouble (%s): Dotdigital mails a request for confirmation "
            "to each contact that you load",
            ", ".join(f"'{name}'" for name in names),
        )
