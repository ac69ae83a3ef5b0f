"""Tables of what the code says of itself: its modules.

```{modules} target_dotdigital
```
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils.nodes import Node
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def first_lines(package: str) -> Iterator[tuple[str, str]]:
    """Yield what is in a package: packages and modules, each with its docstring's first lines.

    Args:
        package: Its dotted name.
    """
    folder = Path(str(import_module(package).__file__)).parent
    packages = [(f"{path.parent.name}/", path) for path in folder.glob("*/__init__.py")]
    modules = [(path.name, path) for path in folder.glob("[!_]*.py")]
    for name, path in (*sorted(packages), *sorted(modules)):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if text is not None:
            yield name, text.split("\n\n")[0].replace("\n", " ")


class ModulesDirective(SphinxDirective):
    """The table of what is in a package."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[Node]:
        """Return the table."""
        rows = [f"| `{name}` | {text} |" for name, text in first_lines(self.arguments[0])]
        return self.parse_text_to_nodes("\n".join(["| name | holds |", "| --- | --- |", *rows]))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_directive("modules", ModulesDirective)
    return {"version": "1", "parallel_read_safe": True}
