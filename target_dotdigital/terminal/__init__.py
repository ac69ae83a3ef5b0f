"""The terminal: texts for people in colour or plain, findings of `--test`, shell completion."""

from __future__ import annotations

from target_dotdigital.terminal.completion import complete
from target_dotdigital.terminal.findings import Finding, result_of
from target_dotdigital.terminal.tables import cell, heading, lines, table, text
from target_dotdigital.terminal.texts import (
    console_for,
    is_terminal,
    percent,
    printable,
    text_for,
)

__all__ = [
    "Finding",
    "cell",
    "complete",
    "console_for",
    "heading",
    "is_terminal",
    "lines",
    "percent",
    "printable",
    "result_of",
    "table",
    "text",
    "text_for",
]
