"""Tables of packages: what is in each, by the first lines of the docstrings."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def module_table(package: str) -> str:
    """Return the table of what is in a package.

    Args:
        package: Its dotted name.
    """
    rows = [f"| `{name}` | {text} |" for name, text in first_lines(package)]
    return "\n".join(["| name | holds |", "| --- | --- |", *rows])
