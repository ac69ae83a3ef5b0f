"""Links to what is in the repository and not in the site.

A file is copied and can be downloaded, as Sphinx does by itself with all but Markdown; a folder's
name is all that there is to tell of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


class LinkOutside(SphinxTransform):
    """Sees to links that lead out of the folder of the documentation."""

    default_priority: ClassVar[int] = 200

    def apply(self, **_: object) -> None:
        """Change the document's links."""
        source = Path(self.env.srcdir).resolve()
        folder = Path(self.env.doc2path(self.env.docname)).parent
        for link in list(self.document.findall(addnodes.pending_xref)):
            target = str(link.get("reftarget") or "")
            # MyST leaves the suffix of documents out.
            found = [path for path in (folder / target, folder / f"{target}.md") if path.exists()]
            if not target or not found or found[0].resolve().is_relative_to(source):
                continue
            file = found[0]
            if file.is_dir():
                link.replace_self(nodes.inline("", "", *link.children))
                continue
            download = addnodes.download_reference("", "", *link.children)
            download["reftarget"] = os.path.relpath(file, folder)
            download["refdoc"] = self.env.docname
            link.replace_self(download)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_transform(LinkOutside)
    return {"version": "1", "parallel_read_safe": True}
