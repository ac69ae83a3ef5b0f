"""Times since which something is asked for, as the filters of v3 have them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_dotdigital.sandbox.faults import Switches

_SINCE = re.compile(
    r"gte::(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?)(?:Z|([+ -])(\d{2}):?([0-5]\d))",
    re.ASCII,
)
"""The plus sign of an offset that a client does not encode arrives as a space."""


def read_since(value: str, switches: Switches) -> str | None:
    """Return a time as stored times are written, or nothing if the filter is none.

    Args:
        value: Such as `gte::2026-11-27T16:50:27Z`.
        switches: Whether a time may have an offset.
    """
    match = _SINCE.fullmatch(value)
    if match is None or (match[2] and switches.offset_times == "refused"):
        return None
    try:
        time = datetime.fromisoformat(match[1])
        if match[2]:
            offset = timedelta(hours=int(match[3]), minutes=int(match[4]))
            time += offset if match[2] == "-" else -offset
    except (ValueError, OverflowError):
        return None
    # Times are compared as texts, so this one is written as the stored ones are.
    return time.isoformat(timespec="milliseconds") + "Z"
