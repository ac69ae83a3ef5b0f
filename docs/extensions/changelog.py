"""The changelog as a page of the site: `changelog.md` only leads to the file in the repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

PAGE = "changelog"


def read_changelog(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the changelog's text in the place of the page that leads to it.

    Args:
        app: The build.
        page: The page that is being read.
        source: Its text, as a list of one.
    """
    if page == PAGE:
        file = Path(app.srcdir).parent / "CHANGELOG.md"
        app.env.note_dependency(str(file))
        source[0] = file.read_text(encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.connect("source-read", read_changelog)
    return {"version": "1", "parallel_read_safe": True}
