"""The terminal: texts for people in colour or plain, findings of `--test`, shell completion."""

from __future__ import annotations

from target_dotdigital.terminal.completion import complete
from target_dotdigital.terminal.findings import Finding, result_of
from target_dotdigital.terminal.texts import (
    console_for,
    is_terminal,
    percent,
    printable,
    text_for,
)

__all__ = [
    "Finding",
    "complete",
    "console_for",
    "is_terminal",
    "percent",
    "printable",
    "result_of",
    "text_for",
]
