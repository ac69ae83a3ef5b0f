"""Singer messages, as a tap writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


PEOPLE: dict[str, Any] = {
    "id": {"type": "integer"},
    "email": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
}


def schema(
    stream: str = "people", properties: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Return a SCHEMA message."""
    described = {"type": "object", "properties": properties or PEOPLE}
    return {"type": "SCHEMA", "stream": stream, "schema": described, "key_properties": [], **more}


def record(stream: str = "people", **values: Any) -> dict[str, Any]:
    """Return a RECORD message."""
    return {"type": "RECORD", "stream": stream, "record": values}


def state(value: object) -> dict[str, Any]:
    """Return a STATE message."""
    return {"type": "STATE", "value": value}


def rows(names: Iterable[str], stream: str = "people", **values: Any) -> list[dict[str, Any]]:
    """Return a RECORD message for each name: the address is the name at example.com."""
    return [record(stream, email=f"{name}@example.com", **values) for name in names]


def gone(names: Iterable[str], stream: str = "people") -> list[dict[str, Any]]:
    """Return the same with the mark of a row that is deleted."""
    return rows(names, stream, _sdc_deleted_at="2026-01-01T00:00:00Z")


def versioned(version: object, *names: str, stream: str = "people") -> list[dict[str, Any]]:
    """Return the same with a version."""
    return [{**each, "version": version} for each in rows(names, stream)]


def activate(version: object, stream: str = "people") -> dict[str, Any]:
    """Return an ACTIVATE_VERSION message."""
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}
