"""The time, as Dotdigital writes it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


def timestamp(*, ago: timedelta = timedelta()) -> str:
    """Return the time (ISO 8601, UTC, milliseconds). Times written so compare as texts.

    Args:
        ago: How long before now.
    """
    time = datetime.now(timezone.utc).replace(tzinfo=None) - ago
    return time.isoformat(timespec="milliseconds") + "Z"
