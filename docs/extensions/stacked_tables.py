"""Tables that describe: on a narrow screen, a row's cells go one below the other.

These are the tables whose last column is called Description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


class StackTables(SphinxTransform):
    """Marks the tables for `site.css`."""

    default_priority: ClassVar[int] = 200

    def apply(self, **_: object) -> None:
        """Mark the document's tables."""
        for table in self.document.findall(nodes.table):
            head = next(table.findall(nodes.thead))
            if [entry.astext() for entry in head.findall(nodes.entry)][-1] == "Description":
                table["classes"].append("stacked")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_transform(StackTables)
    return {"version": "1", "parallel_read_safe": True}
