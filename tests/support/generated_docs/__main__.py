"""Writes what files beside the code say of the code, and names those that have changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.support import package_tree, sandbox_tables, settings_files
from tests.support.generated_docs.blocks import pages, with_blocks
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


def written() -> dict[Path, str]:
    """Return the files that follow from the code, each with what it should hold."""
    files = {REPOSITORY / name: settings_files.with_settings for name in settings_files.FILES}
    texts = {
        path: with_settings(str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8"))
        for path, with_settings in files.items()
    }
    texts |= {REPOSITORY / name: package_tree.with_tree(name) for name in package_tree.PAGES}
    texts[sandbox_tables.PAGE] = sandbox_tables.with_tables()
    for page in pages():
        texts[page] = with_blocks(texts.get(page) or page.read_text(encoding="utf-8"))
    return texts


def main() -> None:
    """Write the files."""
    for path, text in written().items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
