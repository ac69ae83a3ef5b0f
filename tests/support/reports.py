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
    text = (folder / name).read_text(encoding="utf-8")
    rules = json.loads((files("target_dotdigital") / "report.schema.json").read_text())
    Draft202012Validator.check_schema(rules)
    found: dict[str, Any] = json.loads(text)
    Draft202012Validator(rules, format_checker=FormatChecker()).validate(found)
    return found
