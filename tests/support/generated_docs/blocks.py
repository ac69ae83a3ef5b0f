"""The blocks of a page that follow from the code.

    <!-- generated: settings stream -->
    …
    <!-- /generated -->

The words after `generated:` are a name of `BLOCKS`, and what it is about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.support.generated_docs.classes import class_description
from tests.support.generated_docs.errors import error_table
from tests.support.generated_docs.messages import message_list
from tests.support.generated_docs.modules import module_table
from tests.support.generated_docs.report_schema import report_tables, verification_tables
from tests.support.generated_docs.settings import setting_sections, setting_table
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOCKS: Final[dict[str, Callable[[str], str]]] = {
    "class": class_description,
    "errors": error_table,
    "messages": message_list,
    "modules": module_table,
    "report": report_tables,
    "setting-table": setting_table,
    "settings": setting_sections,
    "verification": verification_tables,
}
"""What makes a block, by its name."""

MARK: Final = re.compile(r"^<!-- /?generated\b.*-->$", re.MULTILINE)
_BLOCK: Final = re.compile(
    r"^(<!-- generated: ([a-z-]+)((?: [^\s]+)*) -->\n)(.*?)^(<!-- /generated -->)$",
    re.MULTILINE | re.DOTALL,
)


def pages() -> list[Path]:
    """Return the pages that may have blocks: those of the documentation."""
    return sorted((REPOSITORY / "docs").rglob("*.md"))


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the blocks of a page: the name of each, and what it is about."""
    return [(name, about.strip()) for _, name, about, _, _ in _BLOCK.findall(text)]


def with_blocks(text: str) -> str:
    """Return a page with its blocks as the code has them now.

    Args:
        text: The page's Markdown.
    """
    return _BLOCK.sub(
        lambda found: f"{found[1]}{BLOCKS[found[2]](found[3].strip())}\n{found[5]}", text
    )
