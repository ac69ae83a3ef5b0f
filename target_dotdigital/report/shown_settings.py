"""What a report tells of the settings: no credential, and nothing that could hold one."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from target_dotdigital.settings import Settings, StreamSettings

_WRITTEN: Final = (
    "dry_run",
    "create_address_book",
    "create_data_fields",
    "batch_size_rows",
    "batch_wait_limit_seconds",
    "max_active_imports",
    "shutdown_grace_seconds",
    "max_reject_percent",
)
"""Settings that are told as they are. Any other is told below, or not at all: user name and
password, and the SDK's own, whose expressions may hold whatever somebody has typed."""


def shown_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings under their own names, without those that are not set.

    Args:
        settings: The target's settings.
    """
    url = None if settings.api_url is None else urlsplit(settings.api_url)
    shown: dict[str, Any] = {
        "region": settings.region,
        # Without its path: a proxy may take that for a key.
        "api_url": None if url is None else f"{url.scheme}://{url.netloc}",
        "sandbox_path": _name(settings.sandbox_path),
        "rejects_path": _name(settings.rejects_path),
        "report_path": _name(settings.report_path),
        **{name: getattr(settings, name) for name in _WRITTEN},
        "import_timeout_minutes": settings.import_timeout_seconds // 60,
        "address_book": settings.default_stream.address_book,
        "merge_option": settings.default_stream.merge_option,
    }
    if settings.streams is not None:
        shown["streams"] = {name: _stream(each) for name, each in settings.streams.items()}
    return {name: value for name, value in sorted(shown.items()) if value is not None}


def _name(path: Path | None) -> str | None:
    """Return a file's name: where it is tells of whoever runs this, and may name a person."""
    return None if path is None else path.name


def _stream(settings: StreamSettings) -> dict[str, Any]:
    """Return a stream's settings, defaults filled in."""
    values = asdict(settings)
    return {
        each.name: values[each.name]
        for each in fields(settings)
        if values[each.name] not in (None, {})
    }
