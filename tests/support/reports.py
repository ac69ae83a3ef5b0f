"""What `report_path` holds."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker

if TYPE_CHECKING:
    from pathlib import Path


def report_of(folder: Path, name: str = "report.json") -> dict[str, Any]:
    """Return what `report_path` holds; it is what its schema says."""
    return _checked(folder / name, "report.schema.json")


def verification_of(folder: Path, name: str = "report.verify.json") -> dict[str, Any]:
    """Return what `--verify` has written; it is what its schema says."""
    return _checked(folder / name, "verification.schema.json")


def _checked(path: Path, schema: str) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    rules = json.loads((files("target_dotdigital") / schema).read_text())
    Draft202012Validator.check_schema(rules)
    found: dict[str, Any] = json.loads(text)
    Draft202012Validator(rules, format_checker=FormatChecker()).validate(found)
    return found
