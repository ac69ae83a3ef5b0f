"""Shows the picture that fits the page: of `x-light.png`, in the dark `x-dark.png`.

The Markdown names the light one only, so that it can be read as it is, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

LIGHT, DARK = "-light.png", "-dark.png"


class PairImages(SphinxTransform):
    """Puts the dark picture beside each light one; Furo's classes hide one of them."""

    default_priority: ClassVar[int] = 200

    def apply(self, **_: object) -> None:
        """Change the document's pictures."""
        folder = Path(self.env.doc2path(self.env.docname)).parent
        for image in list(self.document.findall(nodes.image)):
            light = image["uri"]
            if not light.endswith(LIGHT):
                continue
            dark = f"{light.removesuffix(LIGHT)}{DARK}"
            if not (folder / dark).is_file():
                continue
            other = image.deepcopy()
            other["uri"] = dark
            image["classes"].append("only-light")
            other["classes"].append("only-dark")
            image.parent.insert(image.parent.index(image) + 1, other)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_transform(PairImages)
    return {"version": "1", "parallel_read_safe": True}
